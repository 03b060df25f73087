package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import org.tokentune.BadInputException;

/**
 * Fields of a parsed {@code config.json}.
 *
 * @param origin the file, for messages
 */
record ConfigFields(JsonNode config, String origin) {

  /** A number of things. */
  int positive(String field) {
    JsonNode value = config.path(field);
    if (!value.canConvertToInt() || !value.isIntegralNumber() || value.intValue() < 1) {
      throw new BadInputException(
          "%s: %s must be a positive whole number, but is %s.",
          origin, field, value.isMissingNode() ? "missing" : value.toString());
    }
    return value.intValue();
  }

  /** A number of things, or {@code otherwise} where the field is missing or null. */
  int positive(String field, int otherwise) {
    return config.hasNonNull(field) ? positive(field) : otherwise;
  }

  /** A number from 0, or {@code otherwise} where the field is missing or null. */
  int index(String field, int otherwise) {
    JsonNode value = config.path(field);
    if (!config.hasNonNull(field)) {
      return otherwise;
    }
    if (!value.canConvertToInt() || !value.isIntegralNumber() || value.intValue() < 0) {
      throw new BadInputException(
          "%s: %s must be a whole number from 0, but is %s.", origin, field, value);
    }
    return value.intValue();
  }

  /** A dropout rate. */
  double rate(String field, double otherwise) {
    JsonNode value = config.path(field);
    double rate = value.isNumber() ? value.doubleValue() : otherwise;
    if (!(rate >= 0 && rate < 1)) {
      throw new BadInputException("%s: %s must be 0 to below 1, but is %s.", origin, field, value);
    }
    return rate;
  }

  double number(String field, double otherwise) {
    return config.path(field).asDouble(otherwise);
  }

  boolean flag(String field, boolean otherwise) {
    return config.path(field).asBoolean(otherwise);
  }

  /** Refuses a field that has another value than the only one that is supported. */
  void require(String field, String supported) {
    JsonNode value = config.path(field);
    if (!value.isMissingNode() && !value.isNull() && !value.asText().equals(supported)) {
      throw new BadInputException(
          "%s: %s %s is not supported; %s is.", origin, field, value.asText(), supported);
    }
  }
}
