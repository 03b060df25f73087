package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.datasets.TextChunks.Chunk;

class StreamedRowsTest {

  @TempDir private Path folder;

  /** Lines with numbers, words and unusual characters; characters are tokens. */
  private Path text(int lines) throws IOException {
    return Files.writeString(
        folder.resolve("text.txt"),
        IntStream.range(0, lines)
            .mapToObj(i -> "line " + i + " naïve 語 \uD83D\uDE00\n")
            .collect(Collectors.joining()));
  }

  private static int[] characters(String text) {
    return text.codePoints().toArray();
  }

  private static JoinedBlocks joined(int length) {
    return new JoinedBlocks("blocks", chunk -> characters(chunk.text()), length);
  }

  private static String text(List<int[]> blocks) {
    return blocks.stream()
        .map(block -> new String(block, 0, block.length))
        .collect(Collectors.joining());
  }

  private static List<int[]> blocks(StreamedRows text, long seed, int epoch) {
    return rows(text, seed, epoch).stream().map(TokenBatches.Row::ids).toList();
  }

  private static List<TokenBatches.Row> rows(StreamedRows stream, long seed, int epoch) {
    List<TokenBatches.Row> rows = new ArrayList<>();
    stream.rows(seed, epoch).forEachRemaining(rows::add);
    return rows;
  }

  private static List<MultiDataSet> batches(StreamedRows stream, long seed, int epoch) {
    List<MultiDataSet> all = new ArrayList<>();
    stream.batches(5, seed, epoch).forEachRemaining(all::add);
    return all;
  }

  @Test
  void dividesFilesAtLineEnds() throws IOException {
    Path file = text(500);
    TextChunks chunks = TextChunks.of(file, 1000, true);
    List<String> read = texts(chunks);
    assertEquals(Files.readString(file), String.join("", read));
    read.forEach(chunk -> assertTrue(chunk.endsWith("\n") && chunk.startsWith("line ")));

    Path oneLine = Files.writeString(folder.resolve("line.txt"), "語\uD83D\uDE00".repeat(500));
    TextChunks cut = TextChunks.of(oneLine, 100, false);
    assertEquals(Files.readString(oneLine), String.join("", texts(cut)));
    assertRejected(
        "line.txt has a line of more than 100 bytes near byte 100;",
        () -> texts(TextChunks.of(oneLine, 100, true)));
    System.out.printf("%d chunks of lines, %d of one line%n", chunks.count(), cut.count());
  }

  private static List<String> texts(TextChunks chunks) {
    return IntStream.range(0, chunks.count()).mapToObj(chunks::read).map(Chunk::text).toList();
  }

  @Test
  void shufflesBlocksByTheSeed() throws IOException {
    TextChunks chunks = TextChunks.of(text(2000), 1000, false);
    JoinedBlocks joined = joined(32);
    try (StreamedRows text = new StreamedRows(chunks, joined, 64)) {
      String first = text(blocks(text, 7, 0));
      assertEquals(first, text(blocks(text, 7, 0)));
      assertNotEquals(first, text(blocks(text, 7, 1)));
      assertNotEquals(first, text(blocks(text, 8, 0)));
      List<String> texts = texts(chunks);
      String trained = String.join("", texts.subList(0, texts.size() - 1));
      assertEquals(sorted(trained), sorted(first));
      List<int[]> blocks = blocks(text, 7, 0);
      assertEquals(1, blocks.stream().filter(block -> block.length != 32).count());

      List<int[]> held = text.validation().stream().map(TokenBatches.Row::ids).toList();
      assertEquals(texts.get(texts.size() - 1), text(held));

      assertFalse(text.batches(5, 7, 0).resetSupported());
      List<MultiDataSet> batches = batches(text, 7, 0);
      assertEquals(blocks.size(), batches.stream().mapToLong(b -> b.getFeatures(0).size(0)).sum());
      assertEquals(characters(trained).length, tokens(batches));
    }
  }

  private static long tokens(List<MultiDataSet> batches) {
    return batches.stream().mapToLong(b -> b.getFeatures(1).sumNumber().longValue()).sum();
  }

  private static String sorted(String text) {
    int[] characters = text.codePoints().sorted().toArray();
    return new String(characters, 0, characters.length);
  }

  /** Answers of 1 to 20 words after prompts of 1 to 7. */
  private Path instructions(int count) throws IOException {
    return Files.writeString(
        folder.resolve("tasks.jsonl"),
        IntStream.range(0, count)
            .mapToObj(i -> instruction("Do ".repeat(1 + i % 7) + i, "dog ".repeat(1 + i * 3 % 20)))
            .collect(Collectors.joining()));
  }

  private static String instruction(String prompt, String answer) {
    return "{\"instruction\": \"%s\", \"output\": \"%s\"}\n".formatted(prompt, answer);
  }

