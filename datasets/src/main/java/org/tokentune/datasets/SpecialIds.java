package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.tokentune.Warnings;

/**
 * Compares the numbers of tokens with a model's table of words.
 *
 * @param json a {@code tokenizer.json}
 * @param words in the table
 * @param origin for messages
 */
record SpecialIds(JsonNode json, int words, String origin) {

  /** Warns of tokens outside the table, which a text may contain. */
  void warnOfTokensPastTheTable() {
    String text = null;
    int most = words - 1;
    for (Map.Entry<String, JsonNode> word : json.path("model").path("vocab").properties()) {
      if (word.getValue().asInt() > most) {
        most = word.getValue().asInt();
        text = word.getKey();
      }
    }
    for (JsonNode added : json.path("added_tokens")) {
      if (added.path("id").asInt() > most) {
        most = added.path("id").asInt();
        text = added.path("content").asText();
      }
    }
    if (text != null) {
      Warnings.warn(
          "The tokenizer of %s has tokens past the model's %d words, the last of them '%s', number %d;"
              + " a text with one of them is rejected.",
          origin, words, text, most);
    }
  }

  /** Returns the numbers in a configuration that the model has. */
  Set<Integer> known(List<Integer> ids) {
    Set<Integer> known = new LinkedHashSet<>();
    for (int id : ids) {
      if (id < words) {
        known.add(id);
      } else {
        Warnings.warn(
            "%s names %d as a token that begins or ends texts, but the model has %d words; it is ignored.",
            origin, id, words);
      }
    }
    return known;
  }

  /** Returns the numbers of all special tokens. */
  Set<Integer> all() {
    Set<Integer> found = new TreeSet<>();
    for (JsonNode added : json.path("added_tokens")) {
      if (added.path("special").asBoolean()) {
        found.add(added.path("id").asInt());
      }
    }
    return found;
  }

  /** Returns the numbers of all other tokens that the model has, in order. */
  int[] ordinary() {
    Set<Integer> found = new TreeSet<>();
    JsonNode vocabulary = json.path("model").path("vocab");
    if (vocabulary.isArray()) { // pieces with their scores
      IntStream.range(0, vocabulary.size()).forEach(found::add);
    }
    vocabulary.properties().forEach(word -> found.add(word.getValue().asInt()));
    json.path("added_tokens").forEach(added -> found.add(added.path("id").asInt()));
    found.removeAll(all());
    return found.stream().mapToInt(Integer::intValue).filter(id -> id < words).toArray();
  }

  /**
   * Returns the numbers of the texts that are special tokens of the tokenizer and words of the
   * model.
   */
  Set<Integer> named(Set<String> texts) {
    Set<Integer> found = new LinkedHashSet<>();
    for (JsonNode added : json.path("added_tokens")) {
      int id = added.path("id").asInt();
      if (added.path("special").asBoolean()
          && texts.contains(added.path("content").asText())
          && id < words) {
        found.add(id);
      }
    }
    return found;
  }
}
