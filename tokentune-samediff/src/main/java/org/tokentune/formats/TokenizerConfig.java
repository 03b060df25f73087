package org.tokentune.formats;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * The tokenizer settings in a model's {@code tokenizer_config.json}, combined with the files that
 * older versions of transformers wrote: {@code special_tokens_map.json} and {@code
 * added_tokens.json}. Null means that no file says anything.
 *
 * @param origin the file, for messages
 * @param className transformers' class without the suffix {@code Fast}; also from {@code
 *     tokenizer_class} in {@code config.json}
 * @param lowerCase {@code do_lower_case}
 * @param stripAccents {@code strip_accents}
 * @param chineseCharacters {@code tokenize_chinese_chars}
 * @param prefixSpace {@code add_prefix_space}
 * @param legacy for a Llama: whether text after special tokens also gets a space in front
 * @param addBegin {@code add_bos_token}
 * @param addEnd {@code add_eos_token}
 * @param tokenTypes whether {@code model_input_names} has {@code token_type_ids}
 * @param maxLength {@code model_max_length}; null also if it means no limit
 * @param cutsLeft whether texts that are too long are truncated at the beginning
 * @param splitsSpecial whether a special token within a text is split like ordinary text
 * @param special special tokens' texts by name, such as {@code eos_token}
 * @param added tokens beyond the tokenizer's own, in the order in which they are added
 */
