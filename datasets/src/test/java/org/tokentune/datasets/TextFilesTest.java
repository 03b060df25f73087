package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

  private void refused(String expected, String name, String content, Columns columns) {
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
            "\uFEFFtext,label\nplain,1\n\n\"a \"\"quoted\"\", word\",0\r\n\"two\nlines, \\n no escape\",1\n",
            Columns.DEFAULT));
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
        List.of(new Example("a cat", "x,y"), new Example("naïve", "3")),
        read(
            "a.jsonl",
            """
            {"text": ["a", "cat"], "label": ["x", "y"]}
            {"label": 3, "other": {}, "text": "na\\u00efve"}
            """,
            Columns.DEFAULT));
  }

  @Test
  void columnsHaveNamesOrNumbers() throws IOException {
    String content = "id\tone two\t3\n7\tfirst\tsecond\n";
    assertEquals(
        List.of(new Example("first", "second", "7")),
        read("b.tsv", content, new Columns(List.of("2", "3"), "id")));
  }

  @Test
  void saysWhatIsWrong() {
    refused("no column nose", "a.csv", "text,label\nx,1\n", new Columns(List.of("nose"), null));
    refused("no column label; name", "a.csv", "text,stars\nx,1\n", Columns.DEFAULT);
    refused("no column stras", "a.csv", "text,stars\nx,1\n", new Columns(List.of(), "stras"));
    refused("one column, [text;label]", "a.csv", "text;label\nx;1\n", Columns.DEFAULT);
    refused("[body, label]", "a.csv", "body,label\nx,1\n", Columns.DEFAULT);
    refused("no rows", "a.csv", "text,label\n", Columns.DEFAULT);
    refused("empty", "a.csv", "", Columns.DEFAULT);
    refused("line 3 has 3 fields", "a.csv", "text,label\nx,1\nx,y,1\n", Columns.DEFAULT);
    refused("line 2 opens a quote", "a.csv", "text,label\n\"x,1\n\ny,2\n", Columns.DEFAULT);
    refused("line 2 is no JSON", "a.jsonl", "{\"text\":\"a\",\"label\":1}\n{a\n", Columns.DEFAULT);
    refused("no JSON object", "a.jsonl", "[1]\n", Columns.DEFAULT);
    refused("label is no string", "a.jsonl", "{\"text\":\"a\",\"label\":{}}", Columns.DEFAULT);
    refused("known format", "a.xls", "text,label\nx,1\n", Columns.DEFAULT);
    assertThrows(
        BadInputException.class,
        () -> TextFiles.read(folder.resolve("none.csv"), Columns.DEFAULT, true));
  }

  @Test
  void refusesBytesThatAreNoUtf8() throws IOException {
    Path file = folder.resolve("latin.csv");
    Files.writeString(file, "text,label\ncafé,1\n", StandardCharsets.ISO_8859_1);
    String message =
        assertThrows(BadInputException.class, () -> TextFiles.read(file, Columns.DEFAULT, true))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("latin.csv cannot be read as text in UTF-8"), message);
  }
}
