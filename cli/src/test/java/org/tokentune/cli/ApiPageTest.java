package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/api.md lists the public types of all modules, as their javadoc says them. */
class ApiPageTest {

  private static final Path PAGE = Document.HOME.resolve("docs/api.md");
  private static final String WRITE = "tokentune.write";
  private static final String DOC = "/\\*\\*((?:(?!\\*/).)*)\\*/\\s*";

  private static final Pattern TYPE =
      Pattern.compile(
          DOC
              + "(?:@\\w+(?:\\([^)]*\\))?\\s*)*public (?:abstract |final |sealed |non-sealed )*"
              + "(class|record|interface|enum) (\\w+)",
          Pattern.DOTALL);

  private static final Pattern PACKAGE =
      Pattern.compile(DOC + "package ([\\w.]+);", Pattern.DOTALL);

  private static final String HEAD =
      """
      # Public types

      Begin with `Zoo`, `ModelFolder`, `TextModel` and `TuningSettings`; `LanguageModel` is for decoders, `Trainer` for graphs and data of
      your own. What holds memory off the heap is `AutoCloseable`. Packages whose name contains
      `internal` may change in any version: their types are public because SameDiff creates ops by reflection, and other packages use them.

      `ApiPageTest` holds this page to the sources: `mvn -pl cli -am -Dtest=ApiPageTest -Dsurefire.failIfNoSpecifiedTests=false
      -Dtokentune.write=true test` writes it.
      """;

  /** A javadoc's first sentence, in Markdown. */
  private static String sentence(String doc) {
    String text = doc.replaceAll("(?m)^\\s*\\*", " ").replaceAll("\\s+", " ").strip();
    text = text.replaceFirst(" (@param|@see|@throws|<p>|<ul>|<pre>).*", "");
    text =
        text.replaceAll("\\{@link (?:[a-z]\\w*\\.)*#?([\\w#]+)[^}]*}|\\{@code ([^}]*)}", "`$1$2`");
    text = text.replaceAll("(`\\w+)#", "$1.").replaceAll("</?[a-z]+>", "").replace("|", "\\|");
    Matcher end = Pattern.compile("(?<!e\\.g)\\.(?= [A-Z`])").matcher(text);
    return end.find() ? text.substring(0, end.end()) : text;
  }

  private static void read(Path file, Map<String, String> packages, Map<String, String> types) {
    try {
      String source = Files.readString(file);
      String name = file.getFileName().toString();
      Matcher matcher = (name.equals("package-info.java") ? PACKAGE : TYPE).matcher(source);
      if (matcher.find()) {
        boolean type = matcher.groupCount() == 3;
        if (type) {
          String home = source.replaceFirst("(?s)^package ([\\w.]+);.*", "$1");
          types.put(
              home + " " + matcher.group(3),
              "| `%s` | %s |\n".formatted(matcher.group(3), sentence(matcher.group(1))));
        } else {
          packages.put(matcher.group(2), sentence(matcher.group(1)));
        }
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static String page() throws IOException {
    StringBuilder page = new StringBuilder(HEAD);
    for (String module :
        List.of(
            "zoo",
            "chat",
            "datasets",
            "datavec",
            "text",
            "dl4j",
            "langchain4j",
            "server",
            "spark",
            "tokentune-samediff",
            "bench",
            "cli",
            "notebooks")) {
      Map<String, String> packages = new TreeMap<>();
      Map<String, String> types = new TreeMap<>();
      try (Stream<Path> files = Files.walk(Document.HOME.resolve(module + "/src/main/java"))) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .forEach(file -> read(file, packages, types));
      }
      packages.forEach(
          (name, what) -> {
            page.append("\n## `").append(name).append("` (").append(module).append(")\n\n");
            page.append(what).append("\n\n| type | what |\n|---|---|\n");
            types.entrySet().stream()
                .filter(type -> type.getKey().startsWith(name + " "))
                .forEach(type -> page.append(type.getValue()));
          });
    }
    return page.toString();
  }

  @Test
  void listsEveryPublicType() throws IOException {
    String page = page();
    if (Boolean.getBoolean(WRITE)) {
      Files.writeString(PAGE, page);
    }
    assertEquals(
        page,
        Files.readString(PAGE),
        "Run this test with -D" + WRITE + "=true: it writes the page");
  }
}
