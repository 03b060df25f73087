package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;

/** Checks the {@code model} of a {@code tokenizer.json}, for {@link TokenizerGuard}. */
final class TokenizerModelGuard {

  private static final String VOCABULARY = "vocab";
  private static final String MERGES = "merges";
  private static final String PREFIX = "continuing_subword_prefix";
  private static final String LONGEST_WORD = "max_input_chars_per_word";

  /** The maximal number of characters in a word, because the library tries every pair of them. */
  private static final int MOST_WORD = 10_000;

  private static final int MOST_TEXT = 1_000;

  private final ConfigReader fields;

  TokenizerModelGuard(ConfigReader fields) {
    this.fields = fields;
  }

  /**
   * Checks the model.
   *
   * @throws BadInputException that names the field
   */
  void check() {
    TokenizerGuard.checkKinds(fields);
    JsonNode vocabulary = fields.value(VOCABULARY);
    switch (fields.text("type", guess())) {
      case "Unigram" -> checkUnigram(vocabulary);
      case "BPE" -> {
        checkNumbers(vocabulary);
        checkBytePairs(vocabulary);
      }
      case "WordPiece" -> {
        checkNumbers(vocabulary);
        checkPrefix();
        if (fields.count(LONGEST_WORD, 1) > MOST_WORD) {
          throw fields.bad(LONGEST_WORD, "at most " + MOST_WORD);
        }
      }
      case "WordLevel" -> checkNumbers(vocabulary);
      default -> throw fields.bad("type", "BPE, Unigram, WordLevel or WordPiece");
    }
  }

  /** The type for old files, which do not name one. */
  private String guess() {
    if (fields.has(MERGES)) {
      return "BPE";
    }
    if (fields.value(VOCABULARY).isArray()) {
      return "Unigram";
    }
    return fields.has(LONGEST_WORD) ? "WordPiece" : "WordLevel";
  }

  private void checkNumbers(JsonNode vocabulary) {
    if (!vocabulary.isObject()) {
      throw fields.bad(VOCABULARY, "an object with a number for each token");
    }
    for (var token : vocabulary.properties()) {
      if (!TokenizerGuard.isId(token.getValue())) {
        throw new BadFileException(
            "%s: the token '%s' has the number %s, which is not a whole number in the supported"
                + " range; get the file again.",
            fields.origin(), token.getKey(), token.getValue());
      }
    }
  }

  private String checkPrefix() {
    String prefix = fields.text(PREFIX, "");
    if (prefix.length() > MOST_TEXT) {
      throw fields.bad(PREFIX, "a text of at most " + MOST_TEXT + " characters");
    }
    return prefix;
  }

  private void checkBytePairs(JsonNode vocabulary) {
    String prefix = checkPrefix();
    if (fields.rate("dropout", 0) > 0) {
      throw fields.bad("dropout", "0, as tokens would differ each time");
    }
    JsonNode merges = fields.value(MERGES);
    if (!merges.isArray()) {
      throw fields.bad(MERGES, "a list of pairs of tokens");
    }
    for (JsonNode merge : merges) {
      String[] pair =
          merge.isTextual()
              ? merge.textValue().split(" ", -1)
              : new String[] {merge.path(0).asText(), merge.path(1).asText()};
      boolean fine =
          pair.length == 2
              && pair[1].startsWith(prefix)
              && vocabulary.has(pair[0])
              && vocabulary.has(pair[1])
              && vocabulary.has(pair[0] + pair[1].substring(prefix.length()));
      if (!fine) {
        throw new BadFileException(
            "%s: the merge %s does not make a token of the vocabulary out of two; get the file"
                + " again.",
            fields.origin(), merge);
      }
    }
  }

  private void checkUnigram(JsonNode vocabulary) {
    boolean fine = vocabulary.isArray() && !vocabulary.isEmpty();
    for (JsonNode token : vocabulary) {
      fine &= token.path(0).isTextual() && token.path(1).isNumber() && token.size() == 2;
      fine &= Double.isFinite(token.path(1).asDouble());
    }
    if (!fine) {
      throw fields.bad(VOCABULARY, "a list of tokens and their finite scores");
    }
    if (fields.has("unk_id") && fields.index("unk_id", 0) >= vocabulary.size()) {
      throw fields.bad("unk_id", "a token's number, below " + vocabulary.size());
    }
  }
}
