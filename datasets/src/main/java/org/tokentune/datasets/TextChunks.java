package org.tokentune.datasets;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.BadInputException;

/**
 * A text file in UTF-8 as chunks that are read one by one, in any order, and join to it. A chunk
 * ends where a line ends, or, in a line that is longer than a chunk, after a whole character.
 *
 * @param bytes of a chunk, about
 */
record TextChunks(Path file, long size, int bytes) {

  private static final int CHUNK = 256 * 1024;

  /**
   * @throws BadInputException if there is no such file
   */
  static TextChunks of(Path file) {
    return of(file, CHUNK);
  }

  static TextChunks of(Path file, int bytes) {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException("There is no file %s; check the path.", file);
    }
    return new TextChunks(file, file.toFile().length(), bytes);
  }

  /** The last one has the rest too: so it is never a scrap. */
  int count() {
    return Math.toIntExact(Math.max(1, size / bytes));
  }

  /**
   * Text of a chunk.
   *
   * @throws BadInputException if it cannot be read, or is no text in UTF-8
   */
  String read(int number) {
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      long from = boundary(in, number);
      byte[] content = new byte[Math.toIntExact(boundary(in, number + 1) - from)];
      in.seek(from);
      in.readFully(content);
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
    } catch (CharacterCodingException e) {
      throw new BadInputException(
          e, "%s is no text in UTF-8 near byte %d; convert it.", file, (long) number * bytes);
    } catch (IOException e) {
      throw new BadInputException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
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
    int begin = 1;
    while (begin < after.length && (after[begin] & 0xC0) == 0x80) {
      begin++;
    }
    return nominal - 1 + begin;
  }
}
