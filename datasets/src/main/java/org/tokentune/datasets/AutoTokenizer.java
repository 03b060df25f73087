package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.tokentune.BadFileException;
import org.tokentune.Warnings;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.TokenizerConfig;
import org.tokentune.formats.TokenizerConfig.AddedToken;
import org.tokentune.formats.TokenizerSource;
import org.tokentune.formats.Vocabulary;

/**
 * A model's tokenizer, as opened by transformers' {@code AutoTokenizer}: the class that {@code
 * tokenizer_config.json} or the model type names replaces parts of the {@code tokenizer.json}, and
 * adds tokens.
 *
 * <p>Source: transformers 5.24's {@code AutoTokenizer}, {@code TokenizersBackend} and the classes
 * named here. If there is a {@code tokenizer.json}, they ignore the switches for the first and the
 * last token, too.
 *
 * @param json the {@code tokenizer.json} to use
 * @param config settings next to it
 * @param tokenTypes whether texts have token types
 * @param changed how the class changed the tokens of texts
 */
record AutoTokenizer(ObjectNode json, TokenizerConfig config, boolean tokenTypes, boolean changed) {

  private static final String BYTE_LEVEL = "ByteLevel";
  private static final String METASPACE = "Metaspace";
  private static final String SPACE = "\u2581";
  private static final String NORMALIZER = "normalizer";
  private static final String PRE_TOKENIZER = "pre_tokenizer";
  private static final String TEMPLATE = "post_processor";
  private static final String PREFIX_SPACE = "add_prefix_space";
  private static final String IGNORE_MERGES = "ignore_merges";

  /** BERT's class and its equivalents. */
  private static final Set<String> BERTS =
      Set.of(
          "BertTokenizer",
          "ConvBertTokenizer",
          "DistilBertTokenizer",
          "ElectraTokenizer",
          "LayoutLMTokenizer",
          "MobileBertTokenizer",
          "SqueezeBertTokenizer");

  /** Classes that use a {@code tokenizer.json} unchanged; the empty name means no class. */
  private static final Set<String> PLAIN =
      Set.of("", "PreTrainedTokenizer", "PythonBackend", "TokenizersBackend");

  static AutoTokenizer of(ModelFiles files) {
    ObjectNode json = TokenizerJson.tree(files.tokenizer(), files.name());
    TokenizerConfig config = TokenizerConfig.read(files.companions(), files.config());
    String type = files.config().path("model_type").asText("bert");
    String used = className(type, config.className(), json);
    check(files.tokenizer(), config, used);
    renumber(json, files.name());
    add(json, config.added());
    List<String> changed = new ArrayList<>();
    // A file that is made from another vocabulary needs no changes.
    boolean unigram = files.tokenizer() instanceof Vocabulary.Unigram;
    if (files.tokenizer() instanceof TokenizerSource.Json || unigram) {
      switch (used) {
        case "DebertaV2Tokenizer" -> setDebertaV2(json, config, changed);
        case "GPT2Tokenizer" -> setGpt2(json, config, changed);
        case "LlamaTokenizer" -> setMetaspace(json, config);
        case "Qwen2Tokenizer" -> setQwen2(json, config, changed);
        case "RobertaTokenizer" -> setRoberta(json, config, changed);
        case "XLMRobertaTokenizer" -> setXlmRoberta(json, config, changed);
        default -> {
          if (BERTS.contains(used)) {
            setBert(json, config, changed);
          } else if (!PLAIN.contains(used)) {
            Warnings.warn(
                "%s: the tokenizer_class %s is not known; its tokenizer.json is used unchanged.",
                config.origin(), used);
          }
        }
      }
    }
    if (unigram) {
      ArrayNode cuts = (ArrayNode) json.at("/pre_tokenizer/pretokenizers");
      json.set("decoder", cuts.get(cuts.size() - 1)); // the Metaspace
      changed.clear(); // the model file says nothing of what the class does
    }
    warn(config, used, changed);
    boolean typed =
        (BERTS.contains(used) && !used.equals("DistilBertTokenizer"))
            || used.equals("DebertaV2Tokenizer");
    boolean types = config.tokenTypes() == null ? typed : config.tokenTypes();
    return new AutoTokenizer(json, config, types, !changed.isEmpty());
  }

  /** Rejects classes that split texts differently from the file. */
  private static void check(TokenizerSource source, TokenizerConfig config, String className) {
    boolean vocabulary = source instanceof Vocabulary.WordPiece;
    boolean known = BERTS.contains(className) || PLAIN.contains(className);
    if (className.equals("BertJapaneseTokenizer") || (vocabulary && !known)) {
      throw new BadFileException(
          "%s: the tokenizer_class %s is not supported, because it splits texts into words in its own way; use a model with a tokenizer.json or BERT's tokenizer.",
          config.origin(), className);
    }
  }

