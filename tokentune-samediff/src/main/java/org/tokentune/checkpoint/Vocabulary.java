package org.tokentune.checkpoint;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tokentune.BadInputException;

/** The tokens of a model that came without a {@code tokenizer.json}, and how texts are cut. */
public sealed interface Vocabulary extends TokenizerSource {

  /** Texts of the tokens, by id; no two are equal. */
  List<String> tokens();

  /** What each token is. */
  List<TokenType> types();

  SpecialTokens special();

  /** What a token is, as GGUF and SentencePiece tell them apart. */
  enum TokenType {
    NORMAL,
    /** Stands for what has no token. */
    UNKNOWN,
    /** Never part of a text: it begins or ends one, say. */
    CONTROL,
    /** Always one token, whatever stands around it. */
    USER_DEFINED,
    UNUSED,
    /** A byte of a character that has no token, written {@code <0x0A>}. */
    BYTE
  }

  /**
   * Tokens with a meaning, by id; null where there is none.
   *
   * @param begin of a text
   * @param end of a text
   * @param addBegin whether every text gets it
   * @param addEnd whether every text gets it
   */
  record SpecialTokens(
      Integer begin, Integer end, Integer unknown, boolean addBegin, boolean addEnd) {}

  /** How a text is cut before pairs are merged, by the model whose rule it is. */
  enum PreTokenizer {
    GPT2,
    /** As GPT2, after every digit was cut off. */
    SMOLLM,
    LLAMA3,
    /** As LLAMA3, but a word that is a token is merged all the same. */
    DBRX,
    QWEN2,
    /** llama.cpp's, where a file names none. */
    DEFAULT
  }

  /**
   * Byte-level byte-pair encoding, as GPT-2's: the tokens' characters stand for bytes.
   *
   * @param merges pairs of tokens with a space between them, in the order of merging
   */
  record BytePair(
      List<String> tokens,
      List<TokenType> types,
      SpecialTokens special,
      List<String> merges,
      PreTokenizer preTokenizer)
      implements Vocabulary {}

  /**
   * SentencePiece's: of all neighbours that make a token, those of the highest score are merged
   * first. Spaces are written as {@link #SPACE}, what has no token as bytes.
   *
   * @param spacePrefix whether a space is put before a text
   */
  record SentencePiece(
      List<String> tokens,
      List<TokenType> types,
      SpecialTokens special,
      List<Double> scores,
      boolean spacePrefix)
      implements Vocabulary {

    /** U+2581. */
    public static final String SPACE = "\u2581";
  }

  /**
   * BERT's: of a word's beginnings the longest that is a token, then the same of the rest, whose
   * tokens are written with {@code ##} before them.
   *
   * @param lowerCase whether texts are lower-cased first
   * @param stripAccents whether letters lose their accents first; null: as {@code lowerCase}
   * @param chineseCharacters whether each of these is a word
   */
  record WordPiece(
      List<String> tokens,
      List<TokenType> types,
      SpecialTokens special,
      boolean lowerCase,
      Boolean stripAccents,
      boolean chineseCharacters)
      implements Vocabulary {}

  /**
   * Checks what all kinds have in common.
   *
   * @param words of the model
   * @param origin the file, for messages
   * @throws BadInputException for tokens that are equal, more than the model's words, or special
   *     ids beyond them
   */
  static <T extends Vocabulary> T checked(T vocabulary, int words, String origin) {
    List<String> tokens = vocabulary.tokens();
    if (tokens.isEmpty() || tokens.size() > words) {
      throw new BadInputException(
          "%s has %d tokens, but the model has %d words; get both again.",
          origin, tokens.size(), words);
    }
    Set<String> seen = new HashSet<>();
    for (String token : tokens) {
      if (!seen.add(token)) {
        throw new BadInputException("%s has the token '%.60s' twice; get it again.", origin, token);
      }
    }
    SpecialTokens special = vocabulary.special();
    for (Integer id : new Integer[] {special.begin(), special.end(), special.unknown()}) {
      if (id != null && (id < 0 || id >= tokens.size())) {
        throw new BadInputException(
            "%s has the special token %d of %d; get it again.", origin, id, tokens.size());
      }
    }
    return vocabulary;
  }
}
