package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * Turns plain text into rows for a causal language model: its tokens are cut into blocks of equal
 * length, of which the last may be shorter. Every token is also a label.
 */
public final class TextBlocks {

  /** The minimal number of tokens in a block; fewer have nothing to predict. */
  static final int LEAST = 2;

  private static final long MOST_BYTES = 1L << 30;

  private TextBlocks() {}

  /**
   * Tokenises plain text, or rows whose texts are in a column with a default name.
   *
   * @throws BadInputException as {@link #tokens(Path, Columns, TextTokenizer)}
   */
  public static int[] tokens(Path file, TextTokenizer tokenizer) {
    return tokens(file, Columns.DEFAULT, tokenizer);
  }

  /**
   * Tokenises plain text in UTF-8, without special tokens; or the texts in a file of rows, each
   * followed by the token that ends a text. A file has rows if its name ends as {@link RowSource}
   * says.
   *
   * @param columns the text's column in a file of rows
   * @throws BadInputException if the file is missing, malformed, without text, or past 1 GiB
   */
  public static int[] tokens(Path file, Columns columns, TextTokenizer tokenizer) {
    required(file, "file");
    required(columns, "columns");
    required(tokenizer, "tokenizer");

    int[] tokens =
        RowFormat.isNamed(file)
            ? join(RowSource.read(file, "rows", new Texts(columns, tokenizer)))
            : tokenizer.encodePiece(plain(file));
    if (tokens.length < LEAST) {
      throw new BadDataException("%s has hardly any text; give a file with more.", file);
    }
    return tokens;
  }

  /**
   * The text of a file.
   *
   * @throws BadInputException if it is missing, not UTF-8, or past 1 GiB
   */
  static String plain(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new BadFileException(
            "%s is larger than 1 GiB, too much to hold; stream it, or give a part.", file);
      }
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (MalformedInputException e) {
      throw new BadFileException(e, "%s is not text in UTF-8; convert it.", file);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
  }

  /** The one text of a row. */
  static String single(TextFiles.Examples examples, Row row) {
    List<Example> read = new ArrayList<>();
    examples.row(row, read);
    Example example = read.get(0);
    if (example.pair() != null) {
      throw new BadFileException(
          "%s has a pair of texts; give columns with the one column of the text.", row.position());
    }
    return example.text();
  }

  static int[] join(List<int[]> texts) {
    return texts.stream().flatMapToInt(Arrays::stream).toArray();
  }

  /** Tokenises the texts of rows and adds the token that ends a text; blank texts are skipped. */
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
      String written = single(examples, row);
      if (written.isBlank()) {
        texts.add(new int[0]);
        return;
      }
      IntStream text = Arrays.stream(tokenizer.encodePiece(written));
      IntStream end = tokenizer.ends().stream().limit(1).mapToInt(Integer::intValue);
      texts.add(IntStream.concat(text, end).toArray());
    }
  }

  /**
   * The tokens of a file in rows.
   *
   * @param columns the text's column in a file of rows
   * @param length tokens of a row, 2 or more
   * @throws BadInputException as {@link #tokens(Path, Columns, TextTokenizer)}
   */
  public static List<TokenBatches.Row> rows(
      Path file, Columns columns, TextTokenizer tokenizer, int length) {
    required(file, "file");
    required(columns, "columns");
    required(tokenizer, "tokenizer");

    return cut(tokens(file, columns, tokenizer), length);
  }

  /**
   * Cuts tokens into rows.
   *
   * @param length the number of tokens in a row, 2 or more
   */
  public static List<TokenBatches.Row> cut(int[] tokens, int length) {
    required(tokens, "tokens");

    check(length);
    List<TokenBatches.Row> rows = new ArrayList<>();
    for (int from = 0; from + LEAST <= tokens.length; from += length) {
      int[] ids = Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + length));
      rows.add(TokenBatches.Row.ofText(ids, 0));
    }
    return rows;
  }

  /**
   * Splits tokens into training and validation rows; the last tokens are for validation.
   *
   * @param validation share of the tokens
   * @param length tokens of a row, 2 or more
   * @throws BadInputException if the share is not in [0, 1)
   */
  public static Split<TokenBatches.Row> split(int[] tokens, double validation, int length) {
    required(tokens, "tokens");

    Split.check(validation);
    int kept = (int) Math.round(tokens.length * (1 - validation));
    return new Split<>(
        cut(Arrays.copyOf(tokens, kept), length),
        cut(Arrays.copyOfRange(tokens, kept, tokens.length), length),
        List.of());
  }

  /** Rejects blocks that are too short to predict anything. */
  static void check(int length) {
    if (length < LEAST) {
      throw new BadSettingsException(
          "Blocks of %d tokens have nothing to predict; give %d or more.", length, LEAST);
    }
  }
}
