package org.tokentune.tables;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokentune.BadDataException;

/**
 * Names of class labels within a column, as Hugging Face's datasets store them in Parquet under the
 * key {@code huggingface}, at {@code info.features}.
 *
 * @param feature what is said of the column, or of a part of it
 */
record FeatureNames(JsonNode feature) {

  static final FeatureNames NONE = new FeatureNames(MissingNode.getInstance());

  /** What is said of a column, or of a field of a struct. */
  FeatureNames of(String name) {
    JsonNode type = feature.path("_type");
    // A sequence of a struct is a struct of lists in the file.
    boolean sequence = type.isTextual() && feature.path("feature").isObject();
    return new FeatureNames((sequence ? feature.path("feature") : feature).path(name));
  }

  /** What is said of the elements of a list. */
  private FeatureNames element() {
    if (feature.isArray()) {
      return new FeatureNames(feature.path(0)); // [feature], as older versions wrote it
    }
    return feature.path("feature").isMissingNode()
        ? this
        : new FeatureNames(feature.path("feature"));
  }

  /**
   * A value in which numbers of class labels are replaced by their names, and -1 by null.
   *
   * @param value as {@link JdbcValues} gives it
   * @param position of the row, for messages
   */
  Object named(Object value, String position) {
    if (feature.isMissingNode() || value == null) {
      return value;
    }
    if (value instanceof List<?> list) {
      List<Object> named = new ArrayList<>();
      list.forEach(each -> named.add(element().named(each, position)));
      return named;
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> named = new LinkedHashMap<>();
      map.forEach(
          (name, each) ->
              named.put(String.valueOf(name), of(String.valueOf(name)).named(each, position)));
      return named;
    }
    JsonNode names = feature.path("names");
    if (!feature.path("_type").asText().equals("ClassLabel")
        || !(value instanceof Number number)
        || !names.isArray()) {
      return value;
    }
    long label = number.longValue();
    if (label == -1) {
      return null; // the mark of rows without a label
    }
    if (label < 0 || label >= names.size()) {
      throw new BadDataException(
          "%s has the class label %d, but the file names only %d; correct it.",
          position, label, names.size());
    }
    return names.get((int) label).asText();
  }
}
