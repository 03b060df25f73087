package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.TokenizerSource;
import org.tokentune.checkpoint.Vocabulary;
import org.tokentune.checkpoint.Vocabulary.SpecialTokens;
import org.tokentune.checkpoint.Vocabulary.TokenType;

/**
 * A vocabulary as a {@code tokenizer.json} of Hugging Face's tokenizers, as transformers would have
 * it.
 */
public final class TokenizerJson {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SPACE = Vocabulary.SentencePiece.SPACE;

  /** Longer tokens would take long to cut in two everywhere. */
  private static final int MOST_CHARACTERS = 1000;

  /** Tokens that no merge makes: they are whole in a text, or in none. */
  private static final Set<TokenType> UNMERGED =
      Set.of(TokenType.UNKNOWN, TokenType.CONTROL, TokenType.BYTE);

  private static final String LLAMA3_SPLIT = split("\\p{N}{1,3}");
  private static final String QWEN2_SPLIT = split("\\p{N}");

  private TokenizerJson() {}

  /** The regular expression of tiktoken's cl100k_base, with its rule of digits. */
  private static String split(String digits) {
    return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
        + digits
        + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  }

  /**
   * The file's bytes: those that there are, or made of the vocabulary.
   *
   * @param origin of the vocabulary, for messages
   * @throws BadInputException if its merges or tokens cannot be used
   */
  public static byte[] of(TokenizerSource source, String origin) {
    if (source instanceof TokenizerSource.Json json) {
      return json.bytes();
    }
    ObjectNode root;
    if (source instanceof Vocabulary.BytePair bytePair) {
      root = bytePair(bytePair, origin);
    } else if (source instanceof Vocabulary.WordPiece wordPiece) {
      root = wordPiece(wordPiece);
    } else {
      root = sentencePiece((Vocabulary.SentencePiece) source, origin);
    }
    return root.toString().getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Writes what transformers needs beside a {@code tokenizer.json} that was made of a vocabulary;
   * nothing for one that there was.
   */
  public static void writeConfig(Path folder, TokenizerSource source) throws IOException {
    if (source instanceof Vocabulary.WordPiece wordPiece) {
      ObjectNode config = JSON.createObjectNode().put("tokenizer_class", "BertTokenizerFast");
      write(folder, config.put("do_lower_case", wordPiece.lowerCase()));
    } else if (source instanceof Vocabulary vocabulary) {
      ObjectNode config =
          JSON.createObjectNode()
              .put("tokenizer_class", "PreTrainedTokenizerFast")
              .put("clean_up_tokenization_spaces", false);
      SpecialTokens special = vocabulary.special();
      putToken(config, "bos_token", vocabulary, special.begin());
      putToken(config, "eos_token", vocabulary, special.end());
      putToken(config, "unk_token", vocabulary, special.unknown());
      write(folder, config);
    }
  }

  private static void write(Path folder, ObjectNode config) throws IOException {
    JSON.writerWithDefaultPrettyPrinter()
        .writeValue(folder.resolve("tokenizer_config.json").toFile(), config);
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
      root.putObject("normalizer").put("type", "NFC");
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
        throw new BadInputException(
            "%s merges '%.60s', which are no two tokens that make a third; get it again.",
            origin, merge);
      }
      merges.add(merge);
    }
    return root;
  }

  private static ObjectNode wordPiece(Vocabulary.WordPiece vocabulary) {
    ObjectNode root = common(vocabulary);
    root.putObject("normalizer")
        .put("type", "BertNormalizer")
        .put("clean_text", true)
        .put("handle_chinese_chars", true)
        .put("lowercase", vocabulary.lowerCase())
        .putNull("strip_accents"); // as lowercase
    root.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
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

  private static ObjectNode preTokenizer(Vocabulary.PreTokenizer kind) {
    return switch (kind) {
      case GPT2 -> byteLevel(true);
      case SMOLLM ->
          sequence(
              "pretokenizers",
              JSON.createObjectNode().put("type", "Digits").put("individual_digits", true),
              byteLevel(true));
      case LLAMA3 -> sequence("pretokenizers", splitBy(LLAMA3_SPLIT), byteLevel(false));
      case QWEN2 -> sequence("pretokenizers", splitBy(QWEN2_SPLIT), byteLevel(false));
    };
  }

  private static ObjectNode splitBy(String regex) {
    ObjectNode split = JSON.createObjectNode().put("type", "Split");
    split.putObject("pattern").put("Regex", regex);
    return split.put("behavior", "Isolated").put("invert", false);
  }

  /** Bytes as characters; {@code cut} cuts by GPT-2's regular expression first. */
  private static ObjectNode byteLevel(boolean cut) {
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
    ObjectNode bytes = JSON.createObjectNode().put("type", "ByteFallback");
    ObjectNode fuse = JSON.createObjectNode().put("type", "Fuse");
    ObjectNode strip =
        JSON.createObjectNode()
            .put("type", "Strip")
            .put("content", " ")
            .put("start", 1)
            .put("stop", 0);
    if (vocabulary.spacePrefix()) {
      root.set("normalizer", sequence("normalizers", prefix, spaces));
      root.set("decoder", sequence("decoders", replace(SPACE, " "), bytes, fuse, strip));
    } else {
      root.set("normalizer", spaces);
      root.set("decoder", sequence("decoders", replace(SPACE, " "), bytes, fuse));
    }
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

  private static ObjectNode replace(String from, String to) {
    ObjectNode replace = JSON.createObjectNode().put("type", "Replace");
    replace.putObject("pattern").put("String", from);
    return replace.put("content", to);
  }

  private static ObjectNode sequence(String field, ObjectNode... parts) {
    ObjectNode sequence = JSON.createObjectNode().put("type", "Sequence");
    sequence.putArray(field).addAll(List.of(parts));
    return sequence;
  }

  /** Two tokens that make a third, {@code id}. */
  private record Merge(String pair, int id, int left, int right) {}

  /**
   * All pairs of tokens that make a token, those of the highest score first; as transformers
   * derives them, too.
   */
  private static List<String> merges(Vocabulary.SentencePiece vocabulary, String origin) {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      if (!UNMERGED.contains(vocabulary.types().get(id))) {
        ids.put(vocabulary.tokens().get(id), id);
      }
    }
    List<Merge> merges = new ArrayList<>();
    ids.forEach(
        (token, id) -> {
          if (token.length() > MOST_CHARACTERS) {
            throw new BadInputException(
                "%s has a token of %d characters, more than the %d supported.",
                origin, token.length(), MOST_CHARACTERS);
          }
          for (int cut = 1; cut < token.length(); cut++) {
            Integer left = ids.get(token.substring(0, cut));
            Integer right = ids.get(token.substring(cut));
            if (left != null && right != null && token.indexOf(' ') < 0) {
              String pair = token.substring(0, cut) + " " + token.substring(cut);
              merges.add(new Merge(pair, id, left, right));
            }
          }
        });
    merges.sort(
        Comparator.comparingDouble((Merge merge) -> -vocabulary.scores().get(merge.id()))
            .thenComparingInt(Merge::id)
            .thenComparingInt(Merge::left)
            .thenComparingInt(Merge::right));
    return merges.stream().map(Merge::pair).toList();
  }

  /** What all kinds have alike: their tokens, and what is added to every text. */
  private static ObjectNode common(Vocabulary vocabulary) {
    ObjectNode root = JSON.createObjectNode().put("version", "1.0");
    root.putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      TokenType type = vocabulary.types().get(id);
      boolean special = type == TokenType.CONTROL || type == TokenType.UNKNOWN;
      if (special || type == TokenType.USER_DEFINED) {
        added
            .addObject()
            .put("id", id)
            .put("content", vocabulary.tokens().get(id))
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", special);
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
