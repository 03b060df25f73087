package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A part of a page that a test makes. */
final class GeneratedSection {

  private GeneratedSection() {}

  /**
   * Compares it with the page; with {@code -Dtokentune.write=true}, writes it there.
   *
   * @param begin its first line
   * @param end its last line
   */
  static void check(Path page, String begin, String section, String end) throws IOException {
    String text = Files.readString(page);
    int from = text.indexOf(begin);
    int to = text.indexOf(end) + end.length();
    if (Boolean.getBoolean("tokentune.write")) {
      Files.writeString(page, text.substring(0, from) + section + text.substring(to));
    } else {
      assertEquals(
          section,
          text.substring(from, to),
          "run with -Dtokentune.write=true to write it: see docs/api.md");
    }
  }
}
