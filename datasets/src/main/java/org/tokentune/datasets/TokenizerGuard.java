package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.Limits;
import org.tokentune.formats.RegexGuard;

/**
 * Checks a {@code tokenizer.json} before the native library reads it. The library trusts the file:
 * a damaged number may end the virtual machine, and a text that grows without limit takes all
 * memory. Anything that the library rejects with an error is left to it.
 *
 * <p>Source: the format of version 0.21 of Hugging Face's tokenizers.
 */
final class TokenizerGuard {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** The maximal number of parts of a step or a template. */
  private static final int MOST_PARTS = 100;

  private static final int MOST_DEPTH = 8;

  /** The maximal number of characters in a pattern, or in a text that is inserted into others. */
  private static final int MOST_TEXT = 2_000;

  /** The factor by which all replacements together may lengthen a text. */
  private static final int MOST_GROWTH = 64;

  private static final String TYPE = "type";
  private static final String CONTENT = "content";
  private static final String PATTERN = "pattern";
  private static final String SEQUENCE = "Sequence";

  /** The types of a step, and the field with the parts of a sequence. */
  private record Step(String field, String parts, Set<String> kinds) {}

  private static final Step NORMALIZER =
      new Step(
          "normalizer",
          "normalizers",
          Set.of(
              "BertNormalizer",
              "ByteLevel",
              "Lowercase",
              "NFC",
              "NFD",
              "NFKC",
              "NFKD",
              "Nmt",
              "Precompiled",
              "Prepend",
              "Replace",
              "Strip",
              "StripAccents"));
  private static final Step PRE_TOKENIZER =
      new Step(
          "pre_tokenizer",
          "pretokenizers",
          Set.of(
              "BertPreTokenizer",
              "ByteLevel",
              "CharDelimiterSplit",
              "Digits",
              "FixedLength",
              "Metaspace",
              "Punctuation",
              "Split",
              "UnicodeScripts",
              "Whitespace",
              "WhitespaceSplit"));
  private static final Step POST_PROCESSOR =
      new Step(
          "post_processor",
          "processors",
          Set.of("BertProcessing", "ByteLevel", "RobertaProcessing", "TemplateProcessing"));
  private static final Step DECODER =
      new Step(
          "decoder",
          "decoders",
          Set.of(
              "BPEDecoder",
              "ByteFallback",
              "ByteLevel",
              "CTC",
              "Fuse",
              "Metaspace",
              "Replace",
              "Strip",
              "WordPiece"));

  private final String origin;
  private double growth;

  private TokenizerGuard(String origin) {
    this.origin = origin;
  }

  /**
   * Checks a parsed {@code tokenizer.json}.
   *
   * @param origin of the tokenizer, for messages
   * @throws BadInputException that names the field that is damaged or not supported
   */
  static void check(JsonNode json, String origin) {
    new TokenizerGuard(origin + ", tokenizer.json").check(ConfigReader.of(json, origin));
  }

  /**
   * If one of these has the wrong type, the library may read the step as another one with fewer
   * fields.
   */
  private static final List<String> FLAGS =
      List.of(
          "add_prefix_space",
          "byte_fallback",
          "clean_text",
          "cleanup",
          "fuse_unk",
          "handle_chinese_chars",
          "ignore_merges",
          "individual_digits",
          "invert",
          "lowercase",
          "lstrip",
          "normalized",
          "rstrip",
          "single_word",
          "special",
          "split",
          "strip_accents",
          "strip_left",
          "strip_right",
          "trim_offsets",
          "use_regex");

  private static final List<String> TEXTS =
      List.of(
          "behavior",
          "continuing_subword_prefix",
          "end_of_word_suffix",
          "pad_token",
          "prepend_scheme",
          "unk_token");

  /** Rejects fields of a wrong type anywhere. */
  static void checkKinds(ConfigReader fields) {
    FLAGS.forEach(flag -> fields.flag(flag, false));
    TEXTS.forEach(text -> fields.text(text, ""));
  }

  private void check(ConfigReader json) {
    for (Step step : new Step[] {NORMALIZER, PRE_TOKENIZER, POST_PROCESSOR, DECODER}) {
      growth = 1;
      if (json.has(step.field())) {
        checkStep(step, reader(json.value(step.field()), step.field()), 0);
      }
    }
    new TokenizerModelGuard(reader(json.value("model"), "model")).check();
    int number = 0;
    for (JsonNode token : json.value("added_tokens")) {
      ConfigReader fields = reader(token, "added_tokens[" + number++ + "]");
      checkKinds(fields);
      int length = fields.text(CONTENT, "").length();
      if (length == 0 || length > MOST_TEXT) {
        throw fields.bad(CONTENT, "a text of 1 to " + MOST_TEXT + " characters");
      }
      fields.index("id", 0);
    }
  }

  private ConfigReader reader(JsonNode object, String path) {
    return reader(object, origin, path);
  }

  /** Reads an object that must exist. */
  static ConfigReader reader(JsonNode object, String origin, String path) {
    JsonNode around = JSON.createObjectNode().set(path, object);
    ConfigReader fields = ConfigReader.of(around, origin);
    if (!fields.has(path)) {
      throw fields.bad(path, "an object");
    }
    return fields.object(path);
  }

