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
 * What a user should know of input that is used all the same: logged under this class's name, each
 * sentence once, so that a model may be opened often.
 */
public final class Warnings {

  private static final Logger LOG = LoggerFactory.getLogger(Warnings.class);

  /** Sentences that are remembered; a service that opens many models forgets the oldest. */
  private static final int MOST = 1000;

  private static final Set<String> SAID =
      Collections.synchronizedSet(Collections.newSetFromMap(new Recent()));

  private Warnings() {}

  /** Something may not be as the user means it. Takes a {@link String#format} pattern. */
  @FormatMethod
  public static void warn(String message, Object... arguments) {
    String sentence = Printable.message(String.format(Locale.ROOT, message, arguments));
    if (SAID.add(sentence)) {
      LOG.warn(sentence);
    }
  }

  /** Something is as it should be, but good to know. */
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
      return size() > MOST;
    }
  }
}
