package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadInputException;

class StreamedTextTest {

  @TempDir private Path folder;

  /** Lines of numbers in words and strange characters; characters are tokens. */
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

  private static String text(List<int[]> blocks) {
    return blocks.stream()
        .map(block -> new String(block, 0, block.length))
        .collect(Collectors.joining());
  }

  private static List<int[]> blocks(StreamedText text, long seed, int epoch) {
    List<int[]> blocks = new ArrayList<>();
    text.blocks(seed, epoch).forEachRemaining(blocks::add);
    return blocks;
  }

  @Test
  void chunksJoinToTheFileAndEndWithLines() throws IOException {
    Path file = text(500);
    TextChunks chunks = TextChunks.of(file, 1000);
    List<String> read = IntStream.range(0, chunks.count()).mapToObj(chunks::read).toList();
    assertEquals(Files.readString(file), String.join("", read));
    read.forEach(chunk -> assertTrue(chunk.endsWith("\n") && chunk.startsWith("line ")));

    Path oneLine = Files.writeString(folder.resolve("line.txt"), "語\uD83D\uDE00".repeat(500));
    TextChunks cut = TextChunks.of(oneLine, 100);
    assertEquals(
        Files.readString(oneLine),
        IntStream.range(0, cut.count()).mapToObj(cut::read).collect(Collectors.joining()));
    System.out.printf("%d chunks of lines, %d of one line%n", chunks.count(), cut.count());
  }

  @Test
  void everyBlockComesOnceInAnOrderThatTheSeedSays() throws IOException {
    TextChunks chunks = TextChunks.of(text(2000), 1000);
    try (StreamedText text = new StreamedText(chunks, StreamedTextTest::characters, 32, 64)) {
      String first = text(blocks(text, 7, 0));
      assertEquals(first, text(blocks(text, 7, 0)));
      assertNotEquals(first, text(blocks(text, 7, 1)));
      assertNotEquals(first, text(blocks(text, 8, 0)));
      String trained =
          IntStream.range(0, chunks.count() - 1)
              .mapToObj(chunks::read)
              .collect(Collectors.joining());
      assertEquals(sorted(trained), sorted(first));
      List<int[]> blocks = blocks(text, 7, 0);
      assertEquals(1, blocks.stream().filter(block -> block.length != 32).count());

      List<int[]> held = text.validation().stream().map(TokenBatches.Row::ids).toList();
      assertEquals(chunks.read(chunks.count() - 1), text(held));

      MultiDataSetIterator batches = text.batches(5, 7, 0);
      assertFalse(batches.resetSupported());
      long rows = 0;
      long tokens = 0;
      while (batches.hasNext()) {
        MultiDataSet batch = batches.next();
        rows += batch.getFeatures(0).size(0);
        tokens += batch.getFeatures(1).sumNumber().longValue();
      }
      assertEquals(blocks.size(), rows);
      assertEquals(characters(trained).length, tokens);
    }
  }

  private static String sorted(String text) {
    int[] characters = text.codePoints().sorted().toArray();
    return new String(characters, 0, characters.length);
  }

  /** As likely at every place: the window reaches back over its size and no further ahead. */
  @Test
  void aWindowShufflesWithinItself() {
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
  void tokensAreCachedByContentAndCheckedBeforeUse() throws IOException {
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
        text,
        each -> {
          made.incrementAndGet();
          return characters(each);
        });
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path small = Files.writeString(folder.resolve("small.txt"), "hardly anything");
    refused(
        "need not be streamed", () -> StreamedText.open(small, StreamedTextTest::characters, 8));
    refused(
        "no file",
        () -> StreamedText.open(folder.resolve("none"), StreamedTextTest::characters, 8));
    byte[] bytes = new byte[5000];
    Arrays.fill(bytes, (byte) 'a');
    bytes[2500] = (byte) 0xFF;
    TextChunks broken = TextChunks.of(Files.write(folder.resolve("broken.txt"), bytes), 1000);
    try (StreamedText text = new StreamedText(broken, StreamedTextTest::characters, 8, 4)) {
      refused("broken.txt is no text in UTF-8 near byte 2000", () -> blocks(text, 1, 0));
    }
  }

  private static void refused(String part, Runnable body) {
    String message = assertThrows(BadInputException.class, body::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(part), message);
  }
}
