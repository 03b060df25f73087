package org.tokentune.formats;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nd4j.shade.protobuf.CodedInputStream;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;

/**
 * A SentencePiece model of type unigram, as the tokenizer classes of XLM-RoBERTa and DeBERTa read
 * it where a folder has no {@code tokenizer.json}.
 *
 * <p>Source: {@code sentencepiece_model.proto} of sentencepiece 0.2 (the numbers of fields);
 * transformers 5.24's {@code XLMRobertaTokenizer} and {@code DebertaV2Tokenizer}.
 */
final class SentencePieceModel {

  /** The file that a tokenizer class reads. */
  private static final Map<String, String> FILES =
      Map.of("XLMRobertaTokenizer", "sentencepiece.bpe.model", "DebertaV2Tokenizer", "spm.model");

  /** All names of SentencePiece models. */
  private static final List<String> NAMES =
      List.of("sentencepiece.bpe.model", "spm.model", "spiece.model", "tokenizer.model");

  private static final int UNIGRAM = 1;

  /** XLM-RoBERTa's tokens before the pieces, of which it leaves out {@code <unk>, <s>, </s>}. */
  private static final List<String> BEFORE =
      List.of("bos_token", "pad_token", "eos_token", "unk_token");

  private static final int LEFT_OUT = 3;

  private static final String REMEDY =
      "AutoTokenizer.from_pretrained(folder).save_pretrained(folder) in transformers writes a"
          + " tokenizer.json";

  private static final Map<String, String> XLM_ROBERTA =
      Map.of(
          "bos_token", "<s>",
          "eos_token", "</s>",
          "unk_token", "<unk>",
          "sep_token", "</s>",
          "pad_token", "<pad>",
          "cls_token", "<s>",
          "mask_token", "<mask>");

  private static final Map<String, String> DEBERTA =
      Map.of(
          "bos_token", "[CLS]",
          "eos_token", "[SEP]",
          "unk_token", "[UNK]",
          "sep_token", "[SEP]",
          "pad_token", "[PAD]",
          "cls_token", "[CLS]",
          "mask_token", "[MASK]");

  /** Tags of the sections: their numbers, and 2 for bytes. */
  private static final int PIECES = 1 << 3 | 2;

  private static final int TRAINER = 2 << 3 | 2;
  private static final int NORMALIZER = 3 << 3 | 2;

  private record Piece(String text, double score, int type) {}

  private final Path file;
  private final List<Piece> pieces = new ArrayList<>();
  private final List<String> ignored = new ArrayList<>();
  private byte[] charactersMap = {};
  private int modelType = UNIGRAM;
  private int unknown;

  private SentencePieceModel(Path file) {
    this.file = file;
  }

  /**
   * Reads the model file of a folder that has no {@code tokenizer.json}; empty if it has none.
   *
   * @param modelType in its {@code config.json}
   * @param words the model's vocabulary size
   * @throws BadInputException if the file is damaged, or not of a supported kind
   */
  static Optional<Vocabulary> in(Path folder, String modelType, int words, TokenizerConfig config) {
    String name = config.className();
    if (name.isEmpty()) {
      name =
          switch (modelType) {
            case "xlm-roberta" -> "XLMRobertaTokenizer";
            case "deberta-v2" -> "DebertaV2Tokenizer";
            default -> "";
          };
    }
    Path file = folder.resolve(FILES.getOrDefault(name, ""));
    if (!Files.isRegularFile(file)) {
      Optional<String> other =
          NAMES.stream().filter(one -> Files.exists(folder.resolve(one))).findFirst();
      if (other.isPresent()) {
        throw new BadFileException(
            "%s has its tokenizer in %s, which is read only as sentencepiece.bpe.model of an"
                + " XLMRobertaTokenizer and spm.model of a DebertaV2Tokenizer; %s.",
            folder, other.get(), REMEDY);
      }
      return Optional.empty();
    }
    SentencePieceModel model = new SentencePieceModel(file);
    model.read();
    return Optional.of(model.vocabulary(name, words, config));
  }

  private interface Field {
    /** Returns whether it has read the field. */
    boolean read(CodedInputStream in, int number) throws IOException;
  }

  private void read() {
    try {
      WeightFile.checkFetched(file);
      if (Files.size(file) > Limits.VOCABULARY_BYTES) {
        throw bad("has " + Files.size(file) + " bytes");
      }
      fields(CodedInputStream.newInstance(Files.readAllBytes(file)), this::section);
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s is damaged or not a SentencePiece model; download it again.", file);
    }
    if (modelType != UNIGRAM) {
      throw new BadFileException(
          "%s is of model_type %d, and only unigram (1) is read; %s.", file, modelType, REMEDY);
    }
    if (!ignored.isEmpty()) {
      Warnings.warn(
          "%s has %s, which is ignored, as in transformers' tokenizer classes; sentencepiece itself"
              + " gives other tokens.",
          file, String.join(", ", ignored));
    }
  }

