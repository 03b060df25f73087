package org.tokentune.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.Vocabulary.SpecialTokens;
import org.tokentune.checkpoint.Vocabulary.TokenType;

/** BERT's {@code vocab.txt}: a token a line, in UTF-8, its number that of the line from 0. */
final class WordPieceVocabulary {

  private static final String UNKNOWN = "[UNK]";
  private static final String BEGIN = "[CLS]";
  private static final String END = "[SEP]";
  private static final Set<String> CONTROL = Set.of("[PAD]", BEGIN, END, "[MASK]");

  private WordPieceVocabulary() {}

  /**
   * Reads it.
   *
   * @param words of the model
   */
  static Vocabulary.WordPiece read(Path file, int words) {
    List<String> tokens;
    try {
      tokens = Files.readAllLines(file);
    } catch (IOException e) {
      throw new BadInputException(e, "%s is no text in UTF-8; get it again.", file);
    }
    List<TokenType> types = tokens.stream().map(WordPieceVocabulary::type).toList();
    for (String needed : List.of(UNKNOWN, BEGIN, END)) {
      if (!tokens.contains(needed)) {
        throw new BadInputException("%s has no token %s; get it again.", file, needed);
      }
    }
    boolean lowerCase =
        tokens.stream()
            .filter(token -> type(token) == TokenType.NORMAL && !token.startsWith("[unused"))
            .noneMatch(token -> token.matches(".*[A-Z].*"));
    return Vocabulary.checked(
        new Vocabulary.WordPiece(
            tokens,
            types,
            new SpecialTokens(
                tokens.indexOf(BEGIN), tokens.indexOf(END), tokens.indexOf(UNKNOWN), true, true),
            lowerCase),
        words,
        file.toString());
  }

  private static TokenType type(String token) {
    if (token.equals(UNKNOWN)) {
      return TokenType.UNKNOWN;
    }
    return CONTROL.contains(token) ? TokenType.CONTROL : TokenType.NORMAL;
  }
}
