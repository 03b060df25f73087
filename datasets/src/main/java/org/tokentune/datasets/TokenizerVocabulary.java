package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.TokenizerConfig;
import org.tokentune.formats.Vocabulary;
import org.tokentune.formats.Vocabulary.PreTokenizer;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;

/**
 * The vocabulary of a model's tokenizer, as llama.cpp knows vocabularies: the inverse of {@link
 * TokenizerJson}.
 */
public final class TokenizerVocabulary {

  private static final String PREFIX_SPACE = "add_prefix_space";

  private final String origin;
  private final ObjectNode json;
  private final JsonNode model;
  private final TokenizerConfig settings;
  private final ConfigReader config;
  private final Map<Integer, String> texts = new TreeMap<>();
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<Integer, TokenType> added = new HashMap<>();

  private TokenizerVocabulary(ModelFiles files) {
    origin = files.name();
    json = AutoTokenizer.of(files).json();
    model = json.path("model");
    settings = TokenizerConfig.read(files.companions(), files.config());
    config = ConfigReader.of(files.config(), origin);
    model
        .path("vocab")
        .fields()
        .forEachRemaining(entry -> put(entry.getValue().intValue(), entry.getKey()));
    Set<String> stripping = new HashSet<>();
    for (JsonNode token : json.path("added_tokens")) {
      put(token.path("id").intValue(), token.path("content").textValue());
      boolean special = token.path("special").asBoolean();
      added.put(token.path("id").intValue(), special ? TokenType.CONTROL : TokenType.USER_DEFINED);
      if (token.path("lstrip").asBoolean()
          || token.path("rstrip").asBoolean()
          || token.path("single_word").asBoolean()) {
        stripping.add(token.path("content").textValue());
      }
    }
    if (!stripping.isEmpty()) {
      Warnings.warn(
          "%s: the spaces beside %s belong to it (lstrip, rstrip), or it is only a token between"
              + " words (single_word); llama.cpp takes it anywhere, and leaves the spaces.",
          origin, String.join(", ", stripping.stream().sorted().limit(5).toList()));
    }
  }

  private void put(int id, String text) {
    texts.put(id, text);
    ids.put(text, id);
  }

