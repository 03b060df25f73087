package org.tokentune.datasets;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * A text file in UTF-8, divided into chunks that can be read in any order. A chunk ends at the end
 * of a line or, in a line that is longer than a chunk, of a character.
 *
 * @param bytes of a chunk, approximately
 * @param wholeLines whether a line that is longer than a chunk is rejected rather than cut
 * @param starts where the chunks begin; if null, at lines
 */
record TextChunks(Path file, long size, int bytes, boolean wholeLines, long[] starts) {

  static final int CHUNK = 256 * 1024;

  /**
   * A part of a file.
   *
   * @param from its first byte
   * @param last whether it ends with the file
   */
  record Chunk(Path file, long from, boolean last, String text) {}

  /**
   * Divides text, in which long lines may be cut.
   *
   * @throws BadInputException if there is no such file
   */
  static TextChunks ofText(Path file) {
    return of(file, CHUNK, false);
  }

  /**
   * Divides a file of rows, none of which is cut.
   *
   * @throws BadInputException if there is no such file, or a row is longer than a chunk
   */
  static TextChunks ofRows(Path file, RowFormat format, int bytes) {
    TextChunks lines = of(file, bytes, true);
    return format == RowFormat.CSV || format == RowFormat.JSON_LIST
        ? lines.startingAtRows(format)
        : lines;
  }

  private TextChunks startingAtRows(RowFormat format) {
    long[] rows = RowStarts.of(file, format == RowFormat.JSON_LIST, bytes, count());
    return new TextChunks(file, size, bytes, wholeLines, rows);
  }

  static TextChunks of(Path file, int bytes, boolean wholeLines) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    return new TextChunks(file, file.toFile().length(), bytes, wholeLines, null);
  }

  /** The number of chunks. The last chunk includes the remainder, so no chunk is tiny. */
  int count() {
    return Math.toIntExact(Math.max(1, size / bytes));
  }

  /**
   * Reads a chunk.
   *
   * @throws BadInputException if it cannot be read, is not text in UTF-8, or has a line that is too
   *     long
   */
  Chunk read(int number) {
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      long from = boundary(in, number);
      byte[] content = new byte[Math.toIntExact(boundary(in, number + 1) - from)];
      in.seek(from);
      in.readFully(content);
      if (in.length() != size) {
        throw changed(null);
      }
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
      boolean marked = from == 0 && text.startsWith("\uFEFF");
      boolean last = number == count() - 1;
      return new Chunk(file, from, last, marked ? text.substring(1) : text);
    } catch (EOFException e) {
      throw changed(e);
    } catch (CharacterCodingException e) {
      throw new BadFileException(
          e, "%s is not text in UTF-8 near byte %d; convert it.", file, (long) number * bytes);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
  }

  private BadInputException changed(Exception cause) {
    return new BadFileException(
        cause, "%s changed while it was read; try again when nothing writes to it.", file);
  }

  /** Where a chunk begins: after the first line end within it, or else as early as possible. */
  private long boundary(RandomAccessFile in, int number) throws IOException {
    long nominal = (long) number * bytes;
    if (number == 0 || number == count()) {
      return number == 0 ? 0 : size;
    }
    if (starts != null) {
      return starts[number];
    }
    byte[] after = new byte[(int) Math.min(bytes, size - nominal)];
    in.seek(nominal - 1); // a line may end right before
    in.readFully(after);
    for (int i = 0; i < after.length; i++) {
      if (after[i] == '\n') {
        return nominal + i;
      }
    }
    if (wholeLines) {
      throw new BadFileException(
          "%s has a line of more than %,d bytes near byte %d; shorten or remove it.",
          file, bytes, nominal);
    }
    int begin = 1;
    while (begin < after.length && (after[begin] & 0xC0) == 0x80) {
      begin++;
    }
    return nominal - 1 + begin;
  }
}