  private static void fields(CodedInputStream in, Field reader) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (!reader.read(in, tag)) {
        in.skipField(tag);
      }
    }
  }

  private static void message(CodedInputStream in, Field reader) throws IOException {
    int limit = in.pushLimit(in.readRawVarint32());
    fields(in, reader);
    in.popLimit(limit);
  }

  /** The tag of a field: its number, and 0 for a number, 2 for bytes and 5 for a float. */
  private static int tag(int number, int kind) {
    return number << 3 | kind;
  }

  private boolean section(CodedInputStream in, int tag) throws IOException {
    switch (tag) {
      case PIECES -> piece(in);
      case TRAINER -> message(in, this::trainer);
      case NORMALIZER -> message(in, this::normalizer);
      default -> {
        return false;
      }
    }
    return true;
  }

  private void piece(CodedInputStream in) throws IOException {
    String[] text = {""};
    double[] score = {0};
    int[] type = {1};
    message(
        in,
        (piece, tag) -> {
          if (tag == tag(1, 2)) {
            text[0] = piece.readStringRequireUtf8();
          } else if (tag == tag(2, 5)) {
            score[0] = piece.readFloat();
          } else if (tag == tag(3, 0)) {
            type[0] = piece.readEnum();
          } else {
            return false;
          }
          return true;
        });
    if (text[0].isEmpty() || type[0] < 1 || type[0] > 6 || !Double.isFinite(score[0])) {
      throw bad("has no text, type or finite score for piece " + pieces.size());
    }
    pieces.add(new Piece(text[0], score[0], type[0]));
  }

  private boolean trainer(CodedInputStream in, int tag) throws IOException {
    if (tag == tag(3, 0)) {
      modelType = in.readEnum();
    } else if (tag == tag(40, 0)) {
      unknown = in.readInt32();
    } else if (tag == tag(24, 0)) {
      ignore(in, "treat_whitespace_as_suffix", true);
    } else if (tag == tag(35, 0)) {
      ignore(in, "byte_fallback", true);
    } else {
      return false;
    }
    return true;
  }

  private boolean normalizer(CodedInputStream in, int tag) throws IOException {
    if (tag == tag(2, 2)) {
      charactersMap = in.readByteArray();
    } else if (tag == tag(3, 0)) {
      ignore(in, "add_dummy_prefix", false);
    } else if (tag == tag(4, 0)) {
      ignore(in, "remove_extra_whitespaces", false);
    } else if (tag == tag(5, 0)) {
      ignore(in, "escape_whitespaces", false);
    } else {
      return false;
    }
    return true;
  }

  private void ignore(CodedInputStream in, String name, boolean unusual) throws IOException {
    if (in.readBool() == unusual) {
      ignored.add(name + " " + unusual);
    }
  }

  private Vocabulary.Unigram vocabulary(String className, int words, TokenizerConfig config) {
    boolean offset = className.equals("XLMRobertaTokenizer");
    Map<String, String> special = new HashMap<>(offset ? XLM_ROBERTA : DEBERTA);
    config.special().forEach(special::replace);
    List<Piece> all = new ArrayList<>();
    if (offset) {
      if (pieces.size() < LEFT_OUT) {
        throw bad("has " + pieces.size() + " pieces");
      }
      BEFORE.forEach(name -> all.add(new Piece(special.get(name), 0, 1)));
      all.addAll(pieces.subList(LEFT_OUT, pieces.size()));
      all.add(new Piece(special.get("mask_token"), 0, 1));
    } else {
      all.addAll(pieces);
    }
    int unknownId = offset ? BEFORE.indexOf("unk_token") : unknown(special.get("unk_token"));
    Set<String> named = new HashSet<>(special.values());
    List<String> tokens = all.stream().map(Piece::text).toList();
    List<TokenType> types = all.stream().map(piece -> type(piece, named)).toList();
    String begin = special.get(offset ? "bos_token" : "cls_token");
    String end = special.get(offset ? "eos_token" : "sep_token");
    for (String needed : List.of(begin, end)) {
      if (!tokens.contains(needed)) {
        throw bad("has no piece " + needed);
      }
    }
    List<String> added =
        TokenizerConfig.SPECIAL.stream()
            .map(special::get)
            .distinct()
            .filter(token -> !tokens.contains(token))
            .toList();
    return Vocabulary.checked(
        new Vocabulary.Unigram(
            tokens,
            types,
            new SpecialTokens(tokens.indexOf(begin), tokens.indexOf(end), unknownId, true, true),
            all.stream().map(Piece::score).toList(),
            charactersMap,
            added),
        words - added.size(),
        file.toString());
  }

  /** The class's unknown token if it is a piece of score 0, like all that are not trained. */
  private int unknown(String text) {
    for (int id = 0; id < pieces.size(); id++) {
      if (pieces.get(id).text().equals(text) && pieces.get(id).score() == 0) {
        return id;
      }
    }
    return unknown;
  }

  private static TokenType type(Piece piece, Set<String> named) {
    if (named.contains(piece.text())) {
      return TokenType.CONTROL;
    }
    return switch (piece.type()) {
      case 3 -> TokenType.CONTROL;
      case 4 -> TokenType.USER_DEFINED;
      default -> TokenType.NORMAL; // transformers treats all others alike
    };
  }

  private BadInputException bad(String what) {
    return new BadFileException(
        "%s %s: it is damaged or not a SentencePiece model; download it again.", file, what);
  }
}
