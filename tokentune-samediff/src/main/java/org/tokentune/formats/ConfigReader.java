package org.tokentune.formats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * Reads the fields of a JSON object in a model's files, and tracks which were read: {@link #finish}
 * rejects unread fields that would change results, and warns of unread fields that are unknown.
 *
 * <p>A missing or null field gets the caller's default. A field of the wrong type or out of range
 * is a {@link BadInputException} that names file, field and value.
 */
public final class ConfigReader {

  private static final int MAX_SHOWN = 60;

  private final JsonNode object;
  private final String origin;
  private final String path;
  private final Set<String> asked = new TreeSet<>();
  private KnownFields known = KnownFields.NONE;

  private ConfigReader(JsonNode object, String origin, String path) {
    this.object = object;
    this.origin = origin;
    this.path = path;
  }

  /**
   * A reader of an object.
   *
   * @param origin the file, for messages
   */
  public static ConfigReader of(JsonNode object, String origin) {
    return new ConfigReader(object, origin, "");
  }

  /** The file. */
  public String origin() {
    return origin;
  }

  /** The field's name as shown in messages. */
  public String name(String field) {
    return path + field;
  }

  /** Fields that were read. */
  public Set<String> asked() {
    return Collections.unmodifiableSet(asked);
  }

  /** The known fields that {@link #finish} was given. */
  public KnownFields known() {
    return known;
  }

  /** A field's value, which may be a missing or null node. */
  public JsonNode value(String field) {
    asked.add(field);
    return object.path(field);
  }

  /** Whether a field is present and not null. */
  public boolean has(String field) {
    JsonNode value = value(field);
    return !value.isMissingNode() && !value.isNull();
  }

  /** Whether a field is present and null. */
  public boolean isNull(String field) {
    return value(field).isNull();
  }

  /**
   * Whichever of a field's two names is present; the first if neither is.
   *
   * @throws BadInputException if both are present with different values
   */
  public String either(String field, String alias) {
    if (has(field) && has(alias) && !same(value(field), value(alias))) {
      throw new BadFileException(
          "%s: %s is %s, but its alias %s is %s; correct one of them.",
          origin, name(field), shown(value(field)), name(alias), shown(value(alias)));
    }
    return !has(field) && has(alias) ? alias : field;
  }

  /** A whole number from 1. */
  public int count(String field) {
    if (!has(field)) {
      throw bad(field, "a whole number from 1 to " + Limits.SIZE);
    }
    return count(field, 1);
  }

  /** A whole number from 1. */
  public int count(String field, int defaultValue) {
    return whole(field, 1, Limits.SIZE, defaultValue);
  }

  /** A number of layers. */
  public int layers(String field) {
    if (!has(field)) {
      throw bad(field, "a whole number from 1 to " + Limits.LAYERS);
    }
    return whole(field, 1, Limits.LAYERS, 1);
  }

  /** A whole number from 0. */
  public int index(String field, int defaultValue) {
    return whole(field, 0, Limits.SIZE, defaultValue);
  }

