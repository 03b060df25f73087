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
 * A text file in UTF-8 as chunks that are read one by one, in any order, and join to it. A chunk
 * ends where a line ends, or, in a line that is longer than a chunk, after a whole character.
 *
 * @param bytes of a chunk, about
 * @param wholeLines whether a line that is longer than a chunk is refused, not cut
 */
record TextChunks(Path file, long size, int bytes, boolean wholeLines) {

  private static final int CHUNK = 256 * 1024;

  /**
   * A part of a file.
   *
   * @param from its first byte
   */
  record Chunk(Path file, long from, String text) {}

  /**
   * Of text, in which lines may be cut.
   *
   * @throws BadInputException if there is no such file
   */
  static TextChunks ofText(Path file) {
    return of(file, CHUNK, false);
  }

  /**
   * Of a file in which a line is a whole.
   *
   * @throws BadInputException if there is no such file
   */
  static TextChunks ofLines(Path file) {
    return of(file, CHUNK, true);
  }

  static TextChunks of(Path file, int bytes, boolean wholeLines) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    return new TextChunks(file, file.toFile().length(), bytes, wholeLines);
  }

  /** The last one has the rest too: so it is never a scrap. */
  int count() {
    return Math.toIntExact(Math.max(1, size / bytes));
  }

  /**
   * Reads a chunk.
   *
   * @throws BadInputException if it cannot be read, is no text in UTF-8, or has too long a line
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
      return new Chunk(file, from, marked ? text.substring(1) : text);
    } catch (EOFException e) {
      throw changed(e);
    } catch (CharacterCodingException e) {
      throw new BadFileException(
          e, "%s is no text in UTF-8 near byte %d; convert it.", file, (long) number * bytes);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
  }

  private BadInputException changed(Exception cause) {
    return new BadFileException(
        cause, "%s changed while it was read; try again when nothing writes to it.", file);
  }

  /** Where a chunk begins: behind the first line end in it, and failing one as early as it can. */
  private long boundary(RandomAccessFile in, int number) throws IOException {
    long nominal = (long) number * bytes;
    if (number == 0 || number == count()) {
      return number == 0 ? 0 : size;
    }
    byte[] after = new byte[(int) Math.min(bytes, size - nominal)];
    in.seek(nominal - 1); // a line that ends right before needs no other
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
