package org.tokentune.datasets;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.tokentune.BadInputException;

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
   * Tokens of plain text, or of rows whose texts are in a column of the usual name.
   *
   * @throws BadInputException as {@link #tokens(Path, Columns, TextTokenizer)}
   */
  public static int[] tokens(Path file, TextTokenizer tokenizer) {
    return tokens(file, Columns.DEFAULT, tokenizer);
  }

  /**
   * Tokens of plain text in UTF-8, without special ones; or of the texts in a file of rows, in any
   * format of {@link RowSource} that its name says, each followed by the token that ends a text.
   *
   * @param columns the text's column in a file of rows
   * @throws BadInputException if the file is missing, malformed, without text, or past 1 GiB
   */
  public static int[] tokens(Path file, Columns columns, TextTokenizer tokenizer) {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException("There is no file %s; check the path.", file);
    }
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new BadInputException(
            "%s is larger than 1 GiB, too much to hold; stream it (--stream), or give a part.",
            file);
      }
      int[] tokens =
          RowFormat.isNamed(file)
              ? join(RowSource.read(file, "rows", new Texts(columns, tokenizer)))
              : tokenizer.encodePiece(Files.readString(file, StandardCharsets.UTF_8));
      if (tokens.length < LEAST) {
        throw new BadInputException("%s has hardly any text; give a file with more.", file);
      }
      return tokens;
    } catch (MalformedInputException e) {
      throw new BadInputException(e, "%s is no text in UTF-8; convert it.", file);
    } catch (IOException e) {
      throw new BadInputException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
  }

  static int[] join(List<int[]> texts) {
    return texts.stream().flatMapToInt(Arrays::stream).toArray();
  }

  /** Makes tokens of rows' texts, with the token that ends a text; a blank text has none. */
  static final class Texts implements RowReader<int[]> {

    private final TextTokenizer tokenizer;
    private final TextFiles.Examples examples;

    Texts(Columns columns, TextTokenizer tokenizer) {
      this.tokenizer = tokenizer;
      examples = new TextFiles.Examples(columns, false);
    }

    @Override
    public void header(List<String> columns, String file) {
      examples.header(columns, file);
    }

    @Override
    public void row(Row row, List<int[]> texts) {
      List<Example> read = new ArrayList<>();
      examples.row(row, read);
      Example example = read.get(0);
      if (example.pair() != null) {
        throw new BadInputException(
            "%s has a pair of texts; name the one column of the text (--text).", row.position());
      }
      if (example.text().isBlank()) {
        texts.add(new int[0]);
        return;
      }
      IntStream text = Arrays.stream(tokenizer.encodePiece(example.text()));
      IntStream end = tokenizer.ends().stream().limit(1).mapToInt(Integer::intValue);
      texts.add(IntStream.concat(text, end).toArray());
    }
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

  /** Refuses blocks that are too short to predict anything in. */
  static void check(int length) {
    if (length < LEAST) {
      throw new BadInputException(
          "Blocks of %d tokens have nothing to predict; give %d or more.", length, LEAST);
    }
  }
}
