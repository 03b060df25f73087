package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.zoo.Zoo;
import picocli.CommandLine;

/** Commands, options, files and tests named in the documentation exist. */
class DocumentedCommandsTest {

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)]+)\\)");

  /** Of ND4J's, Maven's, pip's and other programs. */
  private static final Set<String> FOREIGN_OPTIONS =
      Set.of("--add-modules", "--add-opens", "--class", "--master");

  private static List<Document> documents() {
    List<Document> all = new ArrayList<>(Document.all());
    for (String name :
        List.of("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "samples/README.md")) {
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

  /** acceptance/docs.sh runs the blocks that are marked as a shell's. */
  @Test
  void blocksOfCommandsAreMarked() {
    for (Document document : Document.all()) {
      List<String> marked = document.commands();
      List<String> unmarked = new ArrayList<>(document.blocks());
      unmarked.removeIf(line -> !line.startsWith("./tokentune ") || marked.contains(line));
      assertEquals(List.of(), unmarked, document + ": begin these blocks with ```sh");
    }
  }

  /** No training is refused because an earlier one wrote into its folder. */
  @Test
  void modelsAreThoseThatEarlierCommandsWrote() {
    Set<String> models = new TreeSet<>();
    Zoo.list().forEach(model -> models.add(model.name()));
    for (Document document : Document.all()) {
      for (String command : document.commands()) {
        List<String> arguments = List.of(DocumentedNumbersTest.arguments(command));
        for (String option : List.of("--model", "--adapter")) {
          value(arguments, option)
              .map(model -> model.replaceFirst("^[\\w-]+=", "")) // serve names adapters
              .ifPresent(
                  model ->
                      assertTrue(
                          models.contains(model), document + ": no " + model + ": " + command));
        }
        if (List.of("train", "export").contains(arguments.get(0)) && !arguments.contains("hub")) {
          String output = value(arguments, "--output").orElse("tokentune-model");
          assertTrue(models.add(output), document + ": " + output + " exists: " + command);
        }
      }
    }
  }

  private static Optional<String> value(List<String> arguments, String option) {
    int at = arguments.indexOf(option);
    return at < 0 ? Optional.empty() : Optional.of(arguments.get(at + 1));
  }

  /**
   * The commands of README.md, with two steps for each training. acceptance/docs.sh runs those of
   * all pages as they are printed.
   */
  @Test
  void commandsRunInOrder(@TempDir Path folder) {
    for (String command : Document.read(Document.HOME.resolve("README.md")).commands(false)) {
      String name = DocumentedNumbersTest.arguments(command)[0];
      if (Set.of("train", "evaluate", "predict", "embed").contains(name)) {
        long start = System.nanoTime();
        Run run = Run.of(shortened(command, folder).toArray());
        System.out.printf("%.1f s: %s%n", (System.nanoTime() - start) / 1e9, command);
        assertEquals(0, run.code(), command + "\n" + run.printed());
      }
    }
  }

  private static List<String> shortened(String command, Path folder) {
    List<String> arguments = new ArrayList<>(List.of(DocumentedNumbersTest.arguments(command)));
    boolean train = arguments.get(0).equals("train");
    if (train) {
      arguments.addAll(List.of("--steps", "2"));
    }
    if (train && !arguments.contains("--output")) {
      arguments.addAll(List.of("--output", "tokentune-model"));
    }
    for (int i = 1; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (argument.startsWith("samples/")) {
        arguments.set(i, Document.HOME.resolve(argument).toString());
      } else if (arguments.get(i - 1).equals("--output")
          || (argument.matches("[\\w-]+") && Files.exists(folder.resolve(argument)))) {
        arguments.set(i, folder.resolve(argument).toString());
      }
    }
    return arguments;
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
                            "(?<![\\w./-])(acceptance|notebooks|docs|examples|samples|tokentune-samediff)/[\\w./-]*")
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
