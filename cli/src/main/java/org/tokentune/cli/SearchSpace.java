package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.tokentune.BadSettingsException;

/**
 * The ranges that a search draws options from: {@code log-uniform}, {@code uniform} or {@code
 * integer} between two numbers, or {@code choice} of a list, which may stand alone.
 *
 * @param ranges by option, without dashes
 */
record SearchSpace(Map<String, Range> ranges) {

  /** Digits of the numbers that are drawn. */
  private static final MathContext DIGITS = new MathContext(3);

  /** Draws a value, as it is written in a settings file. */
  @FunctionalInterface
  interface Range {
    String draw(SplittableRandom random);
  }

  /**
   * Reads ranges.
   *
   * @param options by name without dashes
   */
  static SearchSpace of(JsonNode options) {
    Map<String, Range> ranges = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> option : options.properties()) {
      ranges.put(option.getKey(), range(option.getKey(), option.getValue()));
    }
    if (ranges.isEmpty()) {
      throw new BadSettingsException(
          "The settings file has no ranges to search; give some, such as search: {learning-rate:"
              + " {log-uniform: [1e-5, 1e-3]}}.");
    }
    return new SearchSpace(ranges);
  }

  private static Range range(String option, JsonNode node) {
    if (node instanceof ArrayNode values) {
      return choice(option, values);
    }
    if (node instanceof ObjectNode only
        && only.size() == 1
        && only.properties().iterator().next().getValue() instanceof ArrayNode values) {
      String kind = only.fieldNames().next();
      if (kind.equals("choice")) {
        return choice(option, values);
      }
      Range range = between(kind, ends(values));
      if (range != null) {
        return range;
      }
    }
    throw new BadSettingsException(
        "search: %s cannot be %s; give a list of values, or uniform, log-uniform or integer with a"
            + " lower and a higher number, such as {log-uniform: [1e-5, 1e-3]}.",
        option, node);
  }

  /** Null if there is no such range. */
  private static Range between(String kind, double[] ends) {
    if (ends.length != 2 || !(ends[0] < ends[1])) {
      return null;
    }
    double low = ends[0];
    double high = ends[1];
    return switch (kind) {
      case "uniform" -> random -> rounded(random.nextDouble(low, high));
      case "log-uniform" ->
          low > 0
              ? random -> rounded(Math.exp(random.nextDouble(Math.log(low), Math.log(high))))
              : null;
      case "integer" -> random -> Long.toString(random.nextLong((long) low, (long) high + 1));
      default -> null;
    };
  }

  /** Numbers; YAML takes 1e-5, which has no point, for text. */
  private static double[] ends(ArrayNode values) {
    double[] ends = new double[values.size()];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = values.get(i).asDouble(Double.NaN);
    }
    return ends;
  }

  private static Range choice(String option, ArrayNode values) {
    List<String> texts = new ArrayList<>();
    values.forEach(value -> texts.add(value.asText()));
    if (texts.isEmpty() || texts.contains("")) {
      throw new BadSettingsException("search: %s has no values to choose from.", option);
    }
    return random -> texts.get(random.nextInt(texts.size()));
  }

  private static String rounded(double value) {
    return new BigDecimal(value).round(DIGITS).stripTrailingZeros().toString();
  }

  /** The options of a trial: the same for the same seed and number. */
  Map<String, String> draw(long seed, int number) {
    SplittableRandom random = new SplittableRandom(seed + 0x9E3779B97F4A7C15L * number);
    Map<String, String> drawn = new LinkedHashMap<>();
    ranges.forEach((option, range) -> drawn.put(option, range.draw(random)));
    return drawn;
  }
}
