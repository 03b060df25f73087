package org.tokentune.datasets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.TokenizerSource;
import org.tokentune.formats.Vocabulary;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;

/**
 * Converts a vocabulary to a {@code tokenizer.json} of Hugging Face's tokenizers, as transformers
 * does.
 */
public final class TokenizerJson {

  /**
   * Every token occurs once as a field's name, so a table of names costs more time than it saves.
   */
  private static final ObjectMapper JSON =
      new ObjectMapper(
          JsonFactory.builder()
              .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
              .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
              .build());

  private static final String SPACE = Vocabulary.SentencePiece.SPACE;

  /**
   * The maximal number of characters in a token, because every way of splitting it in two is tried.
   */
  private static final int MOST_CHARACTERS = 1000;

  /**
   * Characters of all merges, for each of all tokens; trained vocabularies have about 2. Tokens
   * that are each a part of the next would have more merges than fit into memory.
   */
  private static final long MOST_MERGED = 50;

  /** Tokens that do not result from merges; they are matched as a whole. */
  private static final Set<TokenType> UNMERGED =
      Set.of(TokenType.UNKNOWN, TokenType.CONTROL, TokenType.BYTE);

  private static final String GPT2_SPLIT =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";

  private static final String LLAMA3_SPLIT = split("\\p{N}{1,3}");
  private static final String QWEN2_SPLIT = split("\\p{N}");

  /**
   * Tokenizer classes to write if there is no configuration: adapters of a decoder have no other
   * file that names one. The classes that transformers 4 uses for Llama and Mistral would put a
   * token before every text, whatever the tokenizer.json says.
   */
  private static final Map<String, String> DECODERS =
      Map.of(
          "gpt2", "GPT2Tokenizer",
          "llama", "PreTrainedTokenizerFast",
          "mistral", "PreTrainedTokenizerFast",
          "qwen2", "Qwen2Tokenizer");

  private TokenizerJson() {}

  /** The regular expression of tiktoken's cl100k_base, with its rule of digits. */
  private static String split(String digits) {
    return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
        + digits
        + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  }

  /**
   * The bytes of the file: the existing ones, or made from the vocabulary.
   *
   * @param origin of the vocabulary, for messages
   * @throws BadInputException if its merges or tokens cannot be used
   */
  public static byte[] of(TokenizerSource source, String origin) {
    return source instanceof TokenizerSource.Json json ? json.bytes() : bytes(tree(source, origin));
  }

  /**
   * The tokenizer that a model's texts are tokenised with: the file, changed as the files next to
   * it say, like transformers' {@code AutoTokenizer}.
   *
   * @throws BadInputException if a file is damaged, or asks for something that is not supported
   */
  public static byte[] of(ModelFiles files) {
    return bytes(AutoTokenizer.of(files).json());
  }

  /**
   * The file that is saved with a model: the original. If the class of a byte-level tokenizer
   * changes it, the changed file, because transformers 4 follows the file and transformers 5 the
   * class. One that was made of a unigram model is the class's as well.
   *
   * @throws BadInputException if a file is damaged, or asks for something that is not supported
   */
  public static byte[] saved(ModelFiles files) {
    AutoTokenizer auto = AutoTokenizer.of(files);
    boolean byClass = auto.changed() && AutoTokenizer.isByteLevel(auto.json());
    return byClass || files.tokenizer() instanceof Vocabulary.Unigram
        ? bytes(auto.json())
        : of(files.tokenizer(), files.name());
  }

