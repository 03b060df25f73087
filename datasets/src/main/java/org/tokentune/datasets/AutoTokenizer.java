package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.tokentune.Warnings;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.checkpoint.TokenizerConfig;
import org.tokentune.checkpoint.TokenizerConfig.AddedToken;
import org.tokentune.checkpoint.TokenizerSource;

/**
 * A model's tokenizer as transformers' {@code AutoTokenizer} has it: the class that {@code
 * tokenizer_config.json} or the kind of model names makes parts of the tokenizer anew, whatever its
 * {@code tokenizer.json} says of them, and adds tokens.
 *
 * <p>Source: transformers 5.24's {@code AutoTokenizer}, {@code TokenizersBackend} and the classes
 * named here. The switches for the first and the last token are not used there either, where there
 * is a {@code tokenizer.json}.
 *
 * @param json the {@code tokenizer.json} to use
 * @param config settings beside it
 * @param tokenTypes whether texts have token types
 */
record AutoTokenizer(ObjectNode json, TokenizerConfig config, boolean tokenTypes) {

  private static final String BYTE_LEVEL = "ByteLevel";
  private static final String METASPACE = "Metaspace";
  private static final String SPACE = "\u2581";

  /** Classes whose texts have no token types where {@code model_input_names} is not said. */
  private static final Set<String> UNTYPED =
      Set.of(
          "DistilBertTokenizer",
          "PreTrainedTokenizer",
          "PythonBackend",
          "RobertaTokenizer",
          "TokenizersBackend");

  static AutoTokenizer of(ModelFiles files) {
    ObjectNode json = TokenizerJson.tree(files.tokenizer(), files.name());
    TokenizerConfig config = TokenizerConfig.read(files.companions(), files.config());
    String type = files.config().path("model_type").asText("bert");
    String used = className(type, config.className(), json);
    // What is made of a vocabulary is made right.
    if (files.tokenizer() instanceof TokenizerSource.Json) {
      switch (used) {
        case "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer" ->
            setNormalizer(json, config, used);
        case "GPT2Tokenizer", "Qwen2Tokenizer", "RobertaTokenizer" ->
            setPrefixSpace(json, config, used);
        case "LlamaTokenizer" -> setMetaspace(json, config);
        default -> {}
      }
    }
    add(json, config.added());
    boolean types = config.tokenTypes() == null ? !UNTYPED.contains(used) : config.tokenTypes();
    return new AutoTokenizer(json, config, types);
  }

  /** The class that transformers takes. */
  private static String className(String modelType, String named, JsonNode json) {
    return switch (modelType) {
      case "bert", "distilbert" -> named.isEmpty() ? "BertTokenizer" : named;
      case "roberta" -> named.isEmpty() ? "RobertaTokenizer" : named;
      case "gpt2" -> named.isEmpty() ? "GPT2Tokenizer" : named;
      case "qwen2" -> "Qwen2Tokenizer";
      case "mistral" -> "";
      default -> named.equals("LlamaTokenizer") && isByteLevel(json) ? "" : named;
    };
  }

  private static void setNormalizer(ObjectNode json, TokenizerConfig config, String className) {
    if (!json.path("model").path("type").asText().equals("WordPiece")) {
      return;
    }
    JsonNode old = json.path("normalizer");
    boolean lowerCase = config.lowerCase() == null || config.lowerCase();
    boolean chinese = config.chineseCharacters() == null || config.chineseCharacters();
    ObjectNode normalizer = TokenizerJson.bertNormalizer(lowerCase, config.stripAccents(), chinese);
    List<String> changed = new ArrayList<>();
    if (old.path("lowercase").asBoolean(lowerCase) != lowerCase) {
      changed.add(said("do_lower_case", config.lowerCase(), lowerCase));
    }
    if (!old.path("strip_accents").equals(normalizer.get("strip_accents"))
        && old.has("strip_accents")) {
      changed.add("strip_accents is " + config.stripAccents());
    }
    if (old.path("handle_chinese_chars").asBoolean(chinese) != chinese) {
      changed.add(said("tokenize_chinese_chars", config.chineseCharacters(), chinese));
    }
    warn(config, className, changed);
    json.set("normalizer", normalizer);
  }