public record TokenizerConfig(
    String origin,
    String className,
    Boolean lowerCase,
    Boolean stripAccents,
    Boolean chineseCharacters,
    Boolean prefixSpace,
    Boolean legacy,
    Boolean addBegin,
    Boolean addEnd,
    Boolean tokenTypes,
    Integer maxLength,
    Boolean cutsLeft,
    boolean splitsSpecial,
    Map<String, String> special,
    List<AddedToken> added) {

  private static final String ADDED_TOKENS = "added_tokens.json";
  private static final String DECODER = "added_tokens_decoder";

  /** Special tokens in transformers' order, in which it adds those that are not pieces. */
  static final List<String> SPECIAL =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  /**
   * Fields that change no token here. Source: transformers' tokenizers, versions 4.36 and 5.24, for
   * the models that this project supports, and files on the hub.
   */
  private static final KnownFields KNOWN =
      KnownFields.NONE
          // Padding is done by this project; truncation and its length are set by the caller.
          .harmless("max_length", "pad_to_multiple_of", "pad_token_type_id", "padding")
          .harmless("padding_side", "stride", "truncation", "truncation_strategy")
          // For decoding, for chats, and for slow tokenizers only.
          .harmless("chat_template", "clean_up_tokenization_spaces", "do_basic_tokenize", "errors")
          .harmless("clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output")
          .harmless("never_split", "response_schema", "response_template", "sp_model_kwargs")
          .harmless("spaces_between_special_tokens", "trim_offsets", "use_default_system_prompt")
          // Where the files came from, and how a program loads them.
          .harmless("backend", "device_map", "files_loaded", "from_slow", "full_tokenizer_file")
          .harmless("init_inputs", "is_local", "local_files_only", "max_len_sentences_pair")
          .harmless("max_len_single_sentence", "merges_file", "model_type", "name_or_path")
          .harmless(
              "processor_class", "special_tokens_map_file", "tokenizer_file", "trust_remote_code")
          .harmless("tokenizer_type", "use_fast", "verbose", "vocab_file", "vocab_size")
          .mustBe("fast_tokenizer_files", List.of("tokenizer.json"))
          .mustBe("split_by_punct", false) // of DeBERTa
          .harmless("unk_id");

  /**
   * A token added to a tokenizer's own.
   *
   * @param whole whether all properties are given, not only the text: then it replaces the
   *     tokenizer's own entry for this text
   */
  public record AddedToken(
      String text,
      boolean singleWord,
      boolean stripsLeft,
      boolean stripsRight,
      boolean normalized,
      boolean special,
      boolean whole) {

    /** A special token for which only the text is known. */
    public static AddedToken specialOf(String text) {
      return new AddedToken(text, false, false, false, false, true, false);
    }

    private AddedToken named() {
      return new AddedToken(text, singleWord, stripsLeft, stripsRight, normalized, true, false);
    }
  }

  /**
   * Reads the settings.
   *
   * @param config the model's {@code config.json}
   * @throws BadInputException if a field has the wrong type or is not supported
   */
  public static TokenizerConfig read(CompanionFiles files, JsonNode config) {
    ConfigReader fields = files.object(CompanionFiles.TOKENIZER_CONFIG);
    String className = fields.text("tokenizer_class", config.path("tokenizer_class").asText(""));
    List<String> inputs = fields.texts("model_input_names");
    String side = fields.text("truncation_side", null);
    if (side != null && !side.equals("right") && !side.equals("left")) {
      throw fields.bad("truncation_side", "right or left");
    }
    Map<String, AddedToken> special = new LinkedHashMap<>();
    List<AddedToken> added = added(files, fields, special);
    Map<String, String> texts = new LinkedHashMap<>();
    special.forEach((name, token) -> texts.put(name, token.text()));
    TokenizerConfig read =
        new TokenizerConfig(
            fields.origin(),
            className.replaceFirst("Fast$", ""),
            flag(fields, "do_lower_case"),
            flag(fields, "strip_accents"),
            flag(fields, "tokenize_chinese_chars"),
            flag(fields, "add_prefix_space"),
            flag(fields, "legacy"),
            flag(fields, "add_bos_token"),
            flag(fields, "add_eos_token"),
            inputs.isEmpty() ? null : inputs.contains("token_type_ids"),
            maxLength(fields),
            side == null ? null : side.equals("left"),
            fields.flag("split_special_tokens", false),
            texts,
            added);
    fields.finish(KNOWN);
    return read;
  }

  private static Boolean flag(ConfigReader fields, String name) {
    return fields.has(name) ? fields.flag(name, false) : null;
  }

  /** The limit, or null: transformers writes 10^30 for no limit. */
  private static Integer maxLength(ConfigReader fields) {
    String field = fields.either("model_max_length", "max_len");
    if (!fields.has(field)) {
      return null;
    }
    JsonNode value = fields.value(field);
    if (!value.isNumber() || value.doubleValue() < 1) {
      throw fields.bad(field, "a number from 1");
    }
    return value.doubleValue() < Integer.MAX_VALUE ? value.intValue() : null;
  }

  /**
   * The tokens to add, determined as in transformers.
   *
   * @param special receives the special tokens by name
   */
  private static List<AddedToken> added(
      CompanionFiles files, ConfigReader fields, Map<String, AddedToken> special) {
    Map<Integer, AddedToken> decoder = new TreeMap<>();
    ConfigReader listed = fields.object(DECODER);
    for (String id : listed.names()) {
      if (!id.matches("[0-9]{1,9}")) {
        throw new BadFileException(
            "%s: %s has the id '%.60s', which is not a whole number; correct it.",
            fields.origin(), DECODER, id);
      }
      decoder.put(Integer.valueOf(id), token(listed, id, false));
    }
    List<AddedToken> extra = special(fields, special);
    if (!fields.has(DECODER)) {
      List<AddedToken> more = special(files.object(CompanionFiles.SPECIAL_TOKENS), special);
      extra.addAll(extra.isEmpty() ? more : List.of());
      ConfigReader numbers = files.object(ADDED_TOKENS);
      for (String text : numbers.names()) {
        boolean isSpecial =
            Stream.concat(special.values().stream(), extra.stream())
                .anyMatch(token -> token.text().equals(text));
        decoder.put(
            numbers.index(text, 0),
            new AddedToken(text, false, false, false, !isSpecial, isSpecial, false));
      }
    }
    List<AddedToken> added = new ArrayList<>(decoder.values());
    Set<String> names = new LinkedHashSet<>(SPECIAL);
    names.addAll(special.keySet());
    names.stream()
        .filter(special::containsKey)
        .forEach(name -> added.add(special.get(name).named()));
    added.addAll(extra);
    return added;
  }

  /**
   * Puts named special tokens into a map: the standard ones, and model-specific ones such as {@code
   * image_token}.
   *
   * @return the unnamed ones
   */
  private static List<AddedToken> special(ConfigReader fields, Map<String, AddedToken> special) {
    for (String name : fields.names()) {
      if (name.endsWith("_token") && !name.startsWith("add_") && fields.has(name)) {
        special.put(name, token(fields, name, true));
      }
    }
    ConfigReader named = fields.object("model_specific_special_tokens");
    named.names().forEach(name -> special.put(name, token(named, name, true)));
    return extra(fields, special);
  }

  /** Additional special tokens; named ones are added to the map. */
  private static List<AddedToken> extra(ConfigReader fields, Map<String, AddedToken> special) {
    String field =
        fields.has("extra_special_tokens") ? "extra_special_tokens" : "additional_special_tokens";
    fields.value("additional_special_tokens"); // marked as read, whichever is used
    List<AddedToken> extra = new ArrayList<>();
    JsonNode value = fields.value(field);
    if (value.isObject()) {
      ConfigReader named = fields.object(field);
      named.names().forEach(name -> special.put(name, token(named, name, true)));
    } else if (value.isArray()) {
      value.forEach(token -> extra.add(token(token, fields, field, true)));
    } else if (fields.has(field)) {
      throw fields.bad(field, "a list of tokens");
    }
    return extra;
  }

  private static AddedToken token(ConfigReader fields, String name, boolean special) {
    return token(fields.value(name), fields, name, special);
  }

  /** A token from its text, or from an object with all its properties. */
  private static AddedToken token(
      JsonNode value, ConfigReader fields, String name, boolean special) {
    if (value.isTextual()) {
      return AddedToken.specialOf(value.textValue());
    }
    if (!value.path("content").isTextual()) {
      throw fields.bad(name, "a token");
    }
    ConfigReader token = ConfigReader.of(value, fields.origin());
    boolean isSpecial = token.flag("special", special);
    return new AddedToken(
        token.text("content", ""),
        token.flag("single_word", false),
        token.flag("lstrip", false),
        token.flag("rstrip", false),
        token.flag("normalized", !isSpecial),
        isSpecial,
        !special);
  }

  public TokenizerConfig {
    special = Map.copyOf(special);
    added = List.copyOf(added);
  }
}
