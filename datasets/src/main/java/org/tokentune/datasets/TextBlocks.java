package org.tokentune.datasets;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * Plain text as rows for a causal language model: its tokens, one after the other, cut into blocks
 * of one length; the last may be shorter. Every token is also a label.
 */
public final class TextBlocks {

  /** Fewer tokens have nothing to predict. */
  static final int LEAST = 2;

  private static final long MOST_BYTES = 1L << 30;

  private TextBlocks() {}

  /**
   * Tokens of a text file in UTF-8, without special ones.
   *
   * @throws BadInputException if it is missing, no text, empty, or past 1 GiB
   */
  public static int[] tokens(Path file, TextTokenizer tokenizer) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new BadFileException(
            "%s is larger than 1 GiB, too much to hold; stream it, or give a part.", file);
      }
      int[] tokens = tokenizer.encodePiece(Files.readString(file, StandardCharsets.UTF_8));
      if (tokens.length < LEAST) {
        throw new BadDataException("%s has hardly any text; give a file with more.", file);
      }
      return tokens;
    } catch (MalformedInputException e) {
      throw new BadFileException(e, "%s is no text in UTF-8; convert it.", file);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
  }

  /**
   * Rows of a text file.
   *
   * @param length tokens of a row, 2 or more
   * @throws BadInputException as {@link #tokens}
   */
  public static List<TokenBatches.Row> rows(Path file, TextTokenizer tokenizer, int length) {
    return cut(tokens(file, tokenizer), length);
  }

  /**
   * Cuts tokens into rows.
   *
   * @param length tokens of a row, 2 or more
   */
  public static List<TokenBatches.Row> cut(int[] tokens, int length) {
    check(length);
    List<TokenBatches.Row> rows = new ArrayList<>();
    for (int from = 0; from + LEAST <= tokens.length; from += length) {
      int[] ids = Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + length));
      rows.add(TokenBatches.Row.ofText(ids, 0));
    }
    return rows;
  }

  /**
   * Cuts tokens into rows, of which the last ones are validated on: no token is in both parts.
   *
   * @param validation share of the tokens
   * @param length tokens of a row, 2 or more
   * @throws BadInputException if the share is not in [0, 1)
   */
  public static Split<TokenBatches.Row> split(int[] tokens, double validation, int length) {
    Split.check(validation);
    int kept = (int) Math.round(tokens.length * (1 - validation));
    return new Split<>(
        cut(Arrays.copyOf(tokens, kept), length),
        cut(Arrays.copyOfRange(tokens, kept, tokens.length), length),
        List.of());
  }

  /** Refuses blocks that are too short to predict anything in. */
  static void check(int length) {
    if (length < LEAST) {
      throw new BadSettingsException(
          "Blocks of %d tokens have nothing to predict; give %d or more.", length, LEAST);
    }
  }
}
