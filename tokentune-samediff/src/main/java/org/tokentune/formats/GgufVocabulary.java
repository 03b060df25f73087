package org.tokentune.formats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.tokentune.BadFileException;
import org.tokentune.Warnings;
import org.tokentune.formats.Vocabulary.PreTokenizer;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;

/** The vocabulary in a GGUF file's metadata. */
record GgufVocabulary(GgufMetadata metadata) {

  static final String KEYS = "tokenizer.ggml.";
  static final String CHAT_TEMPLATE = "tokenizer.chat_template";

  /** The types in the order of their numbers in files, from 1. */
  private static final List<TokenType> TYPES =
      List.of(
          TokenType.NORMAL,
          TokenType.UNKNOWN,
          TokenType.CONTROL,
          TokenType.USER_DEFINED,
          TokenType.UNUSED,
          TokenType.BYTE);

  /** Keys, without the prefix, that change no token of the supported kinds. */
  private static final Set<String> HARMLESS =
      Set.of(
          "chat_template",
          "chat_templates",
          "ggml.add_sep_token",
          "ggml.cls_token_id",
          "ggml.eom_token_id",
          "ggml.eot_token_id",
          "ggml.fim_mid_token_id",
          "ggml.fim_pad_token_id",
          "ggml.fim_pre_token_id",
          "ggml.fim_rep_token_id",
          "ggml.fim_sep_token_id",
          "ggml.fim_suf_token_id",
          "ggml.mask_token_id",
          "ggml.middle_token_id",
          "ggml.padding_token_id",
          "ggml.pre",
          "ggml.precompiled_charsmap",
          "ggml.prefix_token_id",
          "ggml.remove_extra_whitespaces",
          "ggml.scores",
          "ggml.seperator_token_id",
          "ggml.suffix_token_id",
          "ggml.token_type_count",
          "huggingface.json");

  /**
   * llama.cpp's names of each rule, the one to write first; those whose regular expressions and
   * defaults are the same there stand together.
   */
  private static final Map<PreTokenizer, List<String>> RULES =
      Map.ofEntries(
          Map.entry(
              PreTokenizer.GPT2,
              List.of(
                  "gpt-2",
                  "a.x-4.0",
                  "exaone4",
                  "gigachat",
                  "granite-docling",
                  "jais",
                  "mellum",
                  "mpt",
                  "olmo",
                  "phi-2",
                  "trillion")),
          Map.entry(
              PreTokenizer.SMOLLM,
              List.of(
                  "smollm",
                  "codeshell",
                  "command-r",
                  "exaone",
                  "mellum2",
                  "minerva-7b",
                  "refact",
                  "starcoder")),
          Map.entry(
              PreTokenizer.LLAMA3,
              List.of(
                  "llama-bpe",
                  "falcon-h1",
                  "falcon3",
                  "lfm2",
                  "llama-v3",
                  "llama3",
                  "midm-2.0",
                  "pixtral")),
          Map.entry(PreTokenizer.DBRX, List.of("dbrx", "smaug-bpe")),
          Map.entry(
              PreTokenizer.QWEN2,
              List.of(
                  "qwen2",
                  "deepseek-r1-qwen",
                  "f2llmv2",
                  "grok-2",
                  "hunyuan",
                  "kormo",
                  "megrez",
                  "solar-open",
                  "stablelm2")),
          Map.entry(PreTokenizer.DEFAULT, List.of("default")));

  Vocabulary read() {
    Vocabulary vocabulary = vocabulary();
    Set<String> harmless = new HashSet<>(HARMLESS);
    for (String key : metadata.keys()) {
      if (key.startsWith(CHAT_TEMPLATE + ".")) {
        harmless.add(key.substring("tokenizer.".length()));
      }
    }
    metadata.finish("tokenizer.", harmless, Map.of());
    return vocabulary;
  }