  /** Whether texts that are too long lose their beginning rather than their end. */
  boolean cutsLeft() {
    return config.cutsLeft() == null
        ? json.at("/truncation/direction").asText().equals("Left")
        : config.cutsLeft();
  }

  /** The class that transformers uses. */
  private static String className(String modelType, String named, JsonNode json) {
    return switch (modelType) {
      case "bert", "distilbert" -> named.isEmpty() ? "BertTokenizer" : named;
      case "deberta-v2" -> named.isEmpty() ? "DebertaV2Tokenizer" : named;
      case "xlm-roberta" -> named.isEmpty() ? "XLMRobertaTokenizer" : named;
      case "roberta" -> named.isEmpty() ? "RobertaTokenizer" : named;
      case "gpt2" -> named.isEmpty() ? "GPT2Tokenizer" : named;
      case "qwen2" -> "Qwen2Tokenizer";
      case "mistral" -> "";
      default -> named.equals("LlamaTokenizer") && isByteLevel(json) ? "" : named;
    };
  }

  private static void setBert(ObjectNode json, TokenizerConfig config, List<String> changed) {
    if (!isModel(json, "WordPiece")) {
      return;
    }
    JsonNode old = json.path(NORMALIZER);
    boolean lowerCase = config.lowerCase() == null || config.lowerCase();
    boolean chinese = config.chineseCharacters() == null || config.chineseCharacters();
    ObjectNode normalizer = TokenizerJson.bertNormalizer(lowerCase, config.stripAccents(), chinese);
    if (!old.path("type").asText().equals(normalizer.path("type").asText())) {
      changed.add(NORMALIZER + " is " + normalizer.path("type").asText());
    }
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
    json.set(NORMALIZER, normalizer);
    ((ObjectNode) json.get("model"))
        .put("unk_token", config.special().getOrDefault("unk_token", "[UNK]"))
        .put("continuing_subword_prefix", "##")
        .put("max_input_chars_per_word", 100);
    setCuts(json, TokenizerJson.typed("BertPreTokenizer"), changed);
    String first = config.special().getOrDefault("cls_token", "[CLS]");
    String last = config.special().getOrDefault("sep_token", "[SEP]");
    ObjectNode template = TokenizerJson.typed("BertProcessing");
    setTemplate(json, template, first, last, changed);
  }

  private static void setRoberta(ObjectNode json, TokenizerConfig config, List<String> changed) {
    if (!isModel(json, "BPE")) {
      return;
    }
    setByteLevel(json, config, changed);
    String first = config.special().getOrDefault("cls_token", "<s>");
    String last = config.special().getOrDefault("sep_token", "</s>");
    ObjectNode template = TokenizerJson.typed("RobertaProcessing");
    template.put("trim_offsets", true).put("add_prefix_space", prefixSpace(config));
    setTemplate(json, template, first, last, changed);
  }

  private static void setGpt2(ObjectNode json, TokenizerConfig config, List<String> changed) {
    if (isModel(json, "BPE")) {
      setByteLevel(json, config, changed);
    }
  }

  private static void setQwen2(ObjectNode json, TokenizerConfig config, List<String> changed) {
    if (!isModel(json, "BPE")) {
      return;
    }
    ObjectNode cuts = TokenizerJson.preTokenizer(Vocabulary.PreTokenizer.QWEN2);
    setPrefixSpace(json, cuts, config, changed);
    setMerging((ObjectNode) json.get("model"), changed);
    setNormalizer(json, TokenizerJson.typed("NFC"), changed);
  }

  /** Splits words by GPT-2's rule, without normalising the text. */
  private static void setByteLevel(ObjectNode json, TokenizerConfig config, List<String> changed) {
    setMerging((ObjectNode) json.get("model"), changed);
    setNormalizer(json, NullNode.getInstance(), changed);
    setPrefixSpace(json, TokenizerJson.byteLevel(true), config, changed);
  }

  private static void setMerging(ObjectNode model, List<String> changed) {
    if (model.path(IGNORE_MERGES).asBoolean()) {
      changed.add(IGNORE_MERGES + " is false");
    }
    model.putNull("dropout").putNull("unk_token");
    model.put("continuing_subword_prefix", "").put("end_of_word_suffix", "");
    model.put("fuse_unk", false).put("byte_fallback", false).put(IGNORE_MERGES, false);
  }

