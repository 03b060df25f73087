package org.tokentune.files;

import static org.tokentune.Arguments.required;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Writes files atomically: a file is complete or absent, whatever happens while it is written. */
public final class WholeFile {

  /** Linux's limit on following links. */
  private static final int MAX_LINKS = 40;

  private WholeFile() {}

  /** The content of a file. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it. */
    void writeTo(OutputStream out) throws IOException;
  }

  /** Reads a finished file before it gets its name. */
  @FunctionalInterface
  public interface Check {
    /** Throws if the file must not be published. */
    void of(Path file) throws IOException;
  }

  /**
   * Writes a file under another name in its folder, which must exist, flushes it to disk and
   * renames it. An existing file is replaced; a link stays, and its target is replaced. To a device
   * or a pipe, the content is written directly.
   *
   * @throws IOException if that fails; a regular file is then unchanged
   */
  public static void write(Path target, Content content) throws IOException {
    write(target, content, finished -> {});
  }

  /**
   * Like {@link #write(Path, Content)}, if a check of the finished file passes; what is written to
   * a device or a pipe is not checked.
   */
  public static void write(Path target, Content content, Check check) throws IOException {
    Path file = followed(target);
    if (isSpecial(file)) {
      try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.WRITE)) {
        content.writeTo(out);
      }
      return;
    }
    Path staged = Staging.unread(file.toAbsolutePath().getParent());
    try {
      try (OutputStream out = Files.newOutputStream(staged, StandardOpenOption.CREATE_NEW)) {
        content.writeTo(out);
      }
      check.of(staged);
      publish(staged, file);
    } finally {
      staged.toFile().delete(); // still there if renaming failed; that failure is thrown
    }
  }

  /** Why a file cannot be written, for a message that names it. */
  public static String reason(IOException failure) {
    required(failure, "failure");

    if (failure instanceof NoSuchFileException) {
      return "its folder does not exist";
    }
    if (failure instanceof AccessDeniedException) {
      return "access is denied";
    }
    String reason =
        failure instanceof FileSystemException system && system.getReason() != null
            ? system.getReason()
            : failure.getMessage();
    if (failure instanceof FileNotFoundException && reason != null) {
      reason = reason.replaceFirst(".* \\((.+)\\)$", "$1"); // a stream's: path (reason)
    }
    return reason == null ? failure.getClass().getSimpleName() : reason;
  }

  /** Whether a path is neither a file nor a folder but a device or a pipe. */
  public static boolean isSpecial(Path path) {
    return Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path);
  }

  /**
   * The final target of a chain of links, even if it does not exist yet.
   *
   * @throws IOException if links form a cycle
   */
  public static Path followed(Path path) throws IOException {
    Path file = path;
    for (int links = 0; Files.isSymbolicLink(file); links++) {
      if (links == MAX_LINKS) {
        throw new FileSystemLoopException(path.toString());
      }
      file = file.toAbsolutePath().resolveSibling(Files.readSymbolicLink(file));
    }
    return file;
  }

  /** Flushes a finished file to disk and moves it into place on the same file system. */
  public static void publish(Path finished, Path target) throws IOException {
    Staging.sync(finished);
    Staging.move(finished, target);
  }
}
