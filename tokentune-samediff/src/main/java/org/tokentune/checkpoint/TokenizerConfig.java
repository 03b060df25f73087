package org.tokentune.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.tokentune.BadInputException;

/**
 * What a model's {@code tokenizer_config.json} says of its tokenizer, with the files beside it that
 * older versions of transformers wrote: {@code special_tokens_map.json} and {@code
 * added_tokens.json}. Null stands for what nothing is said of.
 *
 * @param origin the file, for messages
 * @param className transformers' class without its ending {@code Fast}; also {@code
 *     tokenizer_class} of {@code config.json}
 * @param lowerCase {@code do_lower_case}
 * @param stripAccents {@code strip_accents}
 * @param chineseCharacters {@code tokenize_chinese_chars}
 * @param prefixSpace {@code add_prefix_space}
 * @param legacy of a Llama: whether a space is put before text after special tokens, too
 * @param addBegin {@code add_bos_token}
 * @param addEnd {@code add_eos_token}
 * @param tokenTypes whether {@code model_input_names} has {@code token_type_ids}
 * @param maxLength {@code model_max_length}; null also where it is no limit
 * @param cutsLeft whether texts that are too long lose their beginning
 * @param splitsSpecial whether a special token that stands in a text is cut as other text is
 * @param special texts of special tokens by name, such as {@code eos_token}
 * @param added tokens that the tokenizer has besides its own, in the order in which they are added
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
    boolean cutsLeft,
    boolean splitsSpecial,
    Map<String, String> special,
    List<AddedToken> added) {

  private static final String ADDED_TOKENS = "added_tokens.json";
  private static final String DECODER = "added_tokens_decoder";

  /** In transformers' order. */
  private static final List<String> SPECIAL =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  /**
   * Fields that change no token here. Source: transformers' tokenizers, versions 4.36 and 5.24, of
   * the models that this project knows, and files on the hub.
   */
  private static final KnownFields KNOWN =
      KnownFields.NONE
          // Padding is this project's own; how texts are cut, and to what length, is said per use.
          .harmless("max_length", "pad_to_multiple_of", "pad_token_type_id", "padding")
          .harmless("padding_side", "stride", "truncation", "truncation_strategy")
          // Of decoding, of chats, and of slow tokenizers alone.
          .harmless("chat_template", "clean_up_tokenization_spaces", "do_basic_tokenize", "errors")
          .harmless("clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output")
          .harmless("never_split", "response_schema", "response_template", "sp_model_kwargs")
          .harmless("spaces_between_special_tokens", "trim_offsets", "use_default_system_prompt")
          // Of where the files came from, and how a program loads them.
          .harmless("backend", "device_map", "files_loaded", "from_slow", "full_tokenizer_file")
          .harmless("init_inputs", "is_local", "local_files_only", "max_len_sentences_pair")
          .harmless("max_len_single_sentence", "merges_file", "model_type", "name_or_path")
          .harmless(
              "processor_class", "special_tokens_map_file", "tokenizer_file", "trust_remote_code")
          .harmless("tokenizer_type", "use_fast", "verbose", "vocab_file", "vocab_size")
          .only("fast_tokenizer_files", List.of("tokenizer.json"));

  /**
   * A token beside a tokenizer's own.
   *
   * @param whole whether all of it is said, and not its text alone: then it replaces what the
   *     tokenizer says of a token with this text
   */
  public record AddedToken(
      String text,
      boolean singleWord,
      boolean stripsLeft,
      boolean stripsRight,
      boolean normalized,
      boolean special,
      boolean whole) {

    /** A special token of which only the text is known. */
    static AddedToken specialOf(String text) {
      return new AddedToken(text, false, false, false, false, true, false);
    }

    private AddedToken named() {
      return new AddedToken(text, singleWord, stripsLeft, stripsRight, normalized, true, false);
    }
  }

  /**
   * Reads it.
   *
   * @param config the model's {@code config.json}
   * @throws BadInputException if a field is of another kind, or is not supported
   */
  public static TokenizerConfig read(CompanionFiles files, JsonNode config) {
    ConfigReader fields = files.object(CompanionFiles.TOKENIZER_CONFIG);
    String className = fields.text("tokenizer_class", config.path("tokenizer_class").asText(""));
    List<String> inputs = fields.texts("model_input_names");
    String side = fields.text("truncation_side", "right");
    if (!side.equals("right") && !side.equals("left")) {
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
            side.equals("left"),
            fields.flag("split_special_tokens", false),
            texts,
            added);
    fields.finish(KNOWN);
    return read;
  }

  private static Boolean flag(ConfigReader fields, String name) {
    return fields.has(name) ? fields.flag(name, false) : null;
  }

  /** Transformers writes 10^30 for no limit. */
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
   * Tokens to add, as transformers finds them.
   *
   * @param special gets the special ones by name
   */
  private static List<AddedToken> added(
      CompanionFiles files, ConfigReader fields, Map<String, AddedToken> special) {
    Map<Integer, AddedToken> decoder = new TreeMap<>();
    ConfigReader listed = fields.object(DECODER);
    for (String id : listed.names()) {
      if (!id.matches("[0-9]{1,9}")) {
        throw new BadInputException(
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
   * Puts special tokens that have names into a map: transformers' own, and others' such as {@code
   * image_token}.
   *
   * @return those without a name
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

  /** Further special tokens, of which those that have names are put beside the others. */
  private static List<AddedToken> extra(ConfigReader fields, Map<String, AddedToken> special) {
    String field =
        fields.has("extra_special_tokens") ? "extra_special_tokens" : "additional_special_tokens";
    fields.value("additional_special_tokens"); // asked for, whichever counts
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

  /** Of its text, or of an object that says all of it. */
  private static AddedToken token(
      JsonNode value, ConfigReader fields, String name, boolean special) {
    if (value.isTextual()) {
      return AddedToken.specialOf(value.textValue());
    }
    if (!value.path("content").isTextual()) {
      throw fields.bad(name, "a token");
    }
    boolean isSpecial = value.path("special").asBoolean(special);
    return new AddedToken(
        value.path("content").textValue(),
        value.path("single_word").asBoolean(false),
        value.path("lstrip").asBoolean(false),
        value.path("rstrip").asBoolean(false),
        value.path("normalized").asBoolean(!isSpecial),
        isSpecial,
        !special);
  }

  public TokenizerConfig {
    special = Map.copyOf(special);
    added = List.copyOf(added);
  }
}
