package org.tokentune;

import com.google.errorprone.annotations.FormatMethod;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warnings about input that is used anyway, logged under this class's name. Each sentence is logged
 * once, so opening a model repeatedly does not repeat its warnings.
 */
public final class Warnings {

  private static final Logger LOG = LoggerFactory.getLogger(Warnings.class);

  /** How many sentences are remembered; beyond that, the oldest are forgotten. */
  private static final int MAX_REMEMBERED = 1000;

  private static final Set<String> SAID =
      Collections.synchronizedSet(Collections.newSetFromMap(new Recent()));

  private Warnings() {}

  /**
   * Logs that something may not be what the user intended. Takes a {@link String#format} pattern.
   */
  @FormatMethod
  public static void warn(String message, Object... arguments) {
    String sentence = Printable.message(String.format(Locale.ROOT, message, arguments));
    if (SAID.add(sentence)) {
      LOG.warn(sentence);
    }
  }

  /** Logs something that is in order but worth knowing. */
  @FormatMethod
  public static void note(String message, Object... arguments) {
    String sentence = Printable.message(String.format(Locale.ROOT, message, arguments));
    if (SAID.add(sentence)) {
      LOG.info(sentence);
    }
  }

  private static final class Recent extends LinkedHashMap<String, Boolean> {

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
      return size() > MAX_REMEMBERED;
    }
  }
}