  /** Sets the pre-tokenizer, with the prefix space of the settings. */
  private static void setPrefixSpace(
      ObjectNode json, ObjectNode cuts, TokenizerConfig config, List<String> changed) {
    boolean space = prefixSpace(config);
    List<ObjectNode> old = new ArrayList<>();
    forEachByteLevel(json.path(PRE_TOKENIZER), old::add);
    if (old.stream().anyMatch(level -> level.path(PREFIX_SPACE).asBoolean(true) != space)) {
      changed.add(said(PREFIX_SPACE, config.prefixSpace(), space));
    }
    // The post-processor decides offsets, and the space is compared above.
    old.forEach(level -> level.put(PREFIX_SPACE, space).put("trim_offsets", true));
    old.stream().filter(level -> !level.has("use_regex")).forEach(l -> l.put("use_regex", true));
    forEachByteLevel(cuts, level -> level.put(PREFIX_SPACE, space));
    setCuts(json, cuts, changed);
  }

  private static boolean prefixSpace(TokenizerConfig config) {
    return config.prefixSpace() != null && config.prefixSpace();
  }

  /** SentencePiece's Unigram: words are split at white space, and each has a space before it. */
  private static void setXlmRoberta(ObjectNode json, TokenizerConfig config, List<String> changed) {
    if (!isModel(json, "Unigram")) {
      return;
    }
    JsonNode normalizer = json.path(NORMALIZER);
    for (JsonNode part : normalizer.path("normalizers")) {
      normalizer = part.has("precompiled_charsmap") ? part : normalizer;
    }
    setNormalizer(
        json,
        normalizer.has("precompiled_charsmap") ? normalizer : NullNode.getInstance(),
        changed);
    boolean space = config.prefixSpace() == null || config.prefixSpace();
    ObjectNode metaspace = TokenizerJson.typed(METASPACE).put("replacement", SPACE);
    metaspace.put("prepend_scheme", space ? "always" : "never").put("split", true);
    setCuts(
        json,
        TokenizerJson.sequence("pretokenizers", TokenizerJson.typed("WhitespaceSplit"), metaspace),
        changed);
    String first = config.special().getOrDefault("bos_token", "<s>");
    String last = config.special().getOrDefault("eos_token", "</s>");
    ObjectNode template = TokenizerJson.typed("RobertaProcessing");
    template.put("trim_offsets", false).put(PREFIX_SPACE, space);
    setTemplate(json, template, first, last, changed);
  }

  /** SentencePiece's Unigram: one space before a text, and several count as one. */
  private static void setDebertaV2(ObjectNode json, TokenizerConfig config, List<String> changed) {
    if (!isModel(json, "Unigram")) {
      return;
    }
    List<ObjectNode> steps = new ArrayList<>();
    if (config.lowerCase() != null && config.lowerCase()) {
      steps.add(TokenizerJson.typed("Lowercase"));
    }
    ObjectNode spaces = TokenizerJson.typed("Replace");
    spaces.putObject("pattern").put("Regex", "\\s{2,}|[\\n\\r\\t]");
    steps.add(spaces.put("content", " "));
    steps.add(TokenizerJson.typed("NFC"));
    steps.add(TokenizerJson.typed("Strip").put("strip_left", false).put("strip_right", true));
    setNormalizer(
        json, TokenizerJson.sequence("normalizers", steps.toArray(ObjectNode[]::new)), changed);
    boolean space = config.prefixSpace() == null || config.prefixSpace();
    ObjectNode metaspace = TokenizerJson.typed(METASPACE).put("replacement", SPACE);
    metaspace.put("prepend_scheme", space ? "always" : "first").put("split", true);
    setCuts(json, TokenizerJson.sequence("pretokenizers", metaspace), changed);
    String first = config.special().getOrDefault("cls_token", "[CLS]");
    String last = config.special().getOrDefault("sep_token", "[SEP]");
    setTemplate(json, TokenizerJson.typed("BertProcessing"), first, last, changed);
  }

  private static boolean isModel(JsonNode json, String type) {
    return json.path("model").path("type").asText().equals(type);
  }

  private static void setNormalizer(ObjectNode json, JsonNode normalizer, List<String> changed) {
    if (!json.path(NORMALIZER).equals(normalizer) && !json.path(NORMALIZER).isMissingNode()) {
      changed.add("the normalizer is the class's own");
    }
    json.set(NORMALIZER, normalizer);
  }

  private static void setCuts(ObjectNode json, JsonNode cuts, List<String> changed) {
    if (!json.path(PRE_TOKENIZER).equals(cuts)) {
      changed.add("the pre_tokenizer is the class's own");
    }
    json.set(PRE_TOKENIZER, cuts);
  }

