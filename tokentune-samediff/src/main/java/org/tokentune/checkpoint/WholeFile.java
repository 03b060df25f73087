package org.tokentune.checkpoint;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Files that are there whole or not at all, whatever happens while they are written. */
public final class WholeFile {

  /** As Linux has it. */
  private static final int MOST_LINKS = 40;

  private WholeFile() {}

  /** What goes into a file. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it. */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes a file under another name in its folder, which must be there, takes it to the disk and
   * renames it. What was there is replaced; a link stays, and what it leads to is replaced. Into
   * what is no regular file, a device or a pipe, the content is written as it comes.
   *
   * @throws IOException if that fails; then a regular file is what it was
   */
  public static void write(Path target, Content content) throws IOException {
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
      publish(staged, file);
    } finally {
      staged.toFile().delete(); // where it could not be renamed; that failure is said
    }
  }

  /** Whether there is something that is neither a file nor a folder: a device or a pipe. */
  public static boolean isSpecial(Path path) {
    return Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path);
  }

  /**
   * Where a link leads, and those that it leads to, also if nothing is there yet.
   *
   * @throws IOException if links lead in a circle
   */
  public static Path followed(Path path) throws IOException {
    Path file = path;
    for (int links = 0; Files.isSymbolicLink(file); links++) {
      if (links == MOST_LINKS) {
        throw new FileSystemLoopException(path.toString());
      }
      file = file.toAbsolutePath().resolveSibling(Files.readSymbolicLink(file));
    }
    return file;
  }

  /** Takes a finished file of the same disk to the disk, and puts it in its place. */
  public static void publish(Path finished, Path target) throws IOException {
    Staging.sync(finished);
    Staging.move(finished, target);
  }
}