  private Vocabulary vocabulary() {
    String kind = metadata.text(KEYS + "model");
    List<String> tokens = metadata.list(KEYS + "tokens", String.class);
    List<TokenType> types = types(tokens.size());
    return switch (kind) {
      case "gpt2" -> {
        PreTokenizer pre = preTokenizer();
        yield new Vocabulary.BytePair(
            tokens,
            types,
            new SpecialTokens(
                id("bos"),
                id("eos"),
                id("unknown"),
                flag("add_bos_token", pre == PreTokenizer.LLAMA3),
                flag("add_eos_token", false)),
            metadata.list(KEYS + "merges", String.class),
            pre);
      }
      case "llama" ->
          new Vocabulary.SentencePiece(
              tokens,
              types,
              new SpecialTokens(
                  id("bos", types, 1, TokenType.CONTROL),
                  id("eos", types, 2, TokenType.CONTROL),
                  id("unknown", types, 0, TokenType.UNKNOWN),
                  flag("add_bos_token", true),
                  flag("add_eos_token", false)),
              sized(metadata.list(KEYS + "scores", Double.class), tokens.size(), "scores"),
              flag("add_space_prefix", true));
      default ->
          throw new BadFileException(
              "%s has a tokenizer of type %.60s, which is not supported; gpt2 and llama are.",
              metadata.file(), kind);
    };
  }

  /**
   * Metadata that Hugging Face keeps in separate files: chat templates, and the tokens that end a
   * text.
   */
  CompanionFiles companions(JsonNode config) {
    Map<String, byte[]> files = new TreeMap<>();
    for (String key : metadata.keys()) {
      if (key.equals(CHAT_TEMPLATE)) {
        files.put(CompanionFiles.CHAT_TEMPLATE, utf8(metadata.text(key)));
      } else if (key.matches("tokenizer\\.chat_template\\.[A-Za-z0-9_-]+")) {
        String name = key.substring(CHAT_TEMPLATE.length() + 1);
        files.put(CompanionFiles.chatTemplate(name), utf8(metadata.text(key)));
      }
    }
    ObjectNode generation = JsonNodeFactory.instance.objectNode();
    for (String name : List.of("bos_token_id", "eos_token_id")) {
      if (config.has(name)) {
        generation.set(name, config.get(name));
      }
    }
    String padding = KEYS + "padding_token_id";
    if (metadata.has(padding)) {
      generation.put("pad_token_id", metadata.count(padding));
    }
    files.put(CompanionFiles.GENERATION_CONFIG, utf8(generation.toPrettyString()));
    return CompanionFiles.ofBytes(metadata.file().toString(), files);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private List<TokenType> types(int tokens) {
    String key = KEYS + "token_type";
    if (!metadata.has(key)) {
      return Collections.nCopies(tokens, TokenType.NORMAL);
    }
    List<TokenType> types = new ArrayList<>();
    for (long type : sized(metadata.list(key, Long.class), tokens, "types")) {
      boolean known = type >= 1 && type <= TYPES.size();
      types.add(known ? TYPES.get((int) type - 1) : TokenType.NORMAL);
    }
    return types;
  }

  /** The number of a type in files. */
  static int number(TokenType type) {
    return TYPES.indexOf(type) + 1;
  }

  private <T> List<T> sized(List<T> list, int tokens, String what) {
    if (list.size() != tokens) {
      throw new BadFileException(
          "%s has %d tokens but %d token %s; download it again.",
          metadata.file(), tokens, list.size(), what);
    }
    return list;
  }

  private boolean flag(String name, boolean defaultValue) {
    return metadata.flag(KEYS + name, defaultValue);
  }

  private Integer id(String name) {
    String key = KEYS + name + "_token_id";
    return metadata.has(key) ? metadata.count(key) : null;
  }

  /** Falls back to llama.cpp's id, if the token there has the right type. */
  private Integer id(String name, List<TokenType> types, int defaultValue, TokenType type) {
    Integer said = id(name);
    boolean fits = defaultValue < types.size() && types.get(defaultValue) == type;
    return said == null && fits ? Integer.valueOf(defaultValue) : said;
  }

  private PreTokenizer preTokenizer() {
    String key = KEYS + "pre";
    if (!metadata.has(key)) {
      Warnings.warn(
          "%s has no %s, which says how text is split before merging: llama.cpp's default rules"
              + " are used, which may not be the model's, so tokens may differ and answers get"
              + " worse; convert the model again.",
          metadata.file(), key);
      return PreTokenizer.DEFAULT;
    }
    return preTokenizer(metadata.text(key));
  }

  private PreTokenizer preTokenizer(String name) {
    return RULES.entrySet().stream()
        .filter(rule -> rule.getValue().contains(name))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow(
            () ->
                new BadFileException(
                    "%s splits text by the rule %.60s, which is not supported; gpt-2, smollm,"
                        + " llama-bpe and qwen2 are.",
                    metadata.file(), name));
  }

  /** llama.cpp's name of a rule. */
  static String name(PreTokenizer rule) {
    return RULES.get(rule).get(0);
  }
}
