package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/errors.md has every message of bad input that the sources have, and no other. */
class DocumentedErrorsTest {

  private static final String LITERAL = "\"((?:[^\"\\\\]|\\\\.)*)\"";

  private static final Pattern MESSAGE =
      Pattern.compile(
          "new (?:BadInputException|TypeConversionException)\\(\\s*(?:\\w+,\\s*)?(?:\"'\" \\+ \\w+ \\+ )?("
              + LITERAL
              + "(?:\\s*\\+\\s*"
              + LITERAL
              + ")*)");

  private static final Pattern ROW = Pattern.compile("\\| `([^`]+)` \\| (.+) \\|");

  /** What comes before the mend, with … for what differs. */
  static String stem(String message) {
    String text =
        message.replaceFirst("^' ", "'…' ").replaceAll("%[,.\\d]*[a-z]", "…").replace("%%", "%");
    return text.replaceFirst("; [^;]*$", "").replaceFirst("[.:]$", "");
  }

  private static Stream<String> messages(Path source) {
    try {
      return MESSAGE
          .matcher(Files.readString(source))
          .results()
          .map(
              result ->
                  Pattern.compile(LITERAL)
                      .matcher(result.group(1))
                      .results()
                      .map(literal -> literal.group(1))
                      .collect(Collectors.joining())
                      .replace("\\\"", "\""))
          .map(DocumentedErrorsTest::stem);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void everyMessageIsOnThePage() throws IOException {
    TreeSet<String> sources = new TreeSet<>();
    for (String module : new String[] {"tokentune-samediff", "zoo", "datasets", "dl4j", "cli"}) {
      try (Stream<Path> files =
          Files.walk(Document.HOME.resolve(module).resolve("src/main/java"))) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .flatMap(DocumentedErrorsTest::messages)
            .forEach(sources::add);
      }
    }
    TreeSet<String> page = new TreeSet<>();
    for (String line : Document.read(Document.HOME.resolve("docs/errors.md")).lines()) {
      ROW.matcher(line).results().forEach(row -> assertTrue(page.add(row.group(1)), line));
    }
    System.out.println(sources.size() + " messages");
    TreeSet<String> missing = new TreeSet<>(sources);
    missing.removeAll(page);
    page.removeAll(sources);
    assertEquals(
        "", String.join("\n", missing), "Give each a row in docs/errors.md, with its mend");
    assertEquals("", String.join("\n", page), "Take out of docs/errors.md what no source says");
  }
}
