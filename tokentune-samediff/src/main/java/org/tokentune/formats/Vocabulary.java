package org.tokentune.formats;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/** The tokens of a model that has no {@code tokenizer.json}, and how text is split into them. */
public sealed interface Vocabulary extends TokenizerSource {

  /** The tokens' texts by id; no two are equal. */
  List<String> tokens();

  /** The type of each token. */
  List<TokenType> types();

  SpecialTokens special();

  /** Token types, as in GGUF and SentencePiece. */
  enum TokenType {
    NORMAL,
    /** Replaces text that has no token. */
    UNKNOWN,
    /** Never part of a text; it marks its beginning or end, for example. */
    CONTROL,
    /** Always a single token, regardless of context. */
    USER_DEFINED,
    UNUSED,
    /** A byte of a character that has no token, written {@code <0x0A>}. */
    BYTE
  }

  /**
   * Ids of the tokens with a special meaning; null if there is none.
   *
   * @param begin starts a text
   * @param end ends a text
   * @param addBegin whether every text gets a begin token
   * @param addEnd whether every text gets an end token
   */
  record SpecialTokens(
      Integer begin, Integer end, Integer unknown, boolean addBegin, boolean addEnd) {}

  /** How text is split before pairs are merged, named after the model that uses the rule. */
  enum PreTokenizer {
    GPT2,
    /** As GPT2, after splitting off every digit. */
    SMOLLM,
    LLAMA3,
    /** As LLAMA3, but words that are tokens still go through merging. */
    DBRX,
    QWEN2,
    /** llama.cpp's rule when a file names none. */
    DEFAULT
  }

  /**
   * Byte-level byte-pair encoding, as in GPT-2: the tokens' characters represent bytes.
   *
   * @param merges pairs of tokens separated by a space, in merge order
   */
  record BytePair(
      List<String> tokens,
      List<TokenType> types,
      SpecialTokens special,
      List<String> merges,
      PreTokenizer preTokenizer)
      implements Vocabulary {}

  /**
   * SentencePiece: of all neighbouring pairs that form a token, the one with the highest score is
   * merged first. Spaces are written as {@link #SPACE}; text without a token is written as bytes.
   *
   * @param spacePrefix whether a text is prefixed with a space
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
   * BERT's WordPiece: the longest prefix of a word that is a token, then the same for the rest,
   * whose tokens start with {@code ##}.
   *
   * @param lowerCase whether texts are lower-cased first
   * @param stripAccents whether accents are removed first; null: same as {@code lowerCase}
   * @param chineseCharacters whether each Chinese character is a word
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
   * SentencePiece's unigram model: of all ways to split a text into tokens, the one with the
   * highest sum of scores.
   *
   * @param scores logarithms of probabilities
   * @param charactersMap how characters are normalised, as SentencePiece compiles it; empty if they
   *     are not
   * @param added special tokens whose ids follow those of the tokens
   */
  record Unigram(
      List<String> tokens,
      List<TokenType> types,
      SpecialTokens special,
      List<Double> scores,
      byte[] charactersMap,
      List<String> added)
      implements Vocabulary {}

  /**
   * Checks common to all kinds.
   *
   * @param words the model's vocabulary size
   * @param origin the file, for messages
   * @throws BadInputException for duplicate tokens, more tokens than the model has words, or
   *     special ids out of range
   */
  static <T extends Vocabulary> T checked(T vocabulary, int words, String origin) {
    List<String> tokens = vocabulary.tokens();
    if (tokens.isEmpty() || tokens.size() > words) {
      throw new BadFileException(
          "%s has %d tokens, but the model has %d words; download both again.",
          origin, tokens.size(), words);
    }
    Set<String> seen = new HashSet<>();
    for (String token : tokens) {
      if (!seen.add(token)) {
        throw new BadFileException(
            "%s has the token '%.60s' twice; download it again.", origin, token);
      }
    }
    SpecialTokens special = vocabulary.special();
    for (Integer id : new Integer[] {special.begin(), special.end(), special.unknown()}) {
      if (id != null && (id < 0 || id >= tokens.size())) {
        throw new BadFileException(
            "%s has special token %d, but only %d tokens; download it again.",
            origin, id, tokens.size());
      }
    }
    return vocabulary;
  }
}
