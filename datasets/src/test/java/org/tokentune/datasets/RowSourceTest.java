package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

class RowSourceTest {

  private static final List<String> FORMATS = List.of("csv", "tsv", "jsonl", "json");

  @TempDir private Path folder;

  /** Columns and rows of a task, and the method that reads them. */
  record Task(String name, List<String> columns, List<List<?>> rows, Function<Path, Object> read) {}

  static List<Task> tasks() {
    return List.of(
        new Task(
            "classify",
            List.of("text", "label"),
            List.of(List.of("a \"good\" cat", "good"), List.of("the naïve dog, bad", "bad")),
            labelled(Objectives.CLASSIFY)),
        new Task(
            "classify numbers",
            List.of("label", "text"),
            List.of(List.of(1, "a good cat"), List.of(0, "the bad dog")),
            labelled(Objectives.CLASSIFY)),
        new Task(
            "pairs",
            List.of("sentence1", "sentence2", "label"),
            List.of(List.of("a cat", "an animal", "yes"), List.of("a dog", "a cat", "no")),
            labelled(Objectives.CLASSIFY)),
        new Task(
            "regression",
            List.of("text", "label"),
            List.of(List.of("good", 4.5), List.of("bad", -1)),
            labelled(Objectives.REGRESS)),
        new Task(
            "multi label",
            List.of("text", "label"),
            List.of(
                List.of("a cat", List.of("animal", "pet")), List.of("a bird", List.of("animal"))),
            labelled(Objectives.MULTILABEL)),
        new Task(
            "token",
            List.of("text", "label"),
            List.of(
                List.of(List.of("Ann", "ran"), List.of("B-PER", "O")),
                List.of(List.of("a", "dog"), List.of("O", "O"))),
            labelled(Objectives.TOKEN)),
        new Task(
            "question answering",
            List.of("id", "question", "context", "answer", "answer_start"),
            List.of(
                List.of("1", "Who sat?", "Then the cat sat, still.", "the cat", 5),
                List.of("2", "What sat?", "Then the cat sat.", "cat", 9)),
            SquadQuestion::read),
        new Task(
            "multiple choice",
            List.of("question", "choices", "answer"),
            List.of(
                List.of("A cat", List.of("sat", "sang"), 1),
                List.of("A dog", List.of("ran", "4", "flew"), "ran")),
            ChoiceQuestion::read),
        new Task(
            "instructions",
            List.of("instruction", "input", "output"),
            List.of(List.of("Say it", "red", "It is \"red\"."), List.of("Count", "", "1, 2")),
            Instructions::read),
        new Task(
            "language model",
            List.of("text"),
            List.of(List.of("One day a dog ran."), List.of(" "), List.of("The end, \"he\" said.")),
            file -> tokens(tokenizer -> Arrays.toString(TextBlocks.tokens(file, tokenizer)))),
        new Task(
            "unlabelled",
            List.of("text"),
            List.of(List.of("to embed"), List.of("or to predict")),
            file -> TextFiles.read(file, Columns.DEFAULT, false)),
        new Task(
            "streamed text",
            List.of("number", "text"),
            many(i -> List.of(i, "One day a dog, no. " + i + ", ran.")),
            file -> streamed(tokenizer -> blocks(file, tokenizer))),
        new Task(
            "streamed instructions",
            List.of("instruction", "output"),
            many(i -> List.of("Say \"" + i + "\"", i + ", it is")),
            file -> streamed(tokenizer -> instructions(file, tokenizer))));
  }

  private static List<List<?>> many(Function<Integer, List<?>> row) {
    return IntStream.range(0, 100).boxed().<List<?>>map(row).toList();
  }

  /** Examples, and the labels that they have for the task. */
  private static Function<Path, Object> labelled(Objective task) {
    return file -> {
      List<Example> rows = TextFiles.read(file, Columns.DEFAULT, true);
      return rows.stream()
          .map(row -> Labels.words(row) + "|" + row.pair() + "|" + Labels.split(task, row))
          .toList();
    };
  }