  static byte[] bytes(ObjectNode tree) {
    try {
      return JSON.writeValueAsBytes(tree);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e); // a tree in memory can always be written
    }
  }

  /** Parses the file. */
  static ObjectNode tree(TokenizerSource source, String origin) {
    if (source instanceof TokenizerSource.Json json) {
      try {
        if (JSON.readTree(json.bytes()) instanceof ObjectNode tree) {
          return tree;
        }
      } catch (IOException e) {
        throw damaged(e, origin);
      }
      throw damaged(null, origin);
    }
    if (source instanceof Vocabulary.Unigram unigram) {
      return unigram(unigram);
    }
    if (source instanceof Vocabulary.BytePair bytePair) {
      return bytePair(bytePair, origin);
    }
    return source instanceof Vocabulary.WordPiece wordPiece
        ? wordPiece(wordPiece)
        : sentencePiece((Vocabulary.SentencePiece) source, origin);
  }

  /**
   * Lower-cases texts first, unless the tokenizer does so already, as sentence-transformers does.
   */
  static void lowerCase(ObjectNode tree) {
    JsonNode old = tree.path("normalizer");
    ArrayNode parts = JSON.createArrayNode();
    if (old.has("normalizers")) {
      old.get("normalizers").forEach(parts::add);
    } else if (old.isObject()) {
      parts.add(old);
    }
    for (JsonNode part : parts) {
      if (part.path("type").asText().equals("Lowercase")) {
        return;
      }
    }
    parts.insert(0, JSON.createObjectNode().put("type", "Lowercase"));
    tree.putObject("normalizer").put("type", "Sequence").set("normalizers", parts);
  }

  /** Returns a copy that treats special tokens in a text as ordinary text. */
  static ObjectNode withoutSpecial(ObjectNode tree) {
    ObjectNode without = tree.deepCopy();
    for (Iterator<JsonNode> tokens = without.path("added_tokens").iterator(); tokens.hasNext(); ) {
      if (tokens.next().path("special").asBoolean()) {
        tokens.remove();
      }
    }
    return without;
  }

  private static BadInputException damaged(Throwable cause, String origin) {
    return new BadFileException(
        cause,
        "%s: the tokenizer.json is damaged, as it is not a JSON object; download it again.",
        origin);
  }

  /**
   * Writes the other files of a model, and those that its tokenizer needs.
   *
   * @param folder that is being written
   */
  public static void writeCompanions(Path folder, ModelFiles files) throws IOException {
    files.companions().write(folder);
    writeConfig(folder, files);
  }

  /**
   * Writes a model's {@code tokenizer.json}, its settings and chat templates, as transformers saves
   * a tokenizer.
   *
   * @param folder that is being written
   */
  public static void write(Path folder, ModelFiles files) throws IOException {
    Files.write(folder.resolve(ModelFolder.TOKENIZER), saved(files));
    files.companions().writeTokenizer(folder);
    writeConfig(folder, files);
  }

  /**
   * If there was no {@code tokenizer_config.json}, writes one with which transformers 4 and 5
   * produce the same tokens.
   */
  private static void writeConfig(Path folder, ModelFiles files) throws IOException {
    if (files.companions().names().contains(CompanionFiles.TOKENIZER_CONFIG)) {
      return;
    }
    ObjectNode config = JSON.createObjectNode();
    if (files.tokenizer() instanceof Vocabulary.WordPiece wordPiece) {
      config
          .put("tokenizer_class", "BertTokenizerFast")
          .put("do_lower_case", wordPiece.lowerCase())
          .put("strip_accents", wordPiece.stripAccents())
          .put("tokenize_chinese_chars", wordPiece.chineseCharacters());
    } else if (files.tokenizer() instanceof Vocabulary vocabulary
        && !(vocabulary instanceof Vocabulary.Unigram)) {
      config
          .put("tokenizer_class", "PreTrainedTokenizerFast")
          .put("clean_up_tokenization_spaces", false);
      SpecialTokens special = vocabulary.special();
      putToken(config, "bos_token", vocabulary, special.begin());
      putToken(config, "eos_token", vocabulary, special.end());
      putToken(config, "unk_token", vocabulary, special.unknown());
      files.companions().object(CompanionFiles.GENERATION_CONFIG).indices("pad_token_id").stream()
          .filter(id -> id < vocabulary.tokens().size())
          .forEach(id -> putToken(config, "pad_token", vocabulary, id));
    } else {
      String className = DECODERS.get(files.config().path("model_type").asText());
      if (className == null) {
        return; // without one, transformers produces the same tokens as this project
      }
      config.put("tokenizer_class", className);
    }
    JSON.writerWithDefaultPrettyPrinter()
        .writeValue(folder.resolve(CompanionFiles.TOKENIZER_CONFIG).toFile(), config);
  }

  private static void putToken(ObjectNode config, String field, Vocabulary vocabulary, Integer id) {
    if (id != null) {
      config.put(field, vocabulary.tokens().get(id));
    }
  }

  private static ObjectNode bytePair(Vocabulary.BytePair vocabulary, String origin) {
    ObjectNode root = common(vocabulary);
    root.set("pre_tokenizer", preTokenizer(vocabulary.preTokenizer()));
    if (vocabulary.preTokenizer() == Vocabulary.PreTokenizer.QWEN2) {
      root.set("normalizer", typed("NFC"));
    }
    root.set("decoder", byteLevel(true));
    ObjectNode model = (ObjectNode) root.get("model");
    model.put("ignore_merges", vocabulary.preTokenizer() == Vocabulary.PreTokenizer.LLAMA3);
    Set<String> tokens = Set.copyOf(vocabulary.tokens());
    ArrayNode merges = model.putArray("merges");
    for (String merge : vocabulary.merges()) {
      int space = merge.indexOf(' ', 1);
      if (space < 0
          || !tokens.contains(merge.substring(0, space))
          || !tokens.contains(merge.substring(space + 1))
          || !tokens.contains(merge.substring(0, space) + merge.substring(space + 1))) {
        throw new BadFileException(
            "%s merges '%.60s', which does not join two tokens into a third; download it again.",
            origin, merge);
      }
      merges.add(merge);
    }
    return root;
  }

  private static ObjectNode wordPiece(Vocabulary.WordPiece vocabulary) {
    ObjectNode root = common(vocabulary);
    root.set(
        "normalizer",
        bertNormalizer(
            vocabulary.lowerCase(), vocabulary.stripAccents(), vocabulary.chineseCharacters()));
    root.set("pre_tokenizer", typed("BertPreTokenizer"));
    root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
    JsonNode ids = root.get("model").get("vocab");
    root.putObject("model")
        .put("type", "WordPiece")
        .put("unk_token", vocabulary.tokens().get(vocabulary.special().unknown()))
        .put("continuing_subword_prefix", "##")
        .put("max_input_chars_per_word", 100)
        .set("vocab", ids);
    return root;
  }

  /** What the file says; the normalizer and the rest are the tokenizer class's. */
  private static ObjectNode unigram(Vocabulary.Unigram vocabulary) {
    ObjectNode root = common(vocabulary);
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    for (String token : vocabulary.added()) {
      int id = vocabulary.tokens().size() + vocabulary.added().indexOf(token);
      addToken(added, id, token, true);
    }
    if (vocabulary.charactersMap().length > 0) {
      String map = Base64.getEncoder().encodeToString(vocabulary.charactersMap());
      root.set("normalizer", typed("Precompiled").put("precompiled_charsmap", map));
    }
    ObjectNode model = root.putObject("model").put("type", "Unigram");
    model.put("unk_id", vocabulary.special().unknown()).put("byte_fallback", false);
    ArrayNode tokens = model.putArray("vocab");
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      tokens.addArray().add(vocabulary.tokens().get(id)).add(vocabulary.scores().get(id));
    }
    return root;
  }

  /**
   * BERT's.
   *
   * @param stripAccents if null, as {@code lowerCase}
   */
  static ObjectNode bertNormalizer(
      boolean lowerCase, Boolean stripAccents, boolean chineseCharacters) {
    return JSON.createObjectNode()
        .put("type", "BertNormalizer")
        .put("clean_text", true)
        .put("handle_chinese_chars", chineseCharacters)
        .put("strip_accents", stripAccents)
        .put("lowercase", lowerCase);
  }

  static ObjectNode preTokenizer(Vocabulary.PreTokenizer kind) {
    return switch (kind) {
      case GPT2 -> byteLevel(true);
      case SMOLLM ->
          sequence(
              "pretokenizers",
              JSON.createObjectNode().put("type", "Digits").put("individual_digits", true),
              byteLevel(true));
      case LLAMA3, DBRX -> sequence("pretokenizers", splitBy(LLAMA3_SPLIT), byteLevel(false));
      case QWEN2 -> sequence("pretokenizers", splitBy(QWEN2_SPLIT), byteLevel(false));
      case DEFAULT ->
          sequence(
              "pretokenizers",
              splitBy("[\\p{P}\\$\\+<=>\\^~\\|]+"),
              splitBy(GPT2_SPLIT),
              splitBy("\\p{N}+"),
              splitBy("[0-9][0-9][0-9]"),
              byteLevel(false));
    };
  }

  /** A component without settings. */
  static ObjectNode typed(String type) {
    return JSON.createObjectNode().put("type", type);
  }

  private static ObjectNode splitBy(String regex) {
    ObjectNode split = JSON.createObjectNode().put("type", "Split");
    split.putObject("pattern").put("Regex", regex);
    return split.put("behavior", "Isolated").put("invert", false);
  }

  /** Bytes as characters; with {@code cut}, split by GPT-2's regular expression first. */
  static ObjectNode byteLevel(boolean cut) {
    return JSON.createObjectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", cut);
  }

  private static ObjectNode sentencePiece(Vocabulary.SentencePiece vocabulary, String origin) {
    ObjectNode root = common(vocabulary);
    ObjectNode spaces = replace(" ", SPACE);
    ObjectNode prefix = JSON.createObjectNode().put("type", "Prepend").put("prepend", SPACE);
    root.set(
        "normalizer", vocabulary.spacePrefix() ? sequence("normalizers", prefix, spaces) : spaces);
    root.set("decoder", spaceDecoder(vocabulary.spacePrefix()));
    ObjectNode model = (ObjectNode) root.get("model");
    model.put("fuse_unk", true).put("byte_fallback", true);
    Integer unknown = vocabulary.special().unknown();
    if (unknown != null) {
      model.put("unk_token", vocabulary.tokens().get(unknown));
    }
    ArrayNode merges = model.putArray("merges");
    merges(vocabulary, origin).forEach(merges::add);
    return root;
  }

  /**
   * Turns SentencePiece tokens into text.
   *
   * @param prefix whether a space was put before the text
   */
  static ObjectNode spaceDecoder(boolean prefix) {
    ObjectNode bytes = JSON.createObjectNode().put("type", "ByteFallback");
    ObjectNode fuse = JSON.createObjectNode().put("type", "Fuse");
    ObjectNode strip =
        JSON.createObjectNode()
            .put("type", "Strip")
            .put("content", " ")
            .put("start", 1)
            .put("stop", 0);
    return prefix
        ? sequence("decoders", replace(SPACE, " "), bytes, fuse, strip)
        : sequence("decoders", replace(SPACE, " "), bytes, fuse);
  }

  private static ObjectNode replace(String from, String to) {
    ObjectNode replace = JSON.createObjectNode().put("type", "Replace");
    replace.putObject("pattern").put("String", from);
    return replace.put("content", to);
  }

  static ObjectNode sequence(String field, ObjectNode... parts) {
    ObjectNode sequence = JSON.createObjectNode().put("type", "Sequence");
    sequence.putArray(field).addAll(List.of(parts));
    return sequence;
  }

  /** Two tokens that form a third, {@code id}. */
  private record Merge(int id, int left, int right) {}

  /** All pairs of tokens that form a token, highest score first, as transformers derives them. */
  private static List<String> merges(Vocabulary.SentencePiece vocabulary, String origin) {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      if (!UNMERGED.contains(vocabulary.types().get(id))) {
        ids.put(vocabulary.tokens().get(id), id);
      }
    }
    List<Merge> merges = new ArrayList<>();
    long most = MOST_MERGED * ids.keySet().stream().mapToLong(String::length).sum();
    long characters = 0;
    for (Map.Entry<String, Integer> entry : ids.entrySet()) {
      String token = entry.getKey();
      if (token.length() > MOST_CHARACTERS) {
        throw new BadFileException(
            "%s has a token of %d characters, more than the %d supported.",
            origin, token.length(), MOST_CHARACTERS);
      }
      for (int cut = 1; cut < token.length(); cut++) {
        Integer left = ids.get(token.substring(0, cut));
        Integer right = ids.get(token.substring(cut));
        if (left != null && right != null && token.indexOf(' ') < 0) {
          merges.add(new Merge(entry.getValue(), left, right));
          characters += token.length();
        }
      }
      if (characters > most) {
        throw new BadFileException(
            "%s: too many pairs of tokens form other tokens, which no trained vocabulary has; download it again.",
            origin);
      }
    }
    merges.sort(
        Comparator.comparingDouble((Merge merge) -> -vocabulary.scores().get(merge.id()))
            .thenComparingInt(Merge::id)
            .thenComparingInt(Merge::left)
            .thenComparingInt(Merge::right));
    List<String> tokens = vocabulary.tokens();
    return merges.stream()
        .map(merge -> tokens.get(merge.left()) + " " + tokens.get(merge.right()))
        .toList();
  }

  /** The parts that all kinds have in common: their tokens, and the tokens added to every text. */
  private static ObjectNode common(Vocabulary vocabulary) {
    ObjectNode root = JSON.createObjectNode().put("version", "1.0");
    root.putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      TokenType type = vocabulary.types().get(id);
      boolean special = type == TokenType.CONTROL || type == TokenType.UNKNOWN;
      if (special || type == TokenType.USER_DEFINED) {
        addToken(added, id, vocabulary.tokens().get(id), special);
      }
    }
    root.putNull("normalizer").putNull("pre_tokenizer");
    root.set("post_processor", template(vocabulary));
    ObjectNode model = root.putNull("decoder").putObject("model").put("type", "BPE");
    model.putNull("dropout").putNull("unk_token");
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", false);
    ObjectNode ids = model.putObject("vocab");
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      ids.put(vocabulary.tokens().get(id), id);
    }
    return root;
  }

  private static void addToken(ArrayNode added, int id, String text, boolean special) {
    added
        .addObject()
        .put("id", id)
        .put("content", text)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", special);
  }

  private static ObjectNode template(Vocabulary vocabulary) {
    ObjectNode template = JSON.createObjectNode().put("type", "TemplateProcessing");
    SpecialTokens special = vocabulary.special();
    Integer begin = special.addBegin() ? special.begin() : null;
    Integer end = special.addEnd() ? special.end() : null;
    ObjectNode known = JsonNodeFactory.instance.objectNode();
    ArrayNode single = template.putArray("single");
    ArrayNode pair = template.putArray("pair");
    part(single, known, vocabulary, begin, "A", 0, end);
    part(pair, known, vocabulary, begin, "A", 0, end);
    // BERT's pairs begin once.
    Integer again = vocabulary instanceof Vocabulary.WordPiece ? null : begin;
    part(pair, known, vocabulary, again, "B", 1, end);
    template.set("special_tokens", known);
    return template;
  }

  private static void part(
      ArrayNode parts,
      ObjectNode known,
      Vocabulary vocabulary,
      Integer begin,
      String text,
      int type,
      Integer end) {
    special(parts, known, vocabulary, begin, type);
    parts.addObject().putObject("Sequence").put("id", text).put("type_id", type);
    special(parts, known, vocabulary, end, type);
  }

  private static void special(
      ArrayNode parts, ObjectNode known, Vocabulary vocabulary, Integer id, int type) {
    if (id != null) {
      String token = vocabulary.tokens().get(id);
      parts.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
      ObjectNode entry = known.putObject(token).put("id", token);
      entry.putArray("ids").add(id);
      entry.putArray("tokens").add(token);
    }
  }
}
