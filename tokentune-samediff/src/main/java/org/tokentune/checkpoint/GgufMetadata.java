package org.tokentune.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.tokentune.BadInputException;

/**
 * What a GGUF file says of itself, by key.
 *
 * @param file for messages
 * @param values Boolean, Long, Double (also of 32-bit floats, by their shortest decimal), String,
 *     or a List of one of them
 */
record GgufMetadata(Path file, Map<String, Object> values) {

  boolean has(String key) {
    return values.containsKey(key);
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
    List<?> list = value(key, List.class, "an array");
    for (Object element : list) {
      if (!of.isInstance(element)) {
        throw bad(key, "an array of other elements");
      }
    }
    @SuppressWarnings("unchecked") // each was looked at
    List<T> typed = (List<T>) list;
    return typed;
  }

  private <T> T value(String key, Class<T> type, String wanted) {
    Object value = values.get(key);
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
}