  /**
   * Reads the vocabulary of a decoder: byte-level, or with scores for merging.
   *
   * @throws BadInputException if it is of another kind, or splits texts by a rule that llama.cpp
   *     has no name for
   */
  public static Vocabulary of(ModelFiles files) {
    required(files, "files");

    if (files.tokenizer() instanceof Vocabulary.BytePair
        || files.tokenizer() instanceof Vocabulary.SentencePiece) {
      return (Vocabulary) files.tokenizer();
    }
    TokenizerVocabulary reading = new TokenizerVocabulary(files);
    if (!reading.model.path("type").asText().equals("BPE")) {
      throw reading.bad("is of type " + reading.model.path("type").asText("?") + ", not BPE");
    }
    for (String field : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!reading.model.path(field).asText("").isEmpty() && !reading.model.path(field).isNull()) {
        throw reading.bad("has a " + field);
      }
    }
    return AutoTokenizer.isByteLevel(reading.json) ? reading.bytePair() : reading.sentencePiece();
  }

  /**
   * Reads the vocabulary of an encoder like BERT.
   *
   * @throws BadInputException if it is of another kind, or does not treat texts as llama.cpp does:
   *     lower-cased and without accents
   */
  public static Vocabulary.WordPiece wordPiece(ModelFiles files) {
    required(files, "files");

    TokenizerVocabulary reading = new TokenizerVocabulary(files);
    JsonNode normalizer = reading.json.path("normalizer");
    JsonNode model = reading.model;
    if (!model.path("type").asText().equals("WordPiece")
        || !model.path("continuing_subword_prefix").asText("##").equals("##")) {
      throw reading.bad("is of type " + model.path("type").asText("?") + ", not BERT's WordPiece");
    }
    if (!normalizer.path("type").asText().equals("BertNormalizer")
        || !normalizer.path("lowercase").asBoolean()
        || !normalizer.path("strip_accents").asBoolean(true)
        || !normalizer.path("handle_chinese_chars").asBoolean()
        || !reading.json.at("/pre_tokenizer/type").asText().equals("BertPreTokenizer")) {
      throw reading.bad("keeps upper case or accents, or splits words otherwise than BERT's");
    }
    SpecialTokens special = reading.special();
    if (!special.addBegin() || !special.addEnd()) {
      throw reading.bad("puts no tokens before and after a text");
    }
    return new Vocabulary.WordPiece(
        reading.tokens(), reading.types(null), special, true, null, true);
  }

  private Vocabulary.BytePair bytePair() {
    JsonNode normalizer = json.path("normalizer");
    if (normalizer.isObject() && !normalizer.path("type").asText().equals("NFC")) {
      throw bad("normalises texts by " + normalizer.path("type").asText());
    }
    List<String> steps = steps(json.path("pre_tokenizer"));
    boolean ignoring = model.path("ignore_merges").asBoolean();
    PreTokenizer rule =
        Arrays.stream(PreTokenizer.values())
            .filter(one -> ignoring == (one == PreTokenizer.LLAMA3))
            .filter(one -> steps(TokenizerJson.preTokenizer(one)).equals(steps))
            .findFirst()
            .orElseThrow(
                () ->
                    bad(
                        "splits texts by rules that are none of "
                            + Arrays.toString(PreTokenizer.values())));
    return new Vocabulary.BytePair(tokens(), types(null), special(), merges(), rule);
  }

  /** What a pre-tokenizer does, whichever way it is written. */
  private List<String> steps(JsonNode cuts) {
    List<String> steps = new ArrayList<>();
    for (JsonNode part : cuts.has("pretokenizers") ? cuts.get("pretokenizers") : List.of(cuts)) {
      String type = part.path("type").asText();
      switch (type) {
        case "ByteLevel" -> {
          if (part.path(PREFIX_SPACE).asBoolean(true)) {
            throw bad("puts a space before a text (" + PREFIX_SPACE + ")");
          }
          steps.add(type + part.path("use_regex").asBoolean(true));
        }
        case "Digits" -> steps.add(type + part.path("individual_digits").asBoolean());
        case "Split" -> {
          boolean found = part.path("invert").asBoolean();
          String behavior = part.path("behavior").asText();
          // a rule that covers every text: it is all the same whether what it finds is cut out
          steps.add(
              part.path("pattern").toString()
                  + (found && behavior.equals("Removed") ? "Isolated" : behavior));
        }
        default -> steps.add(part.toString());
      }
    }
    return steps;
  }

  private List<String> merges() {
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : model.path("merges")) {
      merges.add(
          merge.isArray() ? merge.path(0).asText() + " " + merge.path(1).asText() : merge.asText());
    }
    return merges;
  }

  private Vocabulary.SentencePiece sentencePiece() {
    if (!model.path("byte_fallback").asBoolean()) {
      throw bad("writes neither bytes as characters nor unknown characters as bytes");
    }
    List<String> merges = merges();
    Map<String, Double> scores = new LinkedHashMap<>();
    boolean grouped = true;
    String last = null;
    for (String merge : merges) {
      String joined = merge.replaceFirst("(?<=.) ", "");
      grouped &= !scores.containsKey(joined) || joined.equals(last);
      scores.putIfAbsent(joined, (double) -scores.size());
      last = joined;
    }
    List<String> tokens = tokens();
    List<Double> all = new ArrayList<>();
    for (String token : tokens) {
      all.add(scores.getOrDefault(token, (double) -scores.size() - all.size()));
    }
    String unknown = model.path("unk_token").asText(null);
    Vocabulary.SentencePiece vocabulary =
        new Vocabulary.SentencePiece(tokens, types(unknown), special(), all, hasSpacePrefix());
    Set<String> derived = new HashSet<>();
    TokenizerJson.tree(vocabulary, origin)
        .at("/model/merges")
        .forEach(merge -> derived.add(merge.asText()));
    if (!grouped || !derived.equals(new HashSet<>(merges))) {
      Warnings.warn(
          "%s: llama.cpp merges what gives the token of the highest score, and the %d merges of this"
              + " tokenizer do not all follow from scores; it may split some texts otherwise.",
          origin, merges.size());
    }
    return vocabulary;
  }

  /** Spaces are written as U+2581, by a normalizer or by a pre-tokenizer. */
  private boolean hasSpacePrefix() {
    JsonNode normalizer = json.path("normalizer");
    JsonNode cuts = json.path("pre_tokenizer");
    if (cuts.path("type").asText().equals("Metaspace") && !normalizer.isObject()) {
      String scheme = cuts.path("prepend_scheme").asText("always");
      if (cuts.path("split").asBoolean(true)) {
        throw bad("splits texts at spaces (split of Metaspace)");
      }
      if (scheme.equals("first")) {
        Warnings.warn(
            "%s: llama.cpp puts a space before a text, as this tokenizer does, and also after every"
                + " special token, which this tokenizer does not (prepend_scheme first).",
            origin);
      }
      return !scheme.equals("never");
    }
    List<JsonNode> parts = new ArrayList<>();
    if (normalizer.has("normalizers")) {
      normalizer.get("normalizers").forEach(parts::add);
    } else {
      parts.add(normalizer);
    }
    boolean prefix = parts.get(0).path("type").asText().equals("Prepend");
    JsonNode replace = parts.get(parts.size() - 1);
    if (cuts.isObject()
        && !(cuts.path("type").asText().equals("Split")
            && cuts.at("/pattern/String").asText().equals(" "))) {
      throw bad("splits texts before merging");
    }
    if (parts.size() != (prefix ? 2 : 1)
        || !replace.path("content").asText().equals(Vocabulary.SentencePiece.SPACE)
        || !replace.at("/pattern/String").asText().equals(" ")) {
      throw bad("normalises texts otherwise than by writing spaces as U+2581");
    }
    return prefix;
  }

  /** Texts by id; ids that have none get one that no text has. */
  private List<String> tokens() {
    List<String> tokens = new ArrayList<>();
    for (Map.Entry<Integer, String> entry : texts.entrySet()) {
      while (tokens.size() < entry.getKey()) {
        tokens.add("[UNUSED" + tokens.size() + "]");
      }
      tokens.add(entry.getValue());
    }
    return tokens;
  }

  private List<TokenType> types(String unknown) {
    boolean bytes = model.path("byte_fallback").asBoolean();
    List<String> tokens = tokens();
    List<TokenType> types = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      String text = tokens.get(id);
      if (!texts.containsKey(id)) {
        types.add(TokenType.UNUSED);
      } else if (text.equals(unknown)) {
        types.add(TokenType.UNKNOWN);
      } else if (added.containsKey(id)) {
        types.add(added.get(id));
      } else {
        types.add(bytes && text.matches("<0x[0-9A-F]{2}>") ? TokenType.BYTE : TokenType.NORMAL);
      }
    }
    return types;
  }

  private SpecialTokens special() {
    Integer[] around = around();
    Integer begin = around[0] == null ? named("bos_token") : around[0];
    Integer end = around[1] == null ? named("eos_token") : around[1];
    String unknown = model.path("unk_token").asText(settings.special().get("unk_token"));
    return new SpecialTokens(begin, end, ids.get(unknown), around[0] != null, around[1] != null);
  }

  /** The id of a special token: of that name, or in the model's configuration. */
  private Integer named(String name) {
    Integer id = ids.get(settings.special().get(name));
    return id != null
        ? id
        : config.indices(name + "_id").stream().filter(texts::containsKey).findFirst().orElse(null);
  }

  /** The tokens before and after every text; null for none. */
  private Integer[] around() {
    JsonNode processor = json.path("post_processor");
    Integer[] around = new Integer[2];
    for (JsonNode part :
        processor.has("processors") ? processor.get("processors") : List.of(processor)) {
      if (part.path("type").asText().equals("TemplateProcessing")) {
        JsonNode single = part.path("single");
        int text = single.size() > 0 && single.path(0).has("SpecialToken") ? 1 : 0;
        if (!single.path(text).has("Sequence") || single.size() > text + 2) {
          throw bad("puts more than one token before or after a text");
        }
        around[0] = text == 1 ? id(part, single.path(0)) : null;
        around[1] = single.size() == text + 2 ? id(part, single.path(text + 1)) : null;
      } else if (part.has("cls") && part.has("sep")) {
        around[0] = part.path("cls").path(1).intValue();
        around[1] = part.path("sep").path(1).intValue();
      }
    }
    return around;
  }

  private Integer id(JsonNode template, JsonNode part) {
    String name = part.path("SpecialToken").path("id").asText();
    JsonNode numbers = template.path("special_tokens").path(name).path("ids");
    if (numbers.size() != 1) {
      throw bad("puts several tokens for " + name);
    }
    return numbers.path(0).intValue();
  }

  private BadInputException bad(String what) {
    return new BadFileException(
        "%s: its tokenizer %s, which llama.cpp does not do; a GGUF file cannot hold it.",
        origin, what);
  }
}
