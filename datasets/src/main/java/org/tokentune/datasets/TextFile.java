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
final class TextFile implements AutoCloseable {

  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private final Path file;
  private final State before;
  private final BufferedReader in;

  private TextFile(Path file, State before, BufferedReader in) {
    this.file = file;
    this.before = before;
    this.in = in;
  }

  /** Reads some of the text. */
  interface Body<T> {
    T read(BufferedReader in) throws IOException;
  }

  /**
   * Opens a file.
   *
   * @throws BadInputException if it does not exist, is not UTF-8 or cannot be read
   */
  static TextFile open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    State before = State.of(file);
    try {
      TextFile text =
          new TextFile(file, before, Files.newBufferedReader(file, StandardCharsets.UTF_8));
      text.read(TextFile::skipByteOrderMark);
      return text;
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
  }

  private static Object skipByteOrderMark(BufferedReader in) throws IOException {
    in.mark(1);
    if (in.read() != BYTE_ORDER_MARK) {
      in.reset();
    }
    return in;
  }

  /**
   * Reads a whole file.
   *
   * @throws BadInputException as {@link #open} and {@link #read(Body)}, and if the file changes
   *     while it is read
   */
  static <T> T read(Path file, Body<T> body) {
    try (TextFile text = open(file)) {
      T result = text.read(body);
      text.checkUnchanged();
      return result;
    }
  }

  /**
   * Reads some of the file.
   *
   * @throws BadInputException if it is not UTF-8 or cannot be read; if the file has changed, this
   *     is said instead of what {@code body} reports
   */
  <T> T read(Body<T> body) {
    try {
      return body.read(in);
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

  /** Rejects a file that has changed since it was opened. */
  void checkUnchanged() {
    before.check(file, null);
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Tells whether a file was written to. */
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
     * @param cause the failure, which the change then explains; null if nothing failed
     */
    void check(Path file, Exception cause) {
      if (!equals(of(file))) {
        throw new BadFileException(
            cause, "%s changed while it was read; try again when nothing writes to it.", file);
      }
    }
  }
}
