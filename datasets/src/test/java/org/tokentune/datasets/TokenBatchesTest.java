package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objectives;

class TokenBatchesTest {

  private static TextTokenizer tokenizer(int longest, boolean cut) throws IOException {
    byte[] json =
        TokenBatchesTest.class
            .getClassLoader()
            .getResourceAsStream("tokenizer.json")
            .readAllBytes();
    return TextTokenizer.open(json, "tokenizer.json", longest, cut);
  }

  @Test
  void ignoresPaddingAndTruncationInTheFile() throws IOException {
    try (TextTokenizer tokenizer = tokenizer(12, false)) {
      TextTokenizer.Tokens single = tokenizer.encode("The cat plays.", null);
      assertArrayEquals(new int[] {2, 4, 22, 34, 31, 47, 3}, single.ids());
      assertArrayEquals(new int[] {-1, 0, 1, 2, 2, 3, -1}, single.words());
      TextTokenizer.Tokens pair = tokenizer.encode("a cat", "a dog");
      assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1}, pair.typeIds());
      String message =
          assertThrows(
                  BadInputException.class,
                  () -> tokenizer.encode("a a a a a a a a a a a a a a a", null))
              .getMessage();
      assertTrue(message.contains("17 tokens is longer than the 12 that fit"), message);
    }
    try (TextTokenizer tokenizer = tokenizer(6, true)) {
      int[] ids = tokenizer.encode("the cat likes the dog and the bird", null).ids();
      assertEquals(6, ids.length);
      assertEquals(3, ids[5]);
    }
    assertThrows(
        BadInputException.class, () -> TextTokenizer.open(new byte[] {'{'}, "broken", 12, false));
  }

  @Test
  void acceptsACommaAsATag() {
    for (List<String> each :
        List.of(
            List.of("DT NN , VB", ",", "DT", "NN", "VB"),
            List.of("B,I,O", "B", "I", "O"),
            List.of("B, I ,O", "B", "I", "O"),
            List.of(", NN", ",", "NN"),
            List.of("NN $, NN", "$,", "NN"))) {
      List<Example> rows = List.of(new Example("x", each.get(0)));
      assertEquals(each.subList(1, each.size()), Labels.of(Objectives.TOKEN, rows).names());
    }
  }

  @Test
  void numbersLabels() throws IOException {
    try (TextTokenizer tokenizer = tokenizer(40, false)) {
      Example tagged = new Example("the cat plays .", "O ANIMAL ACT O");
      Labels tags = Labels.of(Objectives.TOKEN, List.of(tagged));
      assertEquals(List.of("ACT", "ANIMAL", "O"), tags.names());
      TextTokenizer.Tokens tokens =
          tokenizer.encodeWords(Labels.words(tagged).toArray(String[]::new));
      assertArrayEquals(new float[] {-100, 2, 1, 0, -100, 2, -100}, tags.encode(tagged, tokens));

      Labels several =
          Labels.of(
              Objectives.MULTILABEL, List.of(new Example("x", "red, blue"), new Example("x", "")));
      assertArrayEquals(new float[] {0, 1}, several.encode(new Example("x", "red"), tokens));
      assertArrayEquals(new float[] {0, 0}, several.encode(new Example("x", ""), tokens));

      Labels stars =
          Labels.of(Objectives.CLASSIFY, List.of(new Example("x", "10"), new Example("x", "9")));
      assertEquals(List.of("9", "10"), stars.names());
      for (Runnable bad :
          List.<Runnable>of(
              () -> stars.encode(new Example("the text", "11"), tokens),
              () -> tags.encode(new Example("the text", "O"), tokens),
              () -> Labels.of(Objectives.CLASSIFY, List.of(new Example("the text", "1"))),
              () -> Labels.of(Objectives.CLASSIFY, List.of(new Example("the text", ""))),
              () ->
                  Labels.of(Objectives.REGRESS, List.of())
                      .encode(new Example("the text", "much"), tokens))) {
        System.out.println(assertThrows(BadInputException.class, bad::run).getMessage());
      }
    }
  }

  private static Example words(List<String> words, String... labels) {
    return new Example(String.join(" ", words), null, null, words, List.of(labels));
  }

  /**
   * As in transformers 5.24 with is_split_into_words: a word without tokens has no label, and the
   * other labels do not move.
   */
  @Test
  void keepsTagsOfListsOfWords() throws IOException {
    Labels tags = new Labels(Objectives.TOKEN, List.of("B", "X", "O"));
    try (TextTokenizer tokenizer = tokenizer(40, false)) {
      Example row =
          words(List.of("the cat", "", "dog", " ", "bird", "\u200b"), "B", "O", "X", "O", "B", "O");
      TextTokenizer.Tokens tokens = tokenizer.encode(row, Objectives.TOKEN);
      assertArrayEquals(new int[] {-1, 0, 0, 2, 4, -1}, tokens.words());
      assertArrayEquals(new float[] {-100, 0, -100, 1, 0, -100}, tags.encode(row, tokens));
      assertEquals(6, Labels.words(row).size());
      assertEquals(List.of("a", "b"), Labels.words(new Example(" a\t b\n", null)));

      Example none = words(List.of());
      assertArrayEquals(new int[] {2, 3}, tokenizer.encode(none, Objectives.TOKEN).ids());
      assertArrayEquals(
          new float[] {-100, -100}, tags.encode(none, tokenizer.encode(none, Objectives.TOKEN)));
      Example fewer = words(List.of("the", ""), "B");
      assertRejected(
          "has 2 words but 1 tags",
          () -> tags.encode(fewer, tokenizer.encode(fewer, Objectives.TOKEN)));
      assertRejected(
          "has no label", () -> Labels.of(Objectives.TOKEN, List.of(words(List.of("a"), ""))));
    }
  }

  @Test
  void usesListsOfLabelsUnchanged() {
    TextTokenizer.Tokens tokens =
        new TextTokenizer.Tokens(new int[] {1}, new int[] {0}, new int[] {0});
    Example both = words(List.of("x"), "Movies, TV", "a|b; c");
    Example one = words(List.of("x"), "Music");
    Labels labels = Labels.of(Objectives.MULTILABEL, List.of(both, one, words(List.of("x"))));
    assertEquals(List.of("Movies, TV", "Music", "a|b; c"), labels.names());
    assertArrayEquals(new float[] {1, 0, 1}, labels.encode(both, tokens));
    assertArrayEquals(new float[] {0, 0, 0}, labels.encode(words(List.of("x")), tokens));
    Labels split = Labels.of(Objectives.MULTILABEL, List.of(new Example("x", "Movies, TV")));
    assertEquals(List.of("Movies", "TV"), split.names());

    assertArrayEquals(
        new float[] {2.5f},
        new Labels(Objectives.REGRESS, List.of("value"))
            .encode(words(List.of("x"), "2.5"), tokens));
    assertRejected(
        "has 2 labels, [Movies, TV, a|b; c]", () -> Labels.of(Objectives.CLASSIFY, List.of(both)));
    assertRejected(
        "has a flag for every label, [1, 0, 1]",
        () -> Labels.of(Objectives.MULTILABEL, List.of(words(List.of("x"), "1", "0", "1"))));
    assertRejected(
        "has no label", () -> Labels.of(Objectives.CLASSIFY, List.of(words(List.of("x")))));
  }

  @Test
  void namesAllUnknownLabels() {
    List<Example> rows = IntStream.range(0, 14).mapToObj(i -> new Example("x", "c" + i)).toList();
    Labels labels = new Labels(Objectives.CLASSIFY, List.of("c0", "c1"));
    labels.check(rows.subList(0, 2), "file.csv");
    assertRejected(
        "file.csv: 1 of 3 rows have labels that the model does not know: [c2]; it knows [c0, c1].",
        () -> labels.check(rows.subList(0, 3), "file.csv"));
    assertRejected(
        "12 of 14 rows have labels that the model does not know: [c10, c11, c12, c13, c2, c3, c4, c5, c6, c7 and 2 more]",
        () -> labels.check(rows, "file.csv"));
    new Labels(Objectives.REGRESS, List.of("value")).check(rows, "file.csv");
  }

  private static void assertRejected(String part, Runnable body) {
    String message = assertThrows(BadInputException.class, body::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(part), message);
  }

  private static List<TokenBatches.Row> rows(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                new TokenBatches.Row(
                    IntStream.range(0, 2 + i % 7).map(x -> i + 1).toArray(),
                    new int[2 + i % 7],
                    new float[] {i}))
        .toList();
  }

  @Test
  void shufflesRowsBySeedAndEpoch() {
    List<TokenBatches.Row> rows = rows(103);
    int[] first = TokenBatches.shuffled(rows, Objectives.CLASSIFY, 10, 1, 0).order();
    assertArrayEquals(first, TokenBatches.shuffled(rows, Objectives.CLASSIFY, 10, 1, 0).order());
    assertFalse(
        Arrays.equals(first, TokenBatches.shuffled(rows, Objectives.CLASSIFY, 10, 1, 1).order()));
    assertFalse(
        Arrays.equals(first, TokenBatches.shuffled(rows, Objectives.CLASSIFY, 10, 2, 0).order()));
    assertArrayEquals(IntStream.range(0, 103).toArray(), Arrays.stream(first).sorted().toArray());
  }

  @Test
  void padsBatchesToTheLongestRow() {
    TokenBatches batches = TokenBatches.byLength(rows(23), Objectives.CLASSIFY, 4);
    List<Integer> labels = new ArrayList<>();
    while (batches.hasNext()) {
      MultiDataSet batch = batches.next();
      INDArray ids = batch.getFeatures(0);
      INDArray mask = batch.getFeatures(1);
      assertEquals(mask.sum(1).maxNumber().longValue(), ids.size(1));
      for (int row = 0; row < ids.size(0); row++) {
        int label = batch.getLabels(0).getInt(row);
        labels.add(label);
        long length = 2L + label % 7;
        assertEquals(length, mask.getRow(row).sumNumber().longValue());
        assertEquals(length * (label + 1), ids.getRow(row).sumNumber().longValue());
      }
    }
    assertArrayEquals(batches.order(), labels.stream().mapToInt(Integer::intValue).toArray());
  }

  @Test
  void hasFewPaddedLengths() {
    List<TokenBatches.Row> rows =
        IntStream.rangeClosed(1, 201)
            .mapToObj(length -> new TokenBatches.Row(new int[length], new int[length], null))
            .toList();
    TokenBatches batches = TokenBatches.byLength(rows, Objectives.CLASSIFY, 1);
    Set<Long> lengths = new TreeSet<>();
    for (int length = 1; batches.hasNext(); length++) {
      long padded = batches.next().getFeatures(0).size(1);
      lengths.add(padded);
      assertTrue(length <= padded && padded <= length * 1.125 + 1, length + " to " + padded);
    }
    System.out.println("201 lengths are padded to " + lengths);
    assertEquals(45, lengths.size());
    assertTrue(lengths.contains(201L), "never longer than the longest row");
  }

  private static List<TokenBatches.Row> ofLengths(int... lengths) {
    return Arrays.stream(lengths)
        .mapToObj(length -> new TokenBatches.Row(new int[length], new int[length], null))
        .toList();
  }

  /** Every row once, little padding, one shape for a padded length but for a few batches. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 300, 20_000})
  void batchesByTokensHaveFewShapes(int count) {
    SplittableRandom random = new SplittableRandom(count);
    int[] lengths =
        IntStream.range(0, count)
            .map(
                i -> (int) Math.min(512, Math.round(Math.exp(3 + 1.2 * random.nextGaussian())) + 2))
            .toArray();
    TokenBatches batches = TokenBatches.byTokens(ofLengths(lengths), Objectives.CLASSIFY);
    int[] order = batches.order();
    assertArrayEquals(IntStream.range(0, count).toArray(), Arrays.stream(order).sorted().toArray());
    Map<Long, Set<Long>> sizes = new TreeMap<>();
    long padded = 0;
    int next = 0;
    while (batches.hasNext()) {
      INDArray mask = batches.next().getFeatures(1);
      long size = mask.size(0);
      long length = mask.size(1);
      for (int row = 0; row < size; row++) {
        assertEquals(lengths[order[next++]], mask.getRow(row).sumNumber().intValue());
      }
      assertTrue(size == 1 || size * length <= TokenBatches.BATCH_TOKENS);
      padded += size * length;
      sizes.computeIfAbsent(length, any -> new TreeSet<>()).add(size);
    }
    assertEquals(count, next);
    long tokens = Arrays.stream(lengths).sum();
    long shapes = sizes.values().stream().mapToInt(Set::size).sum();
    System.out.printf(
        "%d rows of %d tokens: %d with padding, %d shapes%n", count, tokens, padded, shapes);
    assertTrue(shapes <= sizes.size() + 8);
    assertTrue(count < 100 || padded < 1.16 * tokens);
    assertTrue(count < 1000 || padded < 1.04 * tokens);
  }

  /** A row with more tokens than a batch should have is a batch of its own. */
  @Test
  void batchesByTokensKeepLongRows() {
    TokenBatches batches =
        TokenBatches.byTokens(ofLengths(5, 3000, 513, 512, 5), Objectives.CLASSIFY);
    List<List<Integer>> order = new ArrayList<>();
    while (batches.hasNext()) {
      INDArray mask = batches.next().getFeatures(1);
      order.add(Arrays.stream(mask.sum(1).toIntVector()).boxed().toList());
    }
    assertEquals(List.of(List.of(5, 5), List.of(512), List.of(513), List.of(3000)), order);
  }
}
