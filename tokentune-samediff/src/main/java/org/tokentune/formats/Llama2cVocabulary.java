package org.tokentune.formats;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;

/**
 * llama2.c's {@code tokenizer.bin}, little-endian: the longest token's length (32 bits); for each
 * token its score (32-bit float), its length (32 bits) and its bytes in UTF-8. Tokens 0 to 2 are
 * unknown, begin and end; the next 256 are the bytes.
 */
final class Llama2cVocabulary {

  private static final int FIRST_BYTE = 3;
  private static final int UNKNOWN = 0;
  private static final int BEGIN = 1;

  private Llama2cVocabulary() {}

  static Vocabulary.SentencePiece read(Path file) {
    ByteBuffer in;
    try {
      long size = Files.size(file);
      if (size < Integer.BYTES || size > Limits.VOCABULARY_BYTES) {
        throw bad(file, "has " + size + " bytes");
      }
      in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read; check the path.", file);
    }
    int longest = in.getInt();
    List<String> tokens = new ArrayList<>();
    List<TokenType> types = new ArrayList<>();
    List<Double> scores = new ArrayList<>();
    while (in.hasRemaining()) {
      int id = tokens.size();
      if (in.remaining() < Float.BYTES + Integer.BYTES) {
        throw bad(file, "ends within token " + id);
      }
      scores.add((double) in.getFloat());
      int length = in.getInt();
      if (length < 0 || length > in.remaining() || length > longest) {
        throw bad(file, "claims a token of " + length + " bytes");
      }
      byte[] bytes = new byte[length];
      in.get(bytes);
      TokenType type = type(id);
      types.add(type);
      tokens.add(text(id, type, new String(bytes, StandardCharsets.UTF_8)));
    }
    if (tokens.size() < FIRST_BYTE + 256) {
      throw bad(file, "has " + tokens.size() + " tokens, too few to include all bytes");
    }
    return new Vocabulary.SentencePiece(
        tokens, types, new SpecialTokens(BEGIN, BEGIN, UNKNOWN, true, false), scores, true);
  }

  private static TokenType type(int id) {
    if (id == UNKNOWN) {
      return TokenType.UNKNOWN;
    }
    if (id < FIRST_BYTE) {
      return TokenType.CONTROL;
    }
    return id < FIRST_BYTE + 256 ? TokenType.BYTE : TokenType.NORMAL;
  }

  /**
   * A token's text as SentencePiece writes it; the file has special tokens and spaces in printed
   * form.
   */
  private static String text(int id, TokenType type, String printed) {
    return switch (type) {
      case CONTROL, UNKNOWN -> printed.strip();
      case BYTE -> String.format(Locale.ROOT, "<0x%02X>", id - FIRST_BYTE);
      default -> printed.replace(" ", Vocabulary.SentencePiece.SPACE);
    };
  }

  private static BadInputException bad(Path file, String what) {
    return new BadFileException(
        "%s %s: it is damaged or not a llama2.c vocabulary; download it again.", file, what);
  }
}