  private StreamedRows stream(
      Path file, PromptTemplate template, TextTokenizer tokenizer, int length) {
    TokenCache cache = new TokenCache(folder.resolve("cache"), new byte[] {1});
    RowChunks chunks = RowChunks.open(file, new Instructions.Reader(), 1000);
    return new StreamedRows(
        chunks.chunks(), new PackedInstructions(chunks, template, tokenizer, cache, length), 64);
  }

  private static List<String> written(List<TokenBatches.Row> rows) {
    return rows.stream()
        .map(row -> Arrays.toString(row.ids()) + Arrays.toString(row.labels()))
        .toList();
  }

  /** The rows equal those of the whole file without its last chunk. */
  @Test
  void shufflesInstructionsByTheSeed() throws IOException {
    Path file = instructions(300);
    List<String> texts = texts(TextChunks.of(file, 1000, true));
    long trained = texts.subList(0, texts.size() - 1).stream().flatMap(String::lines).count();
    try (TextTokenizer tokenizer = LanguageRowsTest.tokenizer();
        StreamedRows stream = stream(file, PromptTemplate.PLAIN, tokenizer, 100)) {
      List<String> all =
          written(Instructions.rows(Instructions.read(file), PromptTemplate.PLAIN, tokenizer, 100));
      List<TokenBatches.Row> rows = rows(stream, 7, 0);
      List<String> first = written(rows);
      assertEquals(all.stream().limit(trained).sorted().toList(), first.stream().sorted().toList());
      assertEquals(all.stream().skip(trained).toList(), written(stream.validation()));
      assertEquals(first, written(rows(stream, 7, 0)));
      assertNotEquals(first, written(rows(stream, 7, 1)));
      assertNotEquals(first, written(rows(stream, 8, 0)));

      List<MultiDataSet> batches = batches(stream, 7, 0);
      List<MultiDataSet> again = batches(stream, 7, 0);
      assertEquals(batches.size(), again.size());
      for (int i = 0; i < batches.size(); i++) {
        assertSameBits(batches.get(i).getFeatures(0), again.get(i).getFeatures(0));
        assertSameBits(batches.get(i).getLabels(0), again.get(i).getLabels(0));
      }
      long tokens = rows.stream().mapToLong(row -> row.ids().length).sum();
      assertEquals((trained + 4) / 5, batches.size());
      assertEquals(tokens, tokens(batches));
      long[] widths = batches.stream().mapToLong(b -> b.getFeatures(0).size(1)).toArray();
      assertEquals(Arrays.stream(widths).max().orElseThrow(), widths[0], "the largest is first");
      double padded = 5.0 * Arrays.stream(widths).sum() / tokens - 1;
      System.out.printf(
          "%d of %d rows in %d chunks, %d batches of %d widths, %.0f%% padding%n",
          trained,
          all.size(),
          texts.size(),
          batches.size(),
          Arrays.stream(widths).distinct().count(),
          100 * padded);
      assertTrue(padded < 0.2, "rows of about the same length are together");
    }
  }

  @Test
  void cachesInstructionsByTemplateAndLength() throws IOException {
    Path file = instructions(100);
    List<StreamedRows> streams = new ArrayList<>();
    List<List<String>> made = new ArrayList<>();
    try (TextTokenizer tokenizer = LanguageRowsTest.tokenizer()) {
      streams.add(stream(file, PromptTemplate.PLAIN, tokenizer, 100));
      streams.add(stream(file, PromptTemplate.PLAIN, tokenizer, 20));
      streams.add(stream(file, PromptTemplate.CHATML, tokenizer, 100));
      streams.forEach(stream -> made.add(written(rows(stream, 7, 0))));
    }
    assertEquals(3, made.stream().distinct().count());
    assertEquals(3, streams.stream().map(StreamedRows::digest).distinct().count());
    for (int i = 0; i < 3; i++) {
      // The tokenizer is closed: everything is read from the cache.
      assertEquals(made.get(i), written(rows(streams.get(i), 7, 0)));
      streams.get(i).close();
    }
  }

  /** An element moves forward by less than the window's size, and backward by any distance. */
  @Test
  void shufflesWithinAWindow() {
    int size = 10;
    Iterator<Integer> source = IntStream.range(0, 1000).iterator();
    ShuffleWindow<Integer> shuffled = new ShuffleWindow<>(source, size, new Random(1));
    List<Integer> given = new ArrayList<>();
    while (shuffled.hasNext()) {
      given.add(shuffled.next());
    }
    double moved = 0;
    for (int i = 0; i < given.size(); i++) {
      assertTrue(given.get(i) < i + size, "too early");
      moved += Math.abs(given.get(i) - i);
    }
    assertEquals(IntStream.range(0, 1000).boxed().toList(), given.stream().sorted().toList());
    System.out.printf("moved by %.1f on average in a window of 10%n", moved / 1000);
    assertTrue(moved / 1000 > 4);
  }

