package org.tokentune;

import java.util.Arrays;
import java.util.Collection;
import java.util.Map;

/**
 * Rejects null where a public method needs a value, with the name of its parameter: as {@link
 * java.util.Objects#requireNonNull}, but with the exception of all other unusable arguments.
 */
public final class Arguments {

  private Arguments() {}

  /**
   * Rejects null, and collections, maps and arrays that hold it.
   *
   * @param parameter its name in Java
   * @return the value
   * @throws BadSettingsException if there is none
   */
  public static <T> T required(T value, String parameter) {
    if (value == null) {
      throw BadSettingsException.of(parameter, "must not be null; give a value.");
    }
    if (value instanceof Collection<?> elements) {
      checkElements(elements, parameter);
    } else if (value instanceof Object[] elements) {
      checkElements(Arrays.asList(elements), parameter);
    } else if (value instanceof Map<?, ?> map) {
      map.forEach(
          (key, element) -> {
            if (key == null || element == null) {
              throw BadSettingsException.of(
                  parameter,
                  "must not hold null, got %s = %s; leave the entry out, or give a value.",
                  key,
                  element);
            }
          });
    }
    return value;
  }

  private static void checkElements(Collection<?> elements, String parameter) {
    int index = 0;
    for (Object element : elements) {
      if (element == null) {
        throw BadSettingsException.of(
            parameter,
            "must not hold null, got one at index %d; leave it out, or give a value.",
            index);
      }
      index++;
    }
  }
}
