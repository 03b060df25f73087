package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;

class TextFilesTest {

  @TempDir private Path folder;

  private List<Example> read(String name, String content, Columns columns) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, content);
    return TextFiles.read(file, columns, true);
  }

  private void assertRejected(String expected, String name, String content, Columns columns) {
    String message =
        assertThrows(BadInputException.class, () -> read(name, content, columns)).getMessage();
    System.out.println(message);
    assertTrue(message.contains(expected) && message.contains(name), message);
  }

  @Test
  void readsCsv() throws IOException {
    assertEquals(
        List.of(
            new Example("plain", "1"),
            new Example("a \"quoted\", word", "0"),
            new Example("two\nlines, \\n no escape", "1")),
        read(
            "a.csv",
            "\uFEFF\"text\",label\nplain,1\n\n\"a \"\"quoted\"\", word\",0\r\n\"two\nlines, \\n no escape\",1\n",
            Columns.DEFAULT));
  }

  /** The results of Python 3.13's csv in strict mode, wherever it returns any. */
  @Test
  void readsCsvAsPythonDoes() throws IOException {
    List<List<String>> cases =
        List.of(
            List.of(
                "The 5\" screen is great,pos\nA 7\" one\"\",neg\n",
                "The 5\" screen is great",
                "A 7\" one\"\""),
            List.of("a\"b,c\" ,d\n", "*line 2 has 3 fields"),
            List.of(" \"a\",x\n\"\",y\n", " \"a\"", ""),
            List.of("\"a\"\"\"\"b\"\"\",x", "a\"\"b\""),
            List.of("\"a\r\nb\rc\nd\",x\r\ne,y\rf,z\n", "a\r\nb\rc\nd", "e", "f"),
            List.of("'a,x\na\\,y\n\\\",z", "'a", "a\\", "\\\""),
            List.of("\n\r\n \n\t\na,x\n\n\n", "a"),
            List.of("a\u2028b\u0085c\fd,x\n", "a\u2028b\u0085c\fd"),
            List.of("\"a\"b,x\n", "*line 2: a quote opens a field that nothing closes"),
            List.of("a,x\n\"b\" ,y\n", "*line 3: a quote opens"),
            List.of("a,x\n\"b\n\nc\",y\n\"d,z\ne,x\n", "*line 6: a quote opens"),
            List.of("\"a\nb\",\"x\nc,y\n", "*line 3: a quote opens"),
            List.of("\"a,x\nb,y\n\"c,z\n", "*line 2: a quote opens"));
    for (List<String> each : cases) {
      String content = "text,label\n" + each.get(0);
      String first = each.get(1);
      if (first.startsWith("*")) {
        assertRejected(first.substring(1), "a.csv", content, Columns.DEFAULT);
      } else {
        List<String> texts =
            read("a.csv", content, Columns.DEFAULT).stream().map(Example::text).toList();
        assertEquals(each.subList(1, each.size()), texts);
      }
    }
  }

  @Test
  void readsABlankTextInQuotesAsARow() throws IOException {
    Path file = Files.writeString(folder.resolve("one.csv"), "text\n\"\"\n  \n\" \"\nx\n");
    List<Example> rows = TextFiles.read(file, Columns.DEFAULT, false);
    assertEquals(List.of("", " ", "x"), rows.stream().map(Example::text).toList());
  }

  /** An unclosed quote costs no more than the longest field, however long the file is. */
  @Test
  void limitsUnclosedQuotes() {
    long[] asked = {0};
    Reader endless =
        new Reader() {
          @Override
          public int read(char[] text, int from, int length) {
            Arrays.fill(text, from, from + length, 'x');
            if (asked[0] == 0) {
              "a,b\n\"".getChars(0, 5, text, from);
            }
            asked[0] += length;
            return length;
          }

          @Override
          public void close() {}
        };
    CsvRecords records = new CsvRecords(endless, new Origin(Path.of("endless.csv")));
    assertTrue(records.hasNext());
    assertEquals(List.of("a", "b"), records.next().values());
    assertTrue(asked[0] < 100_000, "reads " + asked[0] + " characters ahead");
    String message = assertThrows(BadInputException.class, records::hasNext).getMessage();
    System.out.println(message);
    assertTrue(
        message.contains("endless.csv, line 2: a field has more than 16,777,216 characters"),
        message);
    assertTrue(asked[0] <= CsvRecords.LONGEST + 100_000, asked[0] + " characters were read");
  }

  @Test
  void limitsTheFieldsOfARow() {
    assertRejected(
        "line 2 has more than 16,384 fields",
        "a.csv",
        "text,label\n" + ",".repeat(20_000),
        Columns.DEFAULT);
  }

  @Test
  void noticesChangesOfAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("log.csv"), "text,label\na,b\n");
    for (TextFile.Body<Path> change :
        List.<TextFile.Body<Path>>of(
            in -> Files.writeString(file, "a,c\n", StandardOpenOption.APPEND),
            in -> {
              Files.delete(file);
              throw new BadInputException("line 1 is broken");
            })) {
      String message =
          assertThrows(BadInputException.class, () -> TextFile.read(file, change)).getMessage();
      System.out.println(message);
      assertTrue(message.contains("log.csv changed while it was read"), message);
    }
  }

  @Test
  void readsTsvWithLiteralQuotes() throws IOException {
    assertEquals(
        List.of(new Example("a \"film", "b, c", "same")),
        read("a.tsv", "sentence1\tsentence2\tlabel\na \"film\tb, c\tsame\n", Columns.DEFAULT));
  }

  @Test
  void readsJsonLines() throws IOException {
    assertEquals(
        List.of(
            new Example("a cat", null, "x,y", List.of("a", "cat"), List.of("x", "y")),
            new Example("naïve", "3"),
            new Example("a", null, "true"),
            new Example("w5 w6 ", null, "B O,1", List.of("w5 w6", ""), List.of("B O", "1")),
            new Example("", null, "", List.of(), List.of())),
        read(
            "a.jsonl",
            """
            {"text": ["a", "cat"], "label": ["x", "y"]}

            {"label": 3, "other": {}, "text": "na\\u00efve"}\r
            {"text": "a", "label": true}
            {"text": ["w5 w6", ""], "label": ["B O", 1]}
            {"text": [], "label": []}
            """,
            Columns.DEFAULT));
  }

  @Test
  void readsOneJsonArray() throws IOException {
    List<Example> rows =
        List.of(new Example("a", "x"), new Example("b [", null, "y", null, List.of("y")));
    for (String content :
        List.of(
            "[{\"text\": \"a\", \"label\": \"x\"}, {\"text\": \"b [\", \"label\": [\"y\"]}]",
            "\uFEFF\n\r\n [\n{\"text\": \"a\",\n \"label\": \"x\"},\n{\"text\": \"b [\", \"label\": [\"y\"]}\n]\n\n")) {
      assertEquals(rows, read("a.json", content, Columns.DEFAULT));
      assertEquals(rows, read("a.jsonl", content, Columns.DEFAULT));
    }
    String row = "{\"text\": \"a\", \"label\": 1}";
    assertRejected("has no rows", "a.json", "[]", Columns.DEFAULT);
    assertRejected(
        "object 2 (line 3) has no column text",
        "a.json",
        "[\n" + row + ",\n{\"x\": 1}]",
        Columns.DEFAULT);
    assertRejected(
        "element 2 (line 2) of the array is an array, not a JSON object",
        "a.json",
        "[" + row + ",\n[1]]",
        Columns.DEFAULT);
    assertRejected("line 3 is not JSON", "a.json", "\n[" + row + ",\n{a}]", Columns.DEFAULT);
    assertRejected("line 2 is not JSON", "a.json", "[" + row + ",\n", Columns.DEFAULT);
    assertRejected(
        "line 2: something comes after the JSON array",
        "a.json",
        "[" + row + "]\n" + row,
        Columns.DEFAULT);
    assertRejected(
        "line 2 is an array, not a JSON object",
        "a.jsonl",
        row + "\n[" + row + "]\n",
        Columns.DEFAULT);
    assertRejected("a whole JSON object (Trailing token);", "a.json", row + row, Columns.DEFAULT);
    assertRejected(
        "line 1 is not a whole JSON object", "a.json", "{\n\"text\": \"a\"}", Columns.DEFAULT);
  }

  @Test
  void namesUnsupportedLayouts() {
    assertRejected(
        "line 1 is a chat (messages), not a row with a text and a label",
        "a.jsonl",
        "{\"messages\": [{\"role\": \"user\"}]}",
        Columns.DEFAULT);
    assertRejected(
        "line 1 is a chat (conversations)",
        "a.jsonl",
        "{\"id\": 1, \"conversations\": []}",
        Columns.DEFAULT);
    assertRejected(
        "messages is a list with an object, not a string",
        "a.jsonl",
        "{\"messages\": [{\"role\": \"user\"}], \"label\": 1}",
        new Columns(List.of("messages"), null));
    assertRejected(
        "text is a list with null, not a string",
        "a.jsonl",
        "{\"text\": [\"a\", null], \"label\": [\"x\", \"y\"]}",
        Columns.DEFAULT);
    assertRejected(
        "label is null, not a string",
        "a.jsonl",
        "{\"text\": \"a\", \"label\": null}",
        Columns.DEFAULT);
    assertRejected(
        "text is a list with an array, not a string",
        "a.jsonl",
        "{\"text\": [[\"a\"]], \"label\": 1}",
        Columns.DEFAULT);
  }

  @Test
  void findsColumnsByNameOrNumber() throws IOException {
    String content = "id\tone two\t3\n7\tfirst\tsecond\n";
    assertEquals(
        List.of(new Example("first", "second", "7")),
        read("b.tsv", content, new Columns(List.of("2", "3"), "id")));
  }

  @Test
  void reportsErrors() {
    assertRejected("several columns text", "a.csv", "text,text,label\nx,y,1\n", Columns.DEFAULT);
    assertRejected(
        "no column nose", "a.csv", "text,label\nx,1\n", new Columns(List.of("nose"), null));
    assertRejected("no column label; name", "a.csv", "text,stars\nx,1\n", Columns.DEFAULT);
    assertRejected(
        "no column stras", "a.csv", "text,stars\nx,1\n", new Columns(List.of(), "stras"));
    assertRejected("one column, [text;label]", "a.csv", "text;label\nx;1\n", Columns.DEFAULT);
    assertRejected("[body, label]", "a.csv", "body,label\nx,1\n", Columns.DEFAULT);
    assertRejected("no rows", "a.csv", "text,label\n", Columns.DEFAULT);
    assertRejected("empty", "a.csv", "", Columns.DEFAULT);
    assertRejected("line 3 has 3 fields", "a.csv", "text,label\nx,1\nx,y,1\n", Columns.DEFAULT);
    assertRejected(
        "line 2: a quote opens a field that nothing closes",
        "a.csv",
        "text,label\n\"x,1\n\ny,2\n",
        Columns.DEFAULT);
    assertRejected(
        "line 2 is not a whole JSON object",
        "a.jsonl",
        "{\"text\":\"a\",\"label\":1}\n{a\n",
        Columns.DEFAULT);
    assertRejected("is a number, not a JSON object", "a.jsonl", "[1]\n", Columns.DEFAULT);
    assertRejected(
        "label is an object, not a string",
        "a.jsonl",
        "{\"text\":\"a\",\"label\":{}}",
        Columns.DEFAULT);
    assertRejected("known format", "a.xls", "text,label\nx,1\n", Columns.DEFAULT);
    assertThrows(
        BadInputException.class,
        () -> TextFiles.read(folder.resolve("none.csv"), Columns.DEFAULT, true));
  }

  @Test
  void rejectsBytesThatAreNotUtf8() throws IOException {
    Path file = folder.resolve("latin.csv");
    Files.writeString(file, "text,label\ncafé,1\n", StandardCharsets.ISO_8859_1);
    String message =
        assertThrows(BadInputException.class, () -> TextFiles.read(file, Columns.DEFAULT, true))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("latin.csv cannot be read as text in UTF-8"), message);
  }
}
