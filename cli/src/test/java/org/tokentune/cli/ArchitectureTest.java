package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of docs/architecture.md: which package imports which. */
class ArchitectureTest {

  private static final Pattern IMPORT =
      Pattern.compile("(?m)^import (?:static )?org\\.tokentune\\.([a-z]+)\\.");
  private static final Pattern CODE = Pattern.compile("`(\\w+)`");

  private static Set<String> find(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map((MatchResult result) -> result.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void importsAreThoseOfTheTable() throws IOException {
    TreeMap<String, Set<String>> imports = new TreeMap<>();
    for (String module : new String[] {"tokentune-samediff", "zoo", "datasets", "text", "dl4j"}) {
      try (Stream<Path> files =
          Files.walk(Document.HOME.resolve(module).resolve("src/main/java"))) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .forEach(
                file -> {
                  String home = file.getParent().getFileName().toString();
                  Set<String> all = imports.computeIfAbsent(home, key -> new TreeSet<>());
                  all.addAll(find(IMPORT, read(file)));
                  all.remove(home);
                });
      }
    }
    imports.remove("tokentune");
    TreeMap<String, Set<String>> table = new TreeMap<>();
    Document.read(Document.HOME.resolve("docs/architecture.md")).lines().stream()
        .dropWhile(line -> !line.equals("| package | imports |"))
        .takeWhile(line -> line.startsWith("|"))
        .filter(line -> line.startsWith("| `") && !line.startsWith("| `cli`"))
        .forEach(
            line -> {
              String[] cells = line.split("\\|", -1);
              table.put(find(CODE, cells[1]).iterator().next(), find(CODE, cells[2]));
            });
    assertEquals(imports.toString(), table.toString(), "docs/architecture.md");
  }
}
