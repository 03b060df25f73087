package org.tokentune.tables;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.TextFiles;

class TableFilesTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir private Path folder;
  private TableFiles tables;

  @BeforeEach
  void cache() {
    tables = new TableFiles(folder.resolve("cache"));
  }

  private static List<JsonNode> rows(Path file) throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      rows.add(MAPPER.readTree(line));
    }
    return rows;
  }

  private Path resource(String name) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream in = TableFilesTest.class.getResourceAsStream("/" + name)) {
      Files.copy(in, file);
    }
    return file;
  }

  private Path write(String name, String content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, content);
  }

  private static void refuses(String sentence, Executable call) {
    String message = assertThrows(BadInputException.class, call).getMessage();
    System.out.println(message);
    assertTrue(message.contains(sentence), message);
    assertTrue(message.lines().count() == 1, message);
  }

  /** acceptance/tables.py made the files, and wrote the rows as JSON by itself. */
  @ParameterizedTest
  @ValueSource(strings = {"datasets", "pyarrow"})
  void readsWhatPythonWroteToTheRowsOfItsJson(String name) throws IOException {
    List<JsonNode> expected = rows(resource(name + ".jsonl"));
    List<JsonNode> read = rows(tables.file(resource(name + ".parquet").toString()));
    System.out.printf(Locale.ROOT, "%s: %d rows, such as %s%n", name, read.size(), read.get(0));
    assertEquals(expected.size(), read.size());
    for (int row = 0; row < read.size(); row++) {
      assertEquals(expected.get(row), read.get(row), name + ", row " + (row + 1));
    }
  }

  @Test
  void readsCompressedFilesAsWhatIsInside() throws IOException {
    String text = "text,label\ngood,1\n\"bad, very\",0\n";
    for (String ending : List.of("gz", "zst")) {
      Path file = folder.resolve("rows.csv." + ending);
      // Two members, or frames, as pigz, bgzip and zstd's own tools write them.
      try (OutputStream out = Files.newOutputStream(file)) {
        for (String part : List.of(text.substring(0, 15), text.substring(15))) {
          if (ending.equals("gz")) {
            GZIPOutputStream member = new GZIPOutputStream(out);
            member.write(part.getBytes(UTF_8));
            member.finish();
          } else {
            out.write(Zstd.compress(part.getBytes(UTF_8)));
          }
        }
      }
      Path read = tables.file(file.toString());
      assertEquals("rows.csv", read.getFileName().toString());
      assertEquals(text, Files.readString(read));
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(whole, whole.length - 5));
      refuses("rows.csv." + ending + " cannot be decompressed", () -> tables.file(file.toString()));
    }
  }

  @Test
  void readsFoldersAndPatternsInTheOrderOfTheirNumbers() throws IOException {
    for (int part : new int[] {10, 2, 1}) {
      write(
          "data/part-" + part + ".jsonl",
          "{\"text\": \"t" + part + "\", \"label\": " + part + "}\n");
    }
    write("data/more/z.csv", "text,label\nlast,11\n");
    write("data/.hidden/x.csv", "text,label\nhidden,0\n");
    write("data/README.md", "# not rows\n");
    List<String> all = texts(tables.file(folder.resolve("data").toString()));
    List<String> parts = texts(tables.file(folder + "/data/part-*.jsonl"));
    System.out.println(all + ", " + parts);
    assertEquals(List.of("last", "t1", "t2", "t10"), all);
    assertEquals(List.of("t1", "t2", "t10"), parts);
    refuses("No file matches", () -> tables.file(folder + "/data/*.parquet"));
    refuses("in a folder's name", () -> tables.file(folder + "/*/part-1.jsonl"));
    Files.createDirectories(folder.resolve("empty"));
    refuses("has no .parquet", () -> tables.file(folder.resolve("empty").toString()));
  }

  private static List<String> texts(Path file) {
    return TextFiles.read(file, Columns.DEFAULT, true).stream().map(Example::text).toList();
  }

  @Test
  void keepsTheFileUntilItsSourceChanges() throws IOException {
    Path source = resource("pyarrow.parquet");
    Path first = tables.file(source.toString());
    assertEquals(first, tables.file(source.toString()));
    Files.copy(resource("datasets.parquet"), source, StandardCopyOption.REPLACE_EXISTING);
    Path second = tables.file(source.toString());
    System.out.println(folder.relativize(first) + ", then " + folder.relativize(second));
    assertNotEquals(first, second);
    assertEquals(3, rows(second).size());
    assertTrue(Files.notExists(first));
  }

  @Test
  void plainFilesAreReadAsTheyAre() throws IOException {
    Path plain = write("rows.csv", "text,label\na,b\n");
    assertEquals(plain, tables.file(plain.toString()));
    Path strange = write("rows[1].csv", "text,label\na,b\n");
    assertEquals(strange, tables.file(strange.toString()));
  }

  @Test
  void refusesDamagedFilesAndLabelsWithoutNames() throws IOException, SQLException {
    Path file = resource("pyarrow.parquet");
    byte[] whole = Files.readAllBytes(file);
    Path half = folder.resolve("half.parquet");
    Files.write(half, Arrays.copyOf(whole, whole.length / 2));
    refuses("half.parquet is not a whole Parquet file", () -> tables.file(half.toString()));
    Files.write(half, new byte[0]);
    refuses("half.parquet is not a whole Parquet file", () -> tables.file(half.toString()));
    Set<String> messages = new TreeSet<>();
    for (int at = 4; at < whole.length - 8; at += 97) {
      byte[] damaged = whole.clone();
      Arrays.fill(damaged, at, at + 4, (byte) 0xA5);
      Path one = folder.resolve("damaged" + at + ".parquet");
      Files.write(one, damaged);
      try {
        assertEquals(5, rows(tables.file(one.toString())).size(), "no row is lost in silence");
      } catch (BadInputException e) {
        messages.add(e.getMessage().replaceAll(".*damaged[0-9]+", "..."));
        assertTrue(e.getMessage().contains("damaged" + at + ".parquet"), e.getMessage());
      }
    }
    refuses("There is no file", () -> tables.file("missing.parquet"));
    System.out.println(messages);
    Path wrong = folder.resolve("wrong.parquet");
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = duckdb.createStatement()) {
      String meta =
          "{\"info\": {\"features\": {\"label\": {\"names\": [\"a\"], \"_type\": \"ClassLabel\"}}}}";
      statement.execute(
          "COPY (SELECT 'x' AS text, i AS label FROM range(2) t(i)) TO '"
              + wrong
              + "' (FORMAT parquet, KV_METADATA {huggingface: '"
              + meta
              + "'})");
    }
    refuses("wrong.parquet, row 2 has the class label 1", () -> tables.file(wrong.toString()));
    try (var left = Files.walk(folder.resolve("cache"))) {
      assertTrue(
          left.filter(Files::isRegularFile).allMatch(each -> each.toString().endsWith(".jsonl")),
          "nothing half-written is left");
    }
  }

  @Test
  void readsQueriesOfDuckDbAndSqlite() throws IOException, SQLException {
    for (String kind : List.of("duckdb", "sqlite")) {
      String url = "jdbc:" + kind + ":" + folder.resolve("reviews." + kind);
      try (Connection database = DriverManager.getConnection(url);
          Statement statement = database.createStatement()) {
        statement.execute("CREATE TABLE reviews(body VARCHAR, stars INTEGER, photo BLOB)");
        statement.execute("INSERT INTO reviews VALUES ('good', 5, x'00'), ('so so', NULL, NULL)");
      }
      Path read = tables.query(url, "SELECT body AS text, stars AS label FROM reviews ORDER BY 1");
      System.out.println(kind + ": " + rows(read));
      assertEquals(
          List.of(
              MAPPER.readTree("{\"text\": \"good\", \"label\": 5}"),
              MAPPER.readTree("{\"text\": \"so so\", \"label\": null}")),
          rows(read));
      refuses("The query failed", () -> tables.query(url, "SELECT nothing FROM nowhere"));
      refuses(
          kind.equals("duckdb") ? "Could not convert string 'good'" : "integer overflow",
          () ->
              tables.query(
                  url,
                  kind.equals("duckdb")
                      ? "SELECT body::INTEGER AS label FROM reviews"
                      : "SELECT abs(-9223372036854775807 - 1) AS label FROM reviews"));
      refuses("several columns", () -> tables.query(url, "SELECT 1 AS a, 2 AS a"));
    }
    refuses("no JDBC driver", () -> tables.query("jdbc:nothing://me:secret@host/x", "SELECT 1"));
  }

  /** Sorting is total and by numbers. */
  @Test
  void namesAreInNaturalOrder() {
    List<String> names = new ArrayList<>(List.of("a10", "a2", "b", "a", "a02", "10", "9", "a2b"));
    names.sort(FoundFiles.NATURAL);
    assertEquals(List.of("9", "10", "a", "a02", "a2", "a2b", "a10", "b"), names);
    IntStream.range(0, names.size())
        .forEach(i -> assertEquals(0, FoundFiles.NATURAL.compare(names.get(i), names.get(i))));
  }
}
