package org.tokentune.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * What a GGUF file says of itself, by key. It notes which keys were asked for: {@link #finish}
 * refuses what is left and changes numbers, and names what is left and unknown.
 */
final class GgufMetadata {

  private final Path file;
  private final Map<String, Object> values;
  private final Set<String> asked = new TreeSet<>();

  /**
   * @param file for messages
   * @param values Boolean, Long, Double (also of 32-bit floats, by their shortest decimal), String
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

  String text(String key, String otherwise) {
    return has(key) ? text(key) : otherwise;
  }

  boolean flag(String key, boolean otherwise) {
    return has(key) ? value(key, Boolean.class, "true or false") : otherwise;
  }

  double number(String key, double otherwise) {
    return has(key) ? value(key, Number.class, "a number").doubleValue() : otherwise;
  }

  /** A number of things, or the number of one of them. */
  int count(String key) {
    long count = value(key, Long.class, "a whole number");
    if (count < 0 || count > Integer.MAX_VALUE) {
      throw bad(key, "a whole number up to 2,147,483,647");
    }
    return (int) count;
  }

  int count(String key, int otherwise) {
    return has(key) ? count(key) : otherwise;
  }

  /** An array's elements. */
  <T> List<T> list(String key, Class<T> of) {
    List<T> list = new ArrayList<>();
    for (Object element : value(key, GgufFile.Array.class, "an array").elements()) {
      if (!of.isInstance(element)) {
        throw bad(key, "an array of other elements");
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
    return new BadInputException(
        "%s: the metadata's %s must be %s, but is %.60s.",
        file, key, wanted, has(key) ? found : "missing");
  }

  /**
   * Accounts for the keys that begin so and were not asked for.
   *
   * @param harmless rest of the keys that change no number
   * @param neutral rest of the keys that change numbers, and the one value with which they do not
   * @throws BadInputException for another value
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
      } else if (!same(values.get(key), neutral.get(rest))) {
        throw new BadInputException(
            "%s: the metadata's %s is %.60s, which is not supported; %s is.",
            file, key, values.get(key), neutral.get(rest));
      }
    }
    if (!unknown.isEmpty()) {
      Warnings.warn(
          "%s: metadata not known here and not used: %s; see that the model does without.",
          file, String.join(", ", unknown));
    }
  }

  private static boolean same(Object value, Object neutral) {
    boolean numbers = value instanceof Number && neutral instanceof Number;
    return numbers
        ? ((Number) value).doubleValue() == ((Number) neutral).doubleValue()
        : value.equals(neutral);
  }
}