  private void checkStep(Step step, ConfigReader fields, int depth) {
    String kind = fields.text(TYPE, "");
    if (kind.equals(SEQUENCE)) {
      JsonNode parts = fields.value(step.parts());
      if (!parts.isArray() || parts.size() > MOST_PARTS || depth == MOST_DEPTH) {
        throw fields.bad(
            step.parts(),
            "a list of at most " + MOST_PARTS + " steps, at most " + MOST_DEPTH + " deep");
      }
      for (JsonNode part : parts) {
        checkStep(step, reader(part, step.field()), depth + 1);
      }
      return;
    }
    if (!step.kinds().contains(kind)) {
      throw fields.bad(
          TYPE, "one of " + String.join(", ", step.kinds().stream().sorted().toList()));
    }
    checkKinds(fields);
    switch (kind) {
      case "CharDelimiterSplit" -> checkCharacter(fields, "delimiter");
      case "FixedLength" -> fields.count("length", 1);
      case "Metaspace" -> checkCharacter(fields, "replacement");
      case "Precompiled" -> checkCharacterMap(fields);
      case "Prepend" -> checkText(fields, "prepend", MOST_TEXT);
      case "Replace" -> checkReplace(fields);
      case "Split" -> checkPattern(fields);
      case "Strip" -> {
        if (step.equals(DECODER)) {
          checkCharacter(fields, CONTENT);
          fields.index("start", 0);
          fields.index("stop", 0);
        }
      }
      case "TemplateProcessing" -> checkTemplate(fields);
      case "BertProcessing", "RobertaProcessing" -> {
        checkToken(fields, "sep");
        checkToken(fields, "cls");
      }
      case "CTC" -> checkText(fields, "word_delimiter_token", MOST_TEXT);
      case "BPEDecoder" -> checkText(fields, "suffix", MOST_TEXT);
      case "WordPiece" -> checkText(fields, "prefix", MOST_TEXT);
      default -> {}
    }
  }

  private static void checkText(ConfigReader fields, String field, int most) {
    if (fields.text(field, "").length() > most) {
      throw fields.bad(field, "a text of at most " + most + " characters");
    }
  }

  private static void checkCharacter(ConfigReader fields, String field) {
    String text = fields.text(field, "");
    if (text.codePointCount(0, text.length()) != 1) {
      throw fields.bad(field, "one character");
    }
  }

  /** Checks a pair {@code [token, id]}. */
  private static void checkToken(ConfigReader fields, String field) {
    JsonNode token = fields.value(field);
    if (!token.path(0).isTextual() || !isId(token.path(1))) {
      throw fields.bad(field, "a token and its number");
    }
  }

  /** Whether it is a valid number for a token. */
  static boolean isId(JsonNode node) {
    return node.isIntegralNumber()
        && node.canConvertToInt()
        && node.intValue() >= 0
        && node.intValue() <= Limits.SIZE;
  }

  private void checkReplace(ConfigReader fields) {
    int least = checkPattern(fields);
    checkText(fields, CONTENT, MOST_TEXT);
    int content = fields.text(CONTENT, "").length();
    growth *= Math.max(1, content / (double) least);
    if (growth > MOST_GROWTH) {
      throw fields.bad(
          CONTENT,
          "shorter: together the replacements make a text more than "
              + MOST_GROWTH
              + " times as long");
    }
  }

  /**
   * Returns the minimal number of characters that the pattern matches; 1 for a regular expression.
   */
  private static int checkPattern(ConfigReader fields) {
    ConfigReader pattern = fields.object(PATTERN);
    String text = pattern.text("String", "");
    String regex = pattern.text("Regex", "");
    if (text.isEmpty() == regex.isEmpty() || text.length() + regex.length() > MOST_TEXT) {
      throw fields.bad(
          PATTERN,
          "a String or a Regex that is not empty, of at most " + MOST_TEXT + " characters");
    }
    if (RegexGuard.repeatsRepetition(regex)) {
      throw fields.bad(
          PATTERN,
          "an expression without a repetition within a repetition, whose time may grow without limit");
    }
    return Math.max(1, text.length());
  }

  private static void checkCharacterMap(ConfigReader fields) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(fields.text("precompiled_charsmap", ""));
    } catch (IllegalArgumentException e) {
      throw fields.bad("precompiled_charsmap", "in base 64");
    }
    if (!CharacterMap.isWhole(bytes)) {
      throw fields.bad("precompiled_charsmap", "a whole map of characters");
    }
  }

  private static void checkTemplate(ConfigReader fields) {
    JsonNode tokens = fields.value("special_tokens");
    for (Map.Entry<String, JsonNode> token : tokens.properties()) {
      JsonNode ids = token.getValue().path("ids");
      JsonNode texts = token.getValue().path("tokens");
      boolean whole = ids.isArray() && texts.isArray() && ids.size() == texts.size();
      if (!whole || ids.isEmpty() || ids.size() > MOST_PARTS) {
        throw fields.bad(
            "special_tokens",
            "an object whose ids and tokens are equally many, at most " + MOST_PARTS);
      }
      for (JsonNode id : ids) {
        if (!isId(id)) {
          throw fields.bad(
              "special_tokens", "an object with ids that are whole numbers to " + Limits.SIZE);
        }
      }
    }
    checkPieces(fields, "single", Set.of("A"), tokens);
    checkPieces(fields, "pair", Set.of("A", "B"), tokens);
  }

  private static void checkPieces(
      ConfigReader fields, String field, Set<String> texts, JsonNode tokens) {
    JsonNode pieces = fields.value(field);
    Set<String> used = new HashSet<>();
    boolean fine = pieces.isArray() && pieces.size() <= MOST_PARTS;
    for (JsonNode piece : pieces) {
      JsonNode text = piece.path(SEQUENCE);
      JsonNode token = piece.path("SpecialToken");
      if (text.isMissingNode()) {
        fine &= tokens.has(token.path("id").asText()) && isId(token.path("type_id"));
      } else {
        fine &= used.add(text.path("id").asText()) && isId(text.path("type_id"));
      }
    }
    if (!fine || !texts.containsAll(used)) {
      throw fields.bad(
          field,
          "a list of pieces: "
              + String.join(" and ", texts.stream().sorted().toList())
              + " at most once, and special_tokens");
    }
  }
}
