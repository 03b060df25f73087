package org.tokentune.files;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** What is done with whole folders. */
public final class Folders {

  private Folders() {}

  /**
   * Removes a folder with its contents, or a file; a missing path is ignored.
   *
   * @throws IOException if something in it cannot be removed; the rest stays, too
   */
  public static void delete(Path folder) throws IOException {
    required(folder, "folder");

    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