  /** Adds the special tokens of the class at the beginning and the end of a text. */
  private static void setTemplate(
      ObjectNode json, ObjectNode template, String first, String last, List<String> changed) {
    String old = json.path(TEMPLATE).toString();
    if (!old.contains(quoted(first)) || !old.contains(quoted(last))) {
      changed.add("the post_processor puts " + first + " before and " + last + " after a text");
    }
    add(json, Stream.of(last, first).map(AddedToken::specialOf).toList());
    template.putArray("sep").add(last).add(number(json, last));
    template.putArray("cls").add(first).add(number(json, first));
    json.set(TEMPLATE, template);
  }

  private static String quoted(String token) {
    return TextNode.valueOf(token).toString();
  }

  private static String said(String field, Boolean said, boolean value) {
    return field + " is " + value + (said == null ? ", where it is not said" : "");
  }

  private static void warn(TokenizerConfig config, String className, List<String> changed) {
    if (!changed.isEmpty()) {
      Warnings.warn(
          "%s: %s, as in transformers' %s; its tokenizer.json says otherwise.",
          config.origin(), String.join(", ", changed), className);
    }
  }

  /** Writes spaces as SentencePiece does, with one before a text, or before all its pieces. */
  private static void setMetaspace(ObjectNode json, TokenizerConfig config) {
    JsonNode cuts = json.path(PRE_TOKENIZER);
    boolean known =
        json.path("model").path("type").asText().equals("BPE")
            && (cuts.isNull() || cuts.path("type").asText().equals(METASPACE));
    if (!known) {
      return;
    }
    boolean prefix = config.prefixSpace() == null || config.prefixSpace();
    boolean legacy = config.legacy() != null && config.legacy();
    json.putNull(NORMALIZER);
    json.putObject(PRE_TOKENIZER)
        .put("type", METASPACE)
        .put("replacement", SPACE)
        .put("prepend_scheme", prefix ? legacy ? "always" : "first" : "never")
        .put("split", false);
    json.set("decoder", TokenizerJson.spaceDecoder(prefix));
  }

  /** Whether it splits texts into bytes that are written as characters, as GPT-2 does. */
  static boolean isByteLevel(JsonNode json) {
    List<JsonNode> found = new ArrayList<>();
    forEachByteLevel(json.path(PRE_TOKENIZER), found::add);
    return !found.isEmpty();
  }

  /** Whether words have a space before them only if there is one in the text. */
  boolean wantsSpaces() {
    List<JsonNode> found = new ArrayList<>();
    forEachByteLevel(json.path(PRE_TOKENIZER), found::add);
    return found.stream().anyMatch(level -> !level.path(PREFIX_SPACE).asBoolean(true));
  }

  private static void forEachByteLevel(JsonNode cuts, Consumer<ObjectNode> action) {
    for (JsonNode part : cuts.has("pretokenizers") ? cuts.get("pretokenizers") : List.of(cuts)) {
      if (part.path("type").asText().equals(BYTE_LEVEL)) {
        action.accept((ObjectNode) part);
      }
    }
  }

  /**
   * The library numbers added tokens itself: a token in the vocabulary keeps its number, and any
   * other gets the next one, whatever {@code id} the file gives.
   */
  private static void renumber(ObjectNode json, String origin) {
    JsonNode vocabulary = json.path("model").path("vocab");
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; vocabulary.isArray() && id < vocabulary.size(); id++) {
      ids.put(vocabulary.get(id).path(0).asText(), id);
    }
    int next = vocabulary.size();
    for (JsonNode token : json.path("added_tokens")) {
      String text = token.path("content").asText();
      int id = vocabulary.path(text).asInt(ids.getOrDefault(text, next));
      ids.put(text, id);
      next = Math.max(next, id + 1);
      if (token.path("id").isInt() && token.path("id").intValue() != id) {
        Warnings.warn(
            "%s: its tokenizer.json gives the added token '%s' the number %d, but the tokenizers library"
                + " numbers it %d, by their order; check that the model's table has it there.",
            origin, text, token.path("id").intValue(), id);
        ((ObjectNode) token).put("id", id);
      }
    }
  }

  /** Adds tokens as the library does: a token in the vocabulary keeps its number. */
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

  /** The number of a token, or the next one if it has none. */
  private static int number(JsonNode json, String text) {
    int next = 0;
    for (JsonNode one : json.path("added_tokens")) {
      if (one.path("content").asText().equals(text)) {
        return one.path("id").asInt();
      }
      next = Math.max(next, one.path("id").asInt(-1) + 1);
    }
    JsonNode vocabulary = json.path("model").path("vocab");
    for (int id = 0; vocabulary.isArray() && id < vocabulary.size(); id++) {
      if (vocabulary.get(id).path(0).asText().equals(text)) {
        return id;
      }
    }
    return vocabulary.path(text).asInt(Math.max(next, vocabulary.size()));
  }
}
