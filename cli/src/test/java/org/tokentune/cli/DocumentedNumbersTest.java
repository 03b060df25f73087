package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;
import org.tokentune.cli.Document.Sourced;

/**
 * Numbers in README.md and docs are those that commands print. {@link Document} describes the
 * comments that say which command; where text and output part ways, paste what the command prints.
 */
class DocumentedNumbersTest {

  /** With a point, and no version. */
  private static final Pattern NUMBER =
      Pattern.compile("(?<![\\w.,-])\\d[\\d,]*\\.\\d+(?![\\w.]*\\.?\\w)");

  private static final String MEASURED = "measured";

  /** In a command, stands for the first cell of each row of the table. */
  private static final String ROW = "{}";

  private final Map<String, List<String>> printed = new HashMap<>();

  @TestFactory
  Stream<DynamicTest> numbersAreThoseThatCommandsPrint() {
    return Document.all().stream()
        .flatMap(document -> document.sourced().stream())
        .map(sourced -> DynamicTest.dynamicTest(sourced.toString(), () -> check(sourced)));
  }

  private void check(Sourced sourced) {
    if (sourced.verb().equals("measured with")) {
      return;
    }
    if (sourced.verb().equals("measured by") && !sourced.by().startsWith("./tokentune")) {
      String script = arguments(sourced.by())[0];
      assertTrue(Files.exists(Document.HOME.resolve(script)), "There is no " + script);
      return;
    }
    if (sourced.by().contains(ROW)) {
      rowByRow(sourced);
      return;
    }
    String[] command = arguments(sourced.by());
    TokenTune.commands().parseArgs(command);
    if (sourced.verb().equals("measured by")) {
      return;
    }
    boolean whole = sourced.part() == null;
    List<String> output = run(whole ? sourced.by() : sourced.part());
    boolean table = sourced.lines().get(0).startsWith("|");
    String lead =
        "Bring the lines below the comment to what the command prints:\n"
            + String.join("\n", output)
            + "\n\n";
    if (sourced.block()) {
      if (whole) {
        assertEquals(String.join("\n", output).strip(), String.join("\n", sourced.lines()), lead);
      } else {
        begin(sourced.lines(), output, lead);
      }
    } else if (table && !whole) {
      rows(sourced.lines(), output, lead);
    } else {
      inOrder(numbers(table ? planned(sourced.lines()) : sourced.lines()), numbers(output), lead);
    }
  }

  /** The command has the first cell of a row in place of {}; if there is a part, of those rows. */
  private void rowByRow(Sourced sourced) {
    Set<String> named = new HashSet<>();
    for (String row : planned(sourced.lines())) {
      String name = row.split("\\|", -1)[1].strip().replace("`", "");
      String command = sourced.by().replace(ROW, name);
      TokenTune.commands().parseArgs(arguments(command));
      named.add(name);
      if (sourced.part() == null || List.of(sourced.part().split(", ", -1)).contains(name)) {
        List<String> output = run(command.replace(" samples/", " " + Document.HOME + "/samples/"));
        inOrder(numbers(List.of(row)), numbers(output), String.join("\n", output) + "\n\n");
      }
    }
    if (sourced.part() != null) {
      assertTrue(named.containsAll(List.of(sourced.part().split(", ", -1))), sourced.part());
    }
  }

  /** A command's lines, without blanks at their ends. */
  private List<String> run(String command) {
    return printed.computeIfAbsent(
        command,
        key -> {
          Run run = Run.of((Object[]) arguments(key));
          assertEquals(0, run.code(), run.printed());
          return run.printed().lines().map(String::stripTrailing).toList();
        });
  }

