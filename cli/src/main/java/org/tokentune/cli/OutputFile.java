package org.tokentune.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.BadFileException;
import org.tokentune.files.WholeFile;

/** A file that a command writes in addition to its output. */
record OutputFile(Path file) {

  /** Says early that the file could not be written. */
  void check() {
    try {
      Path followed = WholeFile.followed(file);
      Path folder = followed.toAbsolutePath().getParent();
      boolean special = WholeFile.isSpecial(followed);
      if (special ? Files.isWritable(followed) : isWritable(followed, folder)) {
        return;
      }
    } catch (IOException e) {
      // said below
    }
    throw new BadFileException("%s cannot be written; name a file in another folder.", file);
  }

  private static boolean isWritable(Path file, Path folder) {
    return !Files.isDirectory(file) && Files.isDirectory(folder) && Files.isWritable(folder);
  }

  /** Writes the file, whole or not at all. */
  void write(WholeFile.Content content) {
    try {
      WholeFile.write(file, content);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", file, e.getMessage());
    }
  }
}
