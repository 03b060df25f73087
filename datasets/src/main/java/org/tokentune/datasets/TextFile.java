package org.tokentune.datasets;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/** A text file in UTF-8, with or without byte order mark, read once from beginning to end. */
final class TextFile {

  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private TextFile() {}

  /** What is made of the text. */
  interface Body<T> {
    T read(BufferedReader in) throws IOException;
  }

  /**
   * Reads a file.
   *
   * @throws BadInputException if there is no such file, it is not UTF-8 or cannot be read, or it
   *     changes while it is read
   */
  static <T> T read(Path file, Body<T> body) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    State before = State.of(file);
    try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      in.mark(1);
      if (in.read() != BYTE_ORDER_MARK) {
        in.reset();
      }
      T result = body.read(in);
      before.check(file, null);
      return result;
    } catch (IOException | UncheckedIOException e) {
      before.check(file, e);
      Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
      if (cause instanceof CharacterCodingException) {
        throw new BadFileException(cause, "%s cannot be read as text in UTF-8; convert it.", file);
      }
      throw new BadFileException(cause, "%s cannot be read: %s.", file, cause.getMessage());
    } catch (BadInputException e) {
      before.check(file, e);
      throw e;
    }
  }

  /** What tells whether a file was written to. */
  private record State(long size, FileTime modified) {

    static State of(Path file) {
      try {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new State(attributes.size(), attributes.lastModifiedTime());
      } catch (IOException e) {
        return new State(-1, null); // it is gone
      }
    }

    /**
     * @param cause what failed, which then is not what is wrong with the file; null: nothing did
     */
    void check(Path file, Exception cause) {
      if (!equals(of(file))) {
        throw new BadFileException(
            cause, "%s changed while it was read; try again when nothing writes to it.", file);
      }
    }
  }
}