  @Test
  void cachesTokensByContentAndChecksThem() throws IOException {
    Path cached = folder.resolve("cache");
    AtomicInteger made = new AtomicInteger();
    TokenCache cache = new TokenCache(cached, new byte[] {1});
    int[] expected = characters("some text");
    assertArrayEquals(expected, counted(cache, "some text", made));
    assertArrayEquals(expected, counted(cache, "some text", made));
    assertEquals(1, made.get(), "read from the cache");
    counted(cache, "other text", made);
    counted(new TokenCache(cached, new byte[] {2}), "some text", made);
    assertEquals(3, made.get(), "another text, another tokenizer");
    try (Stream<Path> all = Files.walk(cached)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        byte[] content = Files.readAllBytes(file);
        content[content.length - 1] ^= 1;
        Files.write(file, content);
      }
    }
    assertArrayEquals(expected, counted(cache, "some text", made));
    assertEquals(4, made.get(), "damaged, so made again");
    assertArrayEquals(expected, counted(cache, "some text", made));
    assertEquals(4, made.get(), "and written again");

    Path file = Files.createFile(folder.resolve("file"));
    TokenCache nowhere = new TokenCache(file, new byte[] {1});
    assertArrayEquals(expected, counted(nowhere, "some text", made));
  }

  private static int[] counted(TokenCache cache, String text, AtomicInteger made) {
    return cache.get(
        "text",
        text,
        each -> {
          made.incrementAndGet();
          return characters(each);
        });
  }

  @Test
  void reportsErrors() throws IOException {
    Path small = Files.writeString(folder.resolve("small.txt"), "hardly anything");
    assertRejected(
        "need not be streamed", () -> StreamedRows.ofText(small, StreamedRowsTest::characters, 8));
    assertRejected(
        "no file",
        () -> StreamedRows.ofText(folder.resolve("none"), StreamedRowsTest::characters, 8));
    assertRejected("have nothing to predict", () -> joined(1));
    byte[] bytes = new byte[5000];
    Arrays.fill(bytes, (byte) 'a');
    bytes[2500] = (byte) 0xFF;
    TextChunks broken =
        TextChunks.of(Files.write(folder.resolve("broken.txt"), bytes), 1000, false);
    JoinedBlocks joined = joined(8);
    try (StreamedRows text = new StreamedRows(broken, joined, 4)) {
      assertRejected("broken.txt is not text in UTF-8 near byte 2000", () -> blocks(text, 1, 0));
    }
  }

  @Test
  void namesTheLineOfABrokenInstruction() throws IOException {
    String lines = instruction("語", "dog ".repeat(5)).repeat(40);
    Path file = folder.resolve("broken.jsonl");
    for (String[] wrong :
        new String[][] {
          {"{\"instruction\": \"Do\"}", "has no text output"},
          {"[1]", "is an array, not a JSON object"},
          {"{\"instruction\"", "is not a whole JSON object"},
          {"{} {}", "is not a whole JSON object"}
        }) {
      Files.writeString(file, lines + wrong[0] + "\n" + lines);
      try (TextTokenizer tokenizer = LanguageRowsTest.tokenizer();
          StreamedRows stream = stream(file, PromptTemplate.PLAIN, tokenizer, 100)) {
        assertRejected("broken.jsonl, line 41 " + wrong[1], () -> rows(stream, 1, 0));
      }
    }
  }

  @Test
  void allowsChunksWithoutRows() throws IOException {
    String usable = instruction("Do", "dog").repeat(40);
    String beyond = instruction("Do ".repeat(60), "dog").repeat(40);
    Path file = Files.writeString(folder.resolve("x.jsonl"), usable + beyond + usable);
    Path ends = Files.writeString(folder.resolve("ends.jsonl"), usable + beyond);
    Path none = Files.writeString(folder.resolve("none.jsonl"), beyond + "\n".repeat(900));
    try (TextTokenizer tokenizer = LanguageRowsTest.tokenizer();
        StreamedRows some = stream(file, PromptTemplate.PLAIN, tokenizer, 30);
        StreamedRows start = stream(ends, PromptTemplate.PLAIN, tokenizer, 30);
        StreamedRows nothing = stream(none, PromptTemplate.PLAIN, tokenizer, 30)) {
      assertEquals(80, rows(some, 1, 0).size() + some.validation().size());
      assertEquals(40, rows(start, 1, 0).size());
      assertRejected(
          "ends.jsonl is held back for validation, but none of its rows", start::validation);
      assertRejected("none.jsonl has a token to predict within 30", () -> batches(nothing, 1, 0));
    }
  }

  private static void assertRejected(String part, Runnable body) {
    String message = assertThrows(BadInputException.class, body::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(part), message);
  }
}
