package org.tokentune.checkpoint;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Files that are there whole or not at all, whatever happens while they are written. */
public final class WholeFile {

  private WholeFile() {}

  /** What goes into a file. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it. */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes a file under another name in its folder, which must be there, takes it to the disk and
   * renames it. What was there is replaced.
   *
   * @throws IOException if that fails; then the file is what it was
   */
  public static void write(Path target, Content content) throws IOException {
    Path staged = Staging.unread(target.toAbsolutePath().getParent());
    try {
      try (OutputStream out = Files.newOutputStream(staged, StandardOpenOption.CREATE_NEW)) {
        content.writeTo(out);
      }
      publish(staged, target);
    } finally {
      staged.toFile().delete(); // where it could not be renamed; that failure is said
    }
  }

  /** Takes a finished file of the same disk to the disk, and puts it in its place. */
  public static void publish(Path finished, Path target) throws IOException {
    Staging.sync(finished);
    Staging.move(finished, target);
  }
}
