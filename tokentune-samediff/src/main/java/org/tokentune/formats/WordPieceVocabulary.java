package org.tokentune.formats;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadFileException;
import org.tokentune.Warnings;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;

/** BERT's {@code vocab.txt}: one token per line, in UTF-8; its id is the line number from 0. */
final class WordPieceVocabulary {

  private static final Map<String, String> SPECIAL =
      Map.of(
          "unk_token", "[UNK]",
          "cls_token", "[CLS]",
          "sep_token", "[SEP]",
          "pad_token", "[PAD]",
          "mask_token", "[MASK]");

  private WordPieceVocabulary() {}

  /**
   * Reads a vocabulary.
   *
   * @param words the model's vocabulary size
   * @param config lower-casing and special tokens; defaults are those of transformers' {@code
   *     BertTokenizer}
   */
  static Vocabulary.WordPiece read(Path file, int words, TokenizerConfig config) {
    List<String> tokens;
    try {
      tokens = Files.readAllLines(file);
    } catch (IOException e) {
      throw new BadFileException(e, "%s is not valid UTF-8; download it again.", file);
    }
    Map<String, String> special = new HashMap<>(SPECIAL);
    config.special().forEach(special::replace);
    Set<String> control = new HashSet<>(special.values());
    String unknown = special.get("unk_token");
    List<TokenType> types = new ArrayList<>();
    for (String token : tokens) {
      boolean isUnknown = token.equals(unknown);
      types.add(
          isUnknown
              ? TokenType.UNKNOWN
              : control.contains(token) ? TokenType.CONTROL : TokenType.NORMAL);
    }
    String begin = special.get("cls_token");
    String end = special.get("sep_token");
    for (String needed : List.of(unknown, begin, end)) {
      if (!tokens.contains(needed)) {
        throw new BadFileException("%s has no token %s; download it again.", file, needed);
      }
    }
    if (config.lowerCase() == null && hasCapitals(tokens, control)) {
      Warnings.warn(
          "%s has tokens with capital letters, which are never used: text is lower-cased, the"
              + " default in transformers if tokenizer_config.json does not set do_lower_case;"
              + " set do_lower_case there.",
          file);
    }
    return Vocabulary.checked(
        new Vocabulary.WordPiece(
            tokens,
            types,
            new SpecialTokens(
                tokens.indexOf(begin), tokens.indexOf(end), tokens.indexOf(unknown), true, true),
            config.lowerCase() == null || config.lowerCase(),
            config.stripAccents(),
            config.chineseCharacters() == null || config.chineseCharacters()),
        words,
        file.toString());
  }

  private static boolean hasCapitals(List<String> tokens, Set<String> control) {
    return tokens.stream()
        .filter(token -> !control.contains(token) && !token.startsWith("[unused"))
        .anyMatch(token -> token.chars().anyMatch(Character::isUpperCase));
  }
}
