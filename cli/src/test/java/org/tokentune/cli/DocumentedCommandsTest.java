package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Commands, options, files and tests named in the documentation exist. */
class DocumentedCommandsTest {

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)]+)\\)");

  /** Of ND4J's, Maven's, pip's and other programs. */
  private static final Set<String> FOREIGN_OPTIONS = Set.of("--add-opens");

  private static List<Document> documents() {
    List<Document> all = new ArrayList<>(Document.all());
    for (String name : List.of("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")) {
      all.add(Document.read(Document.HOME.resolve(name)));
    }
    return all;
  }

  private static void none(String what, Predicate<String> wrong, Stream<String> all) {
    assertEquals("", all.distinct().filter(wrong).collect(Collectors.joining("\n")), what);
  }

  private static Stream<String> code() {
    return documents().stream().flatMap(document -> document.code().stream());
  }

  @Test
  void commandsParse() {
    List<String> commands =
        Stream.concat(
                documents().stream().flatMap(document -> document.blocks().stream()),
                code().filter(text -> !text.contains("COMMAND")))
            .filter(line -> line.startsWith("./tokentune "))
            .toList();
    System.out.println(commands.size() + " commands");
    assertTrue(commands.size() > 20);
    for (String command : commands) {
      TokenTune.commands().parseArgs(DocumentedNumbersTest.arguments(command));
    }
  }

  @Test
  void optionsExist() {
    Set<String> options = new TreeSet<>(FOREIGN_OPTIONS);
    add(TokenTune.commands(), options);
    none(
        "There is no such option:",
        option -> !options.contains(option),
        code()
            .flatMap(text -> Pattern.compile("(?<![\\w-])--[a-z][a-z-]*").matcher(text).results())
            .map(result -> result.group()));
  }

  private static void add(CommandLine command, Set<String> options) {
    options.addAll(command.getCommandSpec().optionsMap().keySet());
    command.getSubcommands().values().forEach(below -> add(below, options));
  }

  @Test
  void linksLead() {
    for (Document document : documents()) {
      for (String line : document.lines()) {
        Matcher matcher = LINK.matcher(line);
        while (matcher.find()) {
          String target = matcher.group(1);
          if (!target.startsWith("https://")) {
            String[] parts = target.split("#", 2);
            Path path = document.path().resolveSibling(parts[0]);
            assertTrue(Files.exists(path), document + " links " + target);
            assertTrue(
                parts.length == 1 || anchors(path).contains(parts[1]),
                document + " links " + target);
          }
        }
      }
    }
  }

  /** Names of a page's sections, as GitHub makes them. */
  private static Set<String> anchors(Path page) {
    return Document.read(page).lines().stream()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(java.util.Locale.ROOT))
        .map(line -> line.replaceAll("[^\\w -]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  @Test
  void filesExist() {
    none(
        "There is no such file:",
        file -> Files.notExists(Document.HOME.resolve(file)),
        Stream.concat(code(), documents().stream().flatMap(document -> document.blocks().stream()))
            .flatMap(
                text ->
                    Pattern.compile(
                            "(?<![\\w./-])(acceptance|notebooks|docs|examples|tokentune-samediff)/[\\w./-]*")
                        .matcher(text)
                        .results())
            .map(result -> result.group()));
  }

  @Test
  void testsExist() throws IOException {
    Set<String> classes = new TreeSet<>();
    try (Stream<Path> files = Files.walk(Document.HOME)) {
      files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".java"))
          .forEach(name -> classes.add(name.replace(".java", "")));
    }
    none(
        "There is no such test:",
        test -> !classes.contains(test),
        code().filter(text -> text.matches("[A-Z]\\w+(Test|Check)")));
  }
}
