package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;

/** Writes a vocabulary to the metadata of a GGUF file: the inverse of how {@link Gguf} reads it. */
public final class GgufTokens {

  private static final String KEYS = GgufVocabulary.KEYS;

  private GgufTokens() {}

  /**
   * Writes tokens, their types, scores or merges, and which of them are special.
   *
   * @param words rows of the model's table, which llama.cpp wants to be as many as tokens: unused
   *     ones are added
   * @throws BadSettingsException for a unigram vocabulary, or more tokens than words
   */
  public static void write(Vocabulary vocabulary, int words, GgufWriter out) {
    required(vocabulary, "vocabulary");
    required(out, "out");

    int missing = words - vocabulary.tokens().size();
    if (missing < 0) {
      throw BadSettingsException.of(
          "words", "must be at least the %d tokens, got %d.", vocabulary.tokens().size(), words);
    }
    if (vocabulary instanceof Vocabulary.BytePair bytePair) {
      out.put(KEYS + "model", "gpt2").put(KEYS + "pre", pre(bytePair));
      putTokens(vocabulary, missing, out);
      out.putTexts(KEYS + "merges", bytePair.merges());
    } else if (vocabulary instanceof Vocabulary.SentencePiece pieces) {
      out.put(KEYS + "model", "llama").put(KEYS + "pre", "default");
      putTokens(vocabulary, missing, out);
      List<Double> scores = new ArrayList<>(pieces.scores());
      scores.addAll(Collections.nCopies(missing, -10000.0));
      out.putFloats(KEYS + "scores", scores).put(KEYS + "add_space_prefix", pieces.spacePrefix());
    } else if (vocabulary instanceof Vocabulary.WordPiece) {
      out.put(KEYS + "model", "bert").put(KEYS + "pre", "default");
      putTokens(vocabulary, missing, out);
      put("cls", vocabulary.special().begin(), out);
      put("seperator", vocabulary.special().end(), out); // as the format spells it
    } else {
      throw BadSettingsException.of(
          "vocabulary",
          "must be byte-level, WordPiece, or have scores for merging, got a %s.",
          vocabulary.getClass().getSimpleName());
    }
    SpecialTokens special = vocabulary.special();
    put("bos", special.begin(), out);
    put("eos", special.end(), out);
    put("unknown", special.unknown(), out);
    out.put(KEYS + "add_bos_token", special.addBegin());
    out.put(KEYS + "add_eos_token", special.addEnd());
  }

  private static String pre(Vocabulary.BytePair vocabulary) {
    return GgufVocabulary.name(vocabulary.preTokenizer());
  }

  private static void putTokens(Vocabulary vocabulary, int missing, GgufWriter out) {
    List<String> tokens = new ArrayList<>(vocabulary.tokens());
    List<TokenType> types = new ArrayList<>(vocabulary.types());
    Set<String> used = new HashSet<>(tokens);
    for (int i = 0; i < missing; i++) {
      String token = "[PAD" + tokens.size() + "]";
      while (!used.add(token)) {
        token += "_";
      }
      tokens.add(token);
      types.add(TokenType.UNUSED);
    }
    if (vocabulary instanceof Vocabulary.WordPiece) {
      tokens.replaceAll(GgufTokens::marked);
    }
    out.putTexts(KEYS + "tokens", tokens);
    out.putInts(KEYS + "token_type", types.stream().map(GgufVocabulary::number).toList());
  }

  /** A piece of WordPiece with the mark on the beginnings of words, not on the rest of them. */
  private static String marked(String piece) {
    if (piece.startsWith("[") && piece.endsWith("]")) {
      return piece;
    }
    return piece.startsWith("##") ? piece.substring(2) : Vocabulary.SentencePiece.SPACE + piece;
  }

  /**
   * Names a special token.
   *
   * @param name llama.cpp's, such as {@code eot}
   * @param id null: there is none
   */
  public static void put(String name, Integer id, GgufWriter out) {
    required(name, "name");
    required(out, "out");

    if (id != null) {
      out.put(KEYS + name + "_token_id", id.intValue());
    }
  }

  /**
   * Writes a chat template.
   *
   * @param name null for the default
   */
  public static void putChatTemplate(String name, String template, GgufWriter out) {
    required(template, "template");
    required(out, "out");

    out.put(GgufVocabulary.CHAT_TEMPLATE + (name == null ? "" : "." + name), template);
  }
}
