package org.tokentune.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.tokentune.BadInputException;

/** A file that a command writes besides what it prints. */
record OutputFile(Path file) {

  /** What goes into it. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Says early that the file could not be written. */
  void check() {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file) || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
      throw new BadInputException("%s cannot be written; name a file in another folder.", file);
    }
  }

  /** Writes the file, whole or not at all. */
  void write(Content content) {
    Path target = file.toAbsolutePath();
    Path staged = target.resolveSibling("." + target.getFileName() + ".partial");
    try {
      try (OutputStream out = Files.newOutputStream(staged)) {
        content.writeTo(out);
      }
      try (FileChannel channel = FileChannel.open(staged, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(staged, target, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      staged.toFile().delete(); // what is half-written must not stay; the failure is said anyway
      throw new BadInputException(e, "%s cannot be written: %s.", file, e.getMessage());
    }
  }
}
