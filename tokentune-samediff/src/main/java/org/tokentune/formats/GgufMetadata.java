package org.tokentune.formats;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * A GGUF file's metadata by key. It tracks which keys were read: {@link #finish} rejects unread
 * keys that would change results, and warns of unread keys that are unknown.
 */
final class GgufMetadata {

  private final Path file;
  private final Map<String, Object> values;
  private final Set<String> asked = new TreeSet<>();

  /**
   * @param file for messages
   * @param values Boolean, Long, Double (also for 32-bit floats, by their shortest decimal), String
   *     or {@link GgufFile.Array}
   */
  GgufMetadata(Path file, Map<String, Object> values) {
    this.file = file;
    this.values = values;
  }

  Path file() {
    return file;
  }

  /** All keys. */
  Set<String> keys() {
    return values.keySet();
  }

  private Object value(String key) {
    asked.add(key);
    return values.get(key);
  }

  boolean has(String key) {
    return value(key) != null;
  }

  String text(String key) {
    return value(key, String.class, "a text");
  }

  String text(String key, String defaultValue) {
    return has(key) ? text(key) : defaultValue;
  }

  boolean flag(String key, boolean defaultValue) {
    return has(key) ? value(key, Boolean.class, "true or false") : defaultValue;
  }

  double number(String key) {
    return value(key, Number.class, "a number").doubleValue();
  }

  double number(String key, double defaultValue) {
    return has(key) ? number(key) : defaultValue;
  }

  /** A count or an index. */
  int count(String key) {
    long count = value(key, Long.class, "a whole number");
    if (count < 0 || count > Integer.MAX_VALUE) {
      throw bad(key, "a whole number up to 2,147,483,647");
    }
    return (int) count;
  }

  int count(String key, int defaultValue) {
    return has(key) ? count(key) : defaultValue;
  }

  boolean isList(String key) {
    return value(key) instanceof GgufFile.Array;
  }

  /** An array's elements. */
  <T> List<T> list(String key, Class<T> of) {
    List<T> list = new ArrayList<>();
    for (Object element : value(key, GgufFile.Array.class, "an array").elements()) {
      if (!of.isInstance(element)) {
        throw bad(key, "an array of elements of another type");
      }
      list.add(of.cast(element));
    }
    return list;
  }

  private <T> T value(String key, Class<T> type, String wanted) {
    Object value = value(key);
    if (!type.isInstance(value)) {
      throw bad(key, wanted);
    }
    return type.cast(value);
  }

  private BadInputException bad(String key, String wanted) {
    String found = String.valueOf(values.get(key));
    return new BadFileException(
        "%s: the metadata's %s must be %s, but is %.60s.",
        file, key, wanted, has(key) ? found : "missing");
  }

  /**
   * Accounts for the keys with this prefix that were not read.
   *
   * @param harmless keys without the prefix that do not change results
   * @param neutral keys without the prefix that change results, with the one value that does not
   * @throws BadInputException for any other value
   */
  void finish(String prefix, Set<String> harmless, Map<String, Object> neutral) {
    List<String> unknown = new ArrayList<>();
    for (String key : values.keySet()) {
      String rest = key.startsWith(prefix) ? key.substring(prefix.length()) : null;
      if (rest == null || asked.contains(key) || harmless.contains(rest)) {
        continue;
      }
      if (!neutral.containsKey(rest)) {
        unknown.add(key);
      } else {
        mustBe(key, neutral.get(rest));
      }
    }
    if (!unknown.isEmpty()) {
      Warnings.warn(
          "%s: metadata not known here and ignored: %s; check that the model does not depend on"
              + " it.",
          file, String.join(", ", unknown));
    }
  }

  /**
   * Rejects another value; the key may be missing.
   *
   * @throws BadInputException naming both
   */
  void mustBe(String key, Object only) {
    if (has(key) && !same(values.get(key), only)) {
      throw new BadFileException(
          "%s: the metadata's %s is %.60s, which is not supported; supported: %s.",
          file, key, values.get(key), only);
    }
  }

  private static boolean same(Object value, Object neutral) {
    boolean numbers = value instanceof Number && neutral instanceof Number;
    return numbers
        ? ((Number) value).doubleValue() == ((Number) neutral).doubleValue()
        : value.equals(neutral);
  }
}
