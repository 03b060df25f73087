package org.tokentune.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A page of Markdown, line by line. A comment in front of a block, a table or a paragraph says
 * where its numbers come from:
 *
 * <pre>{@code
 * <!-- printed by: memory --model bert-large -->
 * <!-- printed by: bench; in part by: bench --shape small --steps 0 -->
 * <!-- printed by: memory --model {}; in part by: bert-base-cased, roberta-base -->
 * <!-- measured by: acceptance/accuracy.sh sst2 -->
 * <!-- measured with: PyTorch 2.3.1, on the same machine -->
 * }</pre>
 *
 * With {@code {}}, there is a command for each row of a table, whose first cell takes its place; of
 * all rows, or of those that are named.
 */
record Document(Path path, List<String> lines) {

  /** The checkout. */
  static final Path HOME = Path.of("..").toAbsolutePath().normalize();

  private static final Pattern SOURCE =
      Pattern.compile(
          "<!-- (printed by|measured by|measured with): (.*?)(?:; in part by: (.*))? -->");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Pattern SKIPPED = Pattern.compile("<!-- docs\\.sh: skip, .+ -->");
  private static final String FENCE = "```";
  private static final String SHELL = FENCE + "sh";

  /**
   * What a comment says of the lines below it.
   *
   * @param verb e.g. {@code printed by}
   * @param by command, script or, of {@code measured with}, words
   * @param part a cheaper command that prints some of it; or null
   * @param line the comment's number, from 1
   * @param block whether the lines are a block
   * @param lines up to the next empty one, or of a block those between its fences
   */
  record Sourced(
      Document document,
      int line,
      String verb,
      String by,
      String part,
      boolean block,
      List<String> lines) {

    @Override
    public String toString() {
      return document + ":" + line + " " + verb + ": " + by;
    }
  }

  /** README.md and all of docs. */
  static List<Document> all() {
    try (Stream<Path> docs = Files.list(HOME.resolve("docs"))) {
      return Stream.concat(Stream.of(HOME.resolve("README.md")), docs.sorted())
          .filter(path -> path.toString().endsWith(".md"))
          .map(Document::read)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Document read(Path path) {
    try {
      return new Document(path, Files.readAllLines(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All that has a comment on it. */
  List<Sourced> sourced() {
    List<Sourced> all = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      Matcher matcher = SOURCE.matcher(lines.get(i));
      if (matcher.matches()) {
        boolean fenced = lines.get(i + 1).startsWith(FENCE);
        int from = fenced ? i + 2 : i + 1;
        int to = from;
        while (to < lines.size()
            && !(fenced ? lines.get(to).equals(FENCE) : lines.get(to).isBlank())) {
          to++;
        }
        all.add(
            new Sourced(
                this,
                i + 1,
                matcher.group(1),
                matcher.group(2),
                matcher.group(3),
                fenced,
                lines.subList(from, to)));
      }
    }
    return all;
  }

  /** Lines, numbered from 1, of which no comment says where they come from; blocks are empty. */
  List<String> unsourced() {
    List<String> rest = new ArrayList<>(lines);
    for (Sourced sourced : sourced()) {
      for (int i = 0; i < sourced.lines().size(); i++) {
        rest.set(sourced.line() + (sourced.block() ? 1 : 0) + i, "");
      }
    }
    boolean inside = false;
    for (int i = 0; i < rest.size(); i++) {
      boolean fence = rest.get(i).startsWith(FENCE);
      if (inside || fence) {
        rest.set(i, "");
      }
      inside ^= fence;
    }
    return rest;
  }

  /** Lines of blocks. */
  List<String> blocks() {
    List<String> found = new ArrayList<>();
    boolean inside = false;
    for (String line : lines) {
      if (line.startsWith(FENCE)) {
        inside = !inside;
      } else if (inside) {
        found.add(line);
      }
    }
    return found;
  }

  /** Lines of blocks that are marked as a shell's. */
  List<String> commands() {
    return commands(true);
  }

  /**
   * The same.
   *
   * @param skipped whether those that acceptance/docs.sh skips are among them
   */
  List<String> commands(boolean skipped) {
    List<String> found = new ArrayList<>();
    boolean inside = false;
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).startsWith(FENCE)) {
        inside =
            !inside
                && lines.get(i).equals(SHELL)
                && (skipped || i == 0 || !SKIPPED.matcher(lines.get(i - 1)).matches());
      } else if (inside) {
        found.add(lines.get(i));
      }
    }
    return found;
  }

  /** What stands between backquotes in the text. */
  List<String> code() {
    List<String> found = new ArrayList<>();
    boolean inside = false;
    StringBuilder text = new StringBuilder();
    for (String line : lines) {
      inside ^= line.startsWith(FENCE);
      text.append(inside || line.startsWith(FENCE) ? "" : line).append('\n');
    }
    Matcher matcher = CODE.matcher(text);
    while (matcher.find()) {
      found.add(matcher.group(1).replace('\n', ' '));
    }
    return found;
  }

  @Override
  public String toString() {
    return HOME.relativize(path).toString();
  }
}