  private static void setPrefixSpace(ObjectNode json, TokenizerConfig config, String className) {
    boolean space = config.prefixSpace() != null && config.prefixSpace();
    forEachByteLevel(
        json,
        level -> {
          if (level.path("add_prefix_space").asBoolean(true) != space) {
            warn(config, className, List.of(said("add_prefix_space", config.prefixSpace(), space)));
          }
          level.put("add_prefix_space", space);
        });
  }

  private static String said(String field, Boolean said, boolean value) {
    return field + " is " + value + (said == null ? ", where it is not said" : "");
  }

  private static void warn(TokenizerConfig config, String className, List<String> changed) {
    if (!changed.isEmpty()) {
      Warnings.warn(
          "%s: %s, as transformers' %s has it; the tokenizer.json beside it says otherwise.",
          config.origin(), String.join(", ", changed), className);
    }
  }

  /** Spaces are written as SentencePiece does, and put before a text, or all its pieces. */
  private static void setMetaspace(ObjectNode json, TokenizerConfig config) {
    JsonNode cuts = json.path("pre_tokenizer");
    boolean known =
        json.path("model").path("type").asText().equals("BPE")
            && (cuts.isNull() || cuts.path("type").asText().equals(METASPACE));
    if (!known) {
      return;
    }
    boolean prefix = config.prefixSpace() == null || config.prefixSpace();
    boolean legacy = config.legacy() != null && config.legacy();
    json.putNull("normalizer");
    json.putObject("pre_tokenizer")
        .put("type", METASPACE)
        .put("replacement", SPACE)
        .put("prepend_scheme", prefix ? legacy ? "always" : "first" : "never")
        .put("split", false);
    json.set("decoder", TokenizerJson.spaceDecoder(prefix));
  }

  private static boolean isByteLevel(JsonNode json) {
    List<JsonNode> found = new ArrayList<>();
    forEachByteLevel(json, found::add);
    return !found.isEmpty();
  }

  /** Whether words get a space before them only where one is in the text. */
  boolean wantsSpaces() {
    List<JsonNode> found = new ArrayList<>();
    forEachByteLevel(json, found::add);
    return found.stream().anyMatch(level -> !level.path("add_prefix_space").asBoolean(true));
  }

  private static void forEachByteLevel(JsonNode json, Consumer<ObjectNode> action) {
    JsonNode cuts = json.path("pre_tokenizer");
    for (JsonNode part : cuts.has("pretokenizers") ? cuts.get("pretokenizers") : List.of(cuts)) {
      if (part.path("type").asText().equals(BYTE_LEVEL)) {
        action.accept((ObjectNode) part);
      }
    }
  }

  /** Adds tokens as the library does: one that the vocabulary has keeps its number. */
  private static void add(ObjectNode json, List<AddedToken> tokens) {
    ArrayNode added =
        json.path("added_tokens").isArray()
            ? (ArrayNode) json.get("added_tokens")
            : json.putArray("added_tokens");
    for (AddedToken token : tokens) {
      ObjectNode there = null;
      for (JsonNode one : added) {
        if (one.path("content").asText().equals(token.text())) {
          there = (ObjectNode) one;
        }
      }
      if (there == null) {
        there = added.addObject().put("id", number(json, token.text()));
        there.put("content", token.text());
      } else if (!token.whole()) {
        continue;
      }
      there
          .put("single_word", token.singleWord())
          .put("lstrip", token.stripsLeft())
          .put("rstrip", token.stripsRight())
          .put("normalized", token.normalized())
          .put("special", token.special());
    }
  }

  private static int number(JsonNode json, String text) {
    JsonNode vocabulary = json.path("model").path("vocab");
    if (vocabulary.has(text)) {
      return vocabulary.get(text).asInt();
    }
    int next = vocabulary.size();
    for (JsonNode one : json.path("added_tokens")) {
      next = Math.max(next, one.path("id").asInt(-1) + 1);
    }
    return next;
  }
}