  /** Splits a command as a shell does; without {@code ./tokentune}. */
  static String[] arguments(String command) {
    List<String> words = new ArrayList<>();
    Matcher matcher = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)").matcher(command);
    while (matcher.find()) {
      words.add(matcher.group().replaceAll("^[\"']|[\"']$", ""));
    }
    words.removeIf("./tokentune"::equals);
    return words.toArray(String[]::new);
  }

  /** Every line that is printed is the beginning of one in the text, in the same order. */
  private static void begin(List<String> text, List<String> output, String lead) {
    Iterator<String> lines = text.iterator();
    for (String wanted : output) {
      boolean found = wanted.isEmpty();
      while (!found && lines.hasNext()) {
        found = lines.next().startsWith(wanted);
      }
      assertTrue(found, lead + "No line begins, in this order: " + wanted);
    }
  }

  /** Every line that is printed has a row, with numbers of that line. */
  private static void rows(List<String> table, List<String> output, String lead) {
    int found = 0;
    for (String row : planned(table)) {
      String name = row.split("\\|", -1)[1].strip();
      for (String line : output) {
        if (line.matches(Pattern.quote(name) + " +\\d.*")) {
          inOrder(numbers(List.of(row)), numbers(List.of(line)), lead);
          found++;
        }
      }
    }
    long wanted = output.stream().filter(line -> !numbers(List.of(line)).isEmpty()).count();
    assertEquals(wanted, found, lead + "Every line needs a row of its name.");
  }

  /** A table's rows without the columns whose heads say that they were measured. */
  private static List<String> planned(List<String> table) {
    String[] heads = table.get(0).split("\\|", -1);
    Set<Integer> left = new HashSet<>();
    for (int i = 0; i < heads.length; i++) {
      if (heads[i].contains(MEASURED)) {
        left.add(i);
      }
    }
    List<String> rows = new ArrayList<>();
    for (String line : table.subList(2, table.size())) {
      String[] cells = line.split("\\|", -1);
      StringBuilder row = new StringBuilder();
      for (int i = 0; i < cells.length; i++) {
        row.append(left.contains(i) ? "" : cells[i]).append('|');
      }
      rows.add(row.toString());
    }
    return rows;
  }

  private static void inOrder(List<String> text, List<String> output, String lead) {
    assertTrue(!text.isEmpty(), "There is no number below the comment.");
    Iterator<String> numbers = output.iterator();
    for (String wanted : text) {
      boolean found = false;
      while (!found && numbers.hasNext()) {
        found = numbers.next().equals(wanted);
      }
      assertTrue(found, lead + "It does not print, in this order, " + wanted + " of " + text);
    }
  }

  private static List<String> numbers(List<String> lines) {
    return lines.stream()
        .flatMap(line -> NUMBER.matcher(line).results().map(result -> result.group()))
        .toList();
  }

  @Test
  void differencesAreSeen() {
    List<String> printed = List.of("a   1.0   2.0", "b   3.0");
    inOrder(List.of("1.0", "3.0"), numbers(printed), "");
    differs(() -> inOrder(List.of("3.0", "1.0"), numbers(printed), ""));
    differs(() -> inOrder(List.of("1.1"), numbers(printed), ""));
    differs(() -> inOrder(List.of(), numbers(printed), ""));
    begin(List.of("a   1.0   2.0   17 ms", "more", "b   3.0   4 ms"), printed, "");
    differs(() -> begin(List.of("b   3.0", "a   1.0   2.0"), printed, ""));
    differs(() -> begin(List.of("a   1.0   2.1", "b   3.0"), printed, ""));
    List<String> table = new ArrayList<>(List.of("| | MB | ms, measured |", "|---|---|---|"));
    table.addAll(List.of("| a | 2.0 | 9.9 |", "| b | 3.0 | |", "| c | 7.0 | |"));
    rows(table, printed, "");
    differs(() -> rows(table.subList(0, 3), printed, ""));
    table.set(3, "| b | 3.1 | |");
    differs(() -> rows(table, printed, ""));
    assertEquals(List.of("1,024.5", "98.5"), numbers(List.of("1,024.5 MB of 2.3.1, 1e-5, 98.5%.")));
  }

  private static void differs(Executable check) {
    assertThrows(AssertionError.class, check);
  }

  @Test
  void everyNumberSaysWhereItIsFrom() {
    List<String> without = new ArrayList<>();
    for (Document document : Document.all()) {
      if (document.path().endsWith("api.md")) {
        continue; // first sentences of the javadoc
      }
      List<String> lines = document.unsourced();
      for (int i = 0; i < lines.size(); i++) {
        for (String number : numbers(List.of(lines.get(i).replaceAll("`[^`]*`|\\$[^$]*\\$", "")))) {
          without.add(document + ":" + (i + 1) + ": " + number);
        }
      }
    }
    if (!without.isEmpty()) {
      fail(
          "Say above the paragraph where its numbers come from, as Document describes it"
              + " (<!-- printed by: COMMAND -->), or take them out:\n"
              + String.join("\n", without));
    }
  }
}