  private static Object tokens(Function<TextTokenizer, Object> read) {
    try (TextTokenizer tokenizer = LanguageRowsTest.tokenizer()) {
      return read.apply(tokenizer);
    }
  }

  private static StreamedRows blocks(Path file, TextTokenizer tokenizer) {
    RowChunks chunks = chunks(file, new TextBlocks.Texts(Columns.DEFAULT, tokenizer));
    Function<TextChunks.Chunk, int[]> tokens =
        chunk ->
            TextBlocks.join(chunks.read(chunk, new TextBlocks.Texts(Columns.DEFAULT, tokenizer)));
    return new StreamedRows(chunks.chunks(), new JoinedBlocks("texts", tokens, 1 << 20), 16);
  }

  private static StreamedRows instructions(Path file, TextTokenizer tokenizer) {
    RowChunks chunks = chunks(file, new Instructions.Reader());
    TokenCache cache = new TokenCache(file.resolveSibling("cache"), new byte[] {1});
    PackedInstructions rows =
        new PackedInstructions(chunks, PromptTemplate.PLAIN, tokenizer, cache, 100);
    return new StreamedRows(chunks.chunks(), rows, 16);
  }

  private static RowChunks chunks(Path file, RowReader<?> reader) {
    return RowChunks.open(file, reader, 300);
  }

  /**
   * All rows, including those for validation, sorted, because the format decides where chunks end.
   */
  private static Object streamed(Function<TextTokenizer, StreamedRows> open) {
    return tokens(
        tokenizer -> {
          try (StreamedRows stream = open.apply(tokenizer)) {
            List<TokenBatches.Row> rows = new ArrayList<>(stream.validation());
            stream.rows(1, 0).forEachRemaining(rows::add);
            return rows.stream()
                .flatMap(row -> Arrays.stream(tokenizer.decode(row.ids()).split("(?<=ran\\.)")))
                .sorted()
                .toList();
          }
        });
  }

  private Path write(Task task, String format) throws IOException {
    List<String> lines = new ArrayList<>();
    boolean table = format.endsWith("sv");
    if (table) {
      lines.add(String.join(format.equals("csv") ? "," : "\t", task.columns));
    }
    for (List<?> row : task.rows) {
      lines.add(table ? fields(task, row, format.equals("csv")) : object(task.columns, row));
    }
    String text = String.join(format.equals("json") ? ",\n" : "\n", lines);
    return Files.writeString(
        folder.resolve(task.name + "." + format), format.equals("json") ? "[" + text + "]" : text);
  }

  private static String fields(Task task, List<?> row, boolean csv) {
    String bar = task.name.equals("multiple choice") ? "|" : task.name.equals("token") ? " " : ", ";
    return row.stream()
        .map(value -> value instanceof List<?> list ? joined(list, bar) : value.toString())
        .map(value -> csv ? "\"" + value.replace("\"", "\"\"") + "\"" : value)
        .collect(Collectors.joining(csv ? "," : "\t"));
  }

  private static String joined(List<?> list, String separator) {
    return list.stream().map(Object::toString).collect(Collectors.joining(separator));
  }