  private int whole(String field, int least, int most, int defaultValue) {
    if (!has(field)) {
      return defaultValue;
    }
    JsonNode value = value(field);
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < least
        || value.intValue() > most) {
      throw bad(field, "a whole number from " + least + " to " + most);
    }
    return value.intValue();
  }

  /** A dropout rate. */
  public double rate(String field, double defaultValue) {
    return number(field, defaultValue, rate -> rate >= 0 && rate < 1, "a number from 0 to below 1");
  }

  /** A number above 0. */
  public double positive(String field, double defaultValue) {
    return number(field, defaultValue, number -> number > 0, "a number above 0");
  }

  /** A number from 0. */
  public double notNegative(String field, double defaultValue) {
    return number(field, defaultValue, number -> number >= 0, "a number from 0");
  }

  /** Any number. */
  public double number(String field) {
    if (!has(field)) {
      throw bad(field, "a number");
    }
    return number(field, 0);
  }

  /** Any number. */
  public double number(String field, double defaultValue) {
    return number(field, defaultValue, number -> true, "a number");
  }

  private double number(String field, double defaultValue, Predicate<Double> fits, String wanted) {
    if (!has(field)) {
      return defaultValue;
    }
    JsonNode value = value(field);
    double number = value.isNumber() ? value.doubleValue() : Double.NaN;
    if (!Double.isFinite(number) || !fits.test(number)) {
      throw bad(field, wanted);
    }
    return number;
  }

  /** True or false. */
  public boolean flag(String field, boolean defaultValue) {
    if (has(field) && !value(field).isBoolean()) {
      throw bad(field, "true or false");
    }
    return value(field).asBoolean(defaultValue);
  }

  /** A text. */
  public String text(String field, String defaultValue) {
    if (has(field) && !value(field).isTextual()) {
      throw bad(field, "a text");
    }
    return has(field) ? value(field).textValue() : defaultValue;
  }

  /** A list of texts; empty where the field is missing or null. */
  public List<String> texts(String field) {
    List<String> texts = new ArrayList<>();
    if (has(field)) {
      JsonNode list = value(field);
      if (!list.isArray()) {
        throw bad(field, "a list of texts");
      }
      for (JsonNode text : list) {
        if (!text.isTextual()) {
          throw bad(field, "a list of texts");
        }
        texts.add(text.textValue());
      }
    }
    return texts;
  }

  /** A list of numbers above 0; empty if the field is missing. */
  public List<Double> positives(String field) {
    List<Double> numbers = new ArrayList<>();
    if (has(field)) {
      for (JsonNode one : value(field)) {
        if (!one.isNumber() || !(one.doubleValue() > 0) || Double.isInfinite(one.doubleValue())) {
          throw bad(field, "a list of numbers above 0");
        }
        numbers.add(one.doubleValue());
      }
      if (numbers.isEmpty()) {
        throw bad(field, "a list of numbers above 0");
      }
    }
    return numbers;
  }

  /** A whole number from 0 or a list of them; empty where the field is missing or null. */
  public List<Integer> indices(String field) {
    List<Integer> indices = new ArrayList<>();
    if (has(field)) {
      JsonNode value = value(field);
      for (JsonNode one : value.isArray() ? value : List.of(value)) {
        if (!one.isIntegralNumber() || !one.canConvertToInt() || one.intValue() < 0) {
          throw bad(field, "a whole number from 0, or a list of them");
        }
        indices.add(one.intValue());
      }
    }
    return indices;
  }

  /** An object within this one; an empty one where the field is missing or null. */
  public ConfigReader object(String field) {
    if (has(field) && !value(field).isObject()) {
      throw bad(field, "an object");
    }
    return new ConfigReader(
        has(field) ? value(field) : MissingNode.getInstance(), origin, name(field) + ".");
  }

  /** Names of all fields. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /**
   * Rejects unread fields that would change results, and warns of unknown fields in one sentence.
   *
   * @param known describes the fields that are not read
   */
  public void finish(KnownFields known) {
    this.known = known;
    List<String> unknown = new ArrayList<>();
    for (String field : names()) {
      if (asked.contains(field) || known.harmless().contains(field)) {
        continue;
      }
      List<JsonNode> supported = known.supported().get(field);
      if (supported == null) {
        unknown.add(name(field));
      } else {
        only(field, supported);
      }
    }
    if (!unknown.isEmpty()) {
      Warnings.warn(
          "%s: %s not known here and ignored; check that the model does not depend on it.",
          origin,
          unknown.stream().map(ConfigReader::abridged).collect(Collectors.joining(", "))
              + (unknown.size() == 1 ? " is" : " are"));
    }
  }

  /** Unread fields that would change results: {@link #finish} would reject them. */
  public List<String> unsupported(KnownFields known) {
    return names().stream()
        .filter(field -> !asked.contains(field) && known.supported().containsKey(field))
        .filter(field -> !isOneOf(object.path(field), known.supported().get(field)))
        .toList();
  }

  private static boolean isOneOf(JsonNode value, List<JsonNode> supported) {
    return value.isNull() || supported.stream().anyMatch(one -> same(one, value));
  }

  /** Rejects any value of a field other than null and these. */
  private void only(String field, List<JsonNode> supported) {
    JsonNode value = object.path(field);
    if (!isOneOf(value, supported)) {
      throw new BadFileException(
          "%s: %s is %s, which is not supported; %s.",
          origin,
          name(field),
          shown(value),
          supported.isEmpty()
              ? "use a model without it"
              : supported.stream().map(JsonNode::toString).collect(Collectors.joining(" or "))
                  + (supported.size() == 1 ? " is" : " are"));
    }
  }

  private static boolean same(JsonNode a, JsonNode b) {
    boolean numbers = a.isNumber() && b.isNumber();
    return numbers ? a.doubleValue() == b.doubleValue() : a.equals(b);
  }

  /** The exception for an invalid value of a field. */
  public BadInputException bad(String field, String wanted) {
    return new BadFileException(
        "%s: %s must be %s, but is %s.", origin, name(field), wanted, shown(object.path(field)));
  }

  private static String shown(JsonNode value) {
    return value.isMissingNode() ? "missing" : abridged(value.toString());
  }

  private static String abridged(String text) {
    return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
  }
}