  private static String object(List<String> columns, List<?> row) throws IOException {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < row.size(); i++) {
      object.put(columns.get(i), row.get(i));
    }
    return new ObjectMapper().writeValueAsString(object);
  }

  @ParameterizedTest
  @MethodSource("tasks")
  void everyTaskReadsEveryFormatAlike(Task task) throws IOException {
    Object expected = task.read.apply(write(task, "jsonl"));
    String shown = String.format("%.160s", expected);
    for (String format : FORMATS) {
      Object read = task.read.apply(write(task, format));
      assertEquals(expected, read, format);
      System.out.printf("%s, %s: %s%n", task.name, format, shown);
    }
  }

  private static List<Row> rows(Path file) {
    List<Row> rows = new ArrayList<>();
    try (RowSource source = RowSource.open(file)) {
      source.forEachRemaining(rows::add);
    }
    return rows;
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  void valuesKeepTheTypesOfJson() throws IOException {
    Row row =
        rows(file("a.json", "[{\"a\":\"1\",\"b\":1,\"c\":[1.5,true],\"d\":null,\"e\":{\"x\":1}}]"))
            .get(0);
    assertEquals(List.of("a", "b", "c", "d", "e"), row.columns());
    assertEquals(Arrays.asList("1", 1, List.of(1.5, true), null, Map.of("x", 1)), row.values());
    assertNull(row.value("f"));
    assertEquals("1", rows(file("a.csv", "a\n1\n")).get(0).value("a"));
  }

  @Test
  void rowsKnowTheirLines() throws IOException {
    Map<String, String> ends =
        Map.of(
            "a.csv", "a\n\"1\n2\"\n\n3\n",
            "a.tsv", "a\n1\n\n\n3\n",
            "a.jsonl", "\r{\"a\":1}\r\n\n{\"a\":3}",
            "a", "[\n\n{\"a\":1},\n{\"a\":3}]");
    for (Map.Entry<String, String> each : ends.entrySet()) {
      Path file = file(each.getKey(), each.getValue());
      List<Row> rows = rows(file);
      System.out.println(rows.get(1).position());
      assertEquals(2, rows.size());
      assertTrue(
          rows.get(1).position().matches("\\Q" + file + "\\E, (line [45]|object 2 \\(line 4\\))"));
    }
  }

  @Test
  void rejectsADuplicateFieldThatIsRead() throws IOException {
    Path file = file("a.jsonl", "{\"text\":\"a\",\"x\":1,\"x\":2,\"text\":\"b\"}\n");
    assertEquals(4, rows(file).get(0).values().size());
    assertRejected(
        "line 1 has several columns text", () -> TextFiles.read(file, Columns.DEFAULT, false));
    Path task = file("b.jsonl", "{\"instruction\":\"a\",\"output\":\"b\",\"output\":\"c\"}\n");
    assertRejected("line 1 has several columns output", () -> Instructions.read(task));
  }

  /** A number is the position of a column in the first row. */
  @Test
  void readsFieldsInAnyOrder() throws IOException {
    Path file =
        file("a.jsonl", "{\"t\":\"a\",\"l\":\"x\"}\n{\"l\":\"y\",\"t\":\"b\"}\n{\"l\":\"z\"}\n");
    Columns numbers = new Columns(List.of("1"), "2");
    assertRejected(
        "line 3 has no column t; its columns are [l]", () -> TextFiles.read(file, numbers, true));
    Files.writeString(file, "{\"t\":\"a\",\"l\":\"x\"}\n{\"l\":\"y\",\"t\":\"b\"}\n");
    assertEquals(
        List.of(new Example("a", "x"), new Example("b", "y")), TextFiles.read(file, numbers, true));
  }

  @Test
  void distinguishesNumbersFromTextsOfChoices() throws IOException {
    Path file = file("a.csv", "question,choices,answer\n1 + 1,1|2|3,2\n");
    assertRejected(
        "line 2: the answer '2' is the text of one choice", () -> ChoiceQuestion.read(file));
    Files.writeString(file, "question,choices,answer\n1 + 1,1|2|3,B\n1 + 2,4|3|2,3\n");
    List<ChoiceQuestion> read = ChoiceQuestion.read(file);
    assertArrayEquals(new int[] {1, 1}, read.stream().mapToInt(ChoiceQuestion::answer).toArray());
  }

  @Test
  void rejectsTablesByTheirHeader() throws IOException {
    Path file = file("a.csv", "prompt;output\na, b;c\n");
    assertRejected("a.csv has no text instruction", () -> Instructions.read(file));
    assertRejected("a.csv has no column question", () -> ChoiceQuestion.read(file));
    assertRejected("a.csv has no question: give the columns", () -> SquadQuestion.read(file));
    assertRejected("a.csv has no column text", () -> TextFiles.read(file, Columns.DEFAULT, false));
  }

  /** Answers as in Hugging Face's copy of SQuAD. */
  @Test
  void readsListsOfAnswers() throws IOException {
    Path file =
        file(
            "a.jsonl",
            "{\"question\":\"Who?\",\"context\":\"The cat.\",\"answers\":{\"text\":[\"The cat\",\"cat\"],"
                + "\"answer_start\":[0,4]}}\n");
    SquadQuestion question = SquadQuestion.read(file).get(0);
    assertEquals("Who?", question.id());
    assertEquals(2, question.answers().size());
    Files.writeString(file, Files.readString(file).replace("[0,4]", "[0]"));
    assertRejected("line 1: the answer 'cat' to question Who?", () -> SquadQuestion.read(file));
  }

  @Test
  void rejectsPairsAsPlainText() throws IOException {
    Path file = file("a.csv", "sentence1,sentence2\na,b\n");
    assertRejected(
        "line 2 has a pair of texts; give columns with the one column",
        () -> tokens(tokenizer -> TextBlocks.tokens(file, tokenizer)));
  }

  @Test
  void streamsWholeRowsAndNamesTheirLines() throws IOException {
    String row = "\"a, \"\"b\"\"\nand more, \",\"c\r\nd\"\r\n";
    Path csv =
        file("a.csv", "\uFEFF\"instruction\",output\n" + row.repeat(60) + "x\n" + row.repeat(40));
    RowChunks chunks = chunks(csv, new Instructions.Reader());
    List<Instructions.Instruction> read = new ArrayList<>();
    String message =
        assertThrows(
                BadInputException.class,
                () -> {
                  for (int i = 0; i < chunks.chunks().count(); i++) {
                    read.addAll(chunks.read(chunks.chunks().read(i), new Instructions.Reader()));
                  }
                })
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("a.csv, line 182 has 1 fields"), message);
    Instructions.Instruction one =
        new Instructions.Instruction("a, \"b\"\nand more, ", "", "c\r\nd");
    assertTrue(read.size() > 40 && read.stream().allMatch(one::equals), read.size() + " rows");

    Path open =
        file("b.csv", "instruction,output\n" + row.repeat(60) + "\"x,y\n" + "c,d\n".repeat(200));
    assertRejected(
        "b.csv has a row of more than 300 bytes at byte",
        () -> chunks(open, new Instructions.Reader()));
  }

  @Test
  void checksTheEndOfAStreamedList() throws IOException {
    String one = "{\"instruction\": \"a \\\" ],[\", \"x\": [1, {\"y\": \"}\"}], \"output\": \"b\"}";
    String many = " [" + (one + ",\n").repeat(40);
    for (String end : List.of(one + "]\n", "]", one, one + "] x")) {
      Path file = file("a.json", many + end);
      RowChunks chunks = chunks(file, new Instructions.Reader());
      RowReader<Instructions.Instruction> reader = new Instructions.Reader();
      int last = chunks.chunks().count() - 1;
      int before = 0;
      for (int i = 0; i < last; i++) {
        before += chunks.read(chunks.chunks().read(i), reader).size();
      }
      if (end.endsWith("]\n")) {
        assertEquals(41, before + chunks.read(chunks.chunks().read(last), reader).size());
      } else {
        assertRejected("a.json, line 41", () -> chunks.read(chunks.chunks().read(last), reader));
      }
    }
  }

  /**
   * Files that other readers failed on or misread; the names contain the numbers of the reports.
   */
  @Test
  void readsOrRejectsReportedFiles() throws IOException {
    String a = "{\"text\":\"a\",\"label\":1}";
    List<List<String>> cases =
        List.of(
            List.of("datasets 6460.jsonl", a.replace("}", ",\"ner\":[[[0,4,\"X\"]]]}"), "[a=1]"),
            List.of("datasets 5776.jsonl", a + "\n{\"text\":\"b\",\"label\":\"x\"}", "[a=1, b=x]"),
            List.of(
                "datasets 7222.jsonl",
                a.replace("}", ",\"x\":null}") + "\n" + a.replace("}", ",\"x\":\"y\"}"),
                "[a=1, a=1]"),
            List.of("datasets 1784.json", a + "\n" + a + "\n\n", "[a=1, a=1]"),
            List.of(
                "datasets 6695.json",
                "[\"a\",\"b\"]",
                "element 1 (line 1) of the array is a string"),
            List.of(
                "longcite 11.jsonl", "[" + a + "]\n[" + a + "]", "line 2: something comes after"),
            List.of(
                "cleanlab 73.json",
                "{\"1\":" + a + ",\"2\":" + a + "}",
                "line 1 has no column text"),
            List.of(
                "glm 591.jsonl",
                a + "\n\n{\"text\":\"a\",}\n",
                "line 3 is not a whole JSON object"),
            List.of("inspect 5353.csv", "\uFEFFtext,label\nü,1\n", "[ü=1]"),
            List.of("inspect 5353.jsonl", "\uFEFF" + a, "[a=1]"),
            List.of("crewai 7466.csv", "\uFEFF\"last, first\",text,label\n\"D, J\",a,1\n", "[a=1]"),
            List.of("datasets 622.jsonl", "{\"text\":\"a\\rb\",\"label\":1}", "[a\rb=1]"),
            List.of("trailing comma.json", "[" + a + ",\n]", "line 2 is not JSON"),
            List.of("missing.jsonl", a + "\n{\"text\":\"b\"}", "line 2 has no column label"),
            List.of("null.json", "[" + a.replace("1", "null") + "]", "label is null, not a string"),
            List.of("cr.jsonl", a + "\r" + a + "\r", "[a=1, a=1]"),
            List.of("cr.csv", "text,label\r\"a\rb\",1\r", "[a\rb=1]"),
            List.of("numbers.jsonl", a + "\n" + a.replace("1", "1.0"), "[a=1, a=1.0]"),
            List.of("nan.jsonl", a.replace("1", "NaN"), "line 1 is not a whole JSON object"),
            List.of(
                "columns.json",
                "{\"text\":{\"0\":\"a\"},\"label\":{\"0\":1}}",
                "text is an object"));
    for (List<String> each : cases) {
      Path file = file(each.get(0), each.get(1));
      String expected = each.get(2);
      if (expected.startsWith("[")) {
        String read =
            TextFiles.read(file, Columns.DEFAULT, true).stream()
                .map(row -> row.text() + "=" + row.label())
                .toList()
                .toString();
        assertEquals(expected, read);
        System.out.println(each.get(0) + ": " + read);
      } else {
        assertRejected(expected, () -> TextFiles.read(file, Columns.DEFAULT, true));
      }
    }
  }

  @Test
  void readsLargeFiles() throws IOException {
    Path file = folder.resolve("large.csv");
    String rows =
        IntStream.range(0, 100_000)
            .mapToObj(i -> i + ",\"the text, number " + i + "\",label" + i % 5 + "\n")
            .collect(Collectors.joining());
    Files.writeString(file, "id,text,label\n" + rows);
    long begin = System.nanoTime();
    List<Example> read = TextFiles.read(file, Columns.DEFAULT, true);
    System.out.printf("100,000 rows of CSV in %.2f s%n", (System.nanoTime() - begin) / 1e9);
    assertEquals(new Example("the text, number 99999", "label4"), read.get(99_999));
  }

  private static void assertRejected(String part, Runnable body) {
    String message = assertThrows(BadInputException.class, body::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(part), message);
  }
}
