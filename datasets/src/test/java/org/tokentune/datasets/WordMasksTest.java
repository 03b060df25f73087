package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.TokenSelector;

/** Texts whose words are hidden. The words of the model are letters, alone or within a word. */
class WordMasksTest {

  private static final int NONE = TokenSelector.NO_LABEL;
  private static final int MASK = 4;

  private static ModelFiles files;
  private static TextTokenizer tokenizer;

  @TempDir private Path folder;

  @BeforeAll
  static void open() {
    files =
        ModelFolder.open(Path.of("../tokentune-samediff/src/test/resources/golden/distilbert-mlm"));
    tokenizer = TextTokenizer.open(files, Integer.MAX_VALUE, false);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
    files.close();
  }

  private static String text(int lines) {
    return IntStream.range(0, lines)
        .mapToObj(i -> "the cat and a dog, number " + Integer.toString(i * 7919, 36) + ".")
        .map(line -> line.replaceAll("[0-9]", "x"))
        .collect(Collectors.joining("\n\n", "", "\n"));
  }

  private Path file(int lines) throws IOException {
    return Files.writeString(folder.resolve("text.txt"), text(lines));
  }

  private static MaskableTexts texts(int length, boolean joined) {
    return new MaskableTexts(tokenizer, Columns.DEFAULT, length, joined);
  }

  /** Shares of a great many hidden tokens, and what may never be hidden or drawn. */
  @Test
  void hidesFifteenPercentAsWholeWords() throws IOException {
    List<TokenBatches.Row> rows = texts(64, true).rows(file(800));
    WordMasks masks = new WordMasks(tokenizer, WordMasks.USUAL_SHARE);
    SplittableRandom random = new SplittableRandom(1);
    int words = 0;
    int hidden = 0;
    int masked = 0;
    int same = 0;
    Set<Integer> others = new TreeSet<>();
    for (TokenBatches.Row row : rows) {
      int[] ids = row.ids().clone();
      int[] marks = marks(row);
      int[] labels = marks.clone();
      masks.hide(ids, labels, random);
      for (int i = 0; i < ids.length; i++) {
        words += marks[i] == NONE ? 0 : 1;
        if (labels[i] == NONE) {
          assertEquals(row.ids()[i], ids[i], "what is not hidden stays");
          continue;
        }
        assertNotEquals(NONE, marks[i], "no special token is hidden");
        assertEquals(row.ids()[i], labels[i]);
        hidden++;
        masked += ids[i] == MASK ? 1 : 0;
        same += ids[i] == labels[i] ? 1 : 0;
        if (ids[i] != MASK) {
          others.add(ids[i]);
        }
      }
      for (int i = 1; i < ids.length; i++) {
        if (marks[i] == WordMasks.CONTINUES_WORD && marks[i - 1] != NONE) {
          assertEquals(labels[i - 1] == NONE, labels[i] == NONE, "whole words are hidden");
        }
      }
    }
    System.out.printf(
        "of %,d tokens %.2f%% hidden, of these %.1f%% masked and %.1f%% the same%n",
        words, 100.0 * hidden / words, 100.0 * masked / hidden, 100.0 * same / hidden);
    assertEquals(0.15, (double) hidden / words, 0.005);
    assertEquals(0.8, (double) masked / hidden, 0.02);
    assertEquals(0.1 + 0.1 / 56, (double) same / hidden, 0.015);
    assertEquals(56, others.size(), "all words but the 5 special ones are drawn: " + others);
    assertTrue(others.stream().allMatch(id -> id > MASK), others.toString());
  }

  private static int[] marks(TokenBatches.Row row) {
    int[] marks = new int[row.labels().length];
    Arrays.setAll(marks, i -> (int) row.labels()[i]);
    return marks;
  }

  @Test
  void hidesAtLeastOneWord() {
    WordMasks masks = new WordMasks(tokenizer, 0.15);
    for (int[] marks :
        List.of(new int[] {NONE, 1, NONE}, new int[] {1, 0, 0}, new int[] {NONE, 0, 0, NONE})) {
      int[] ids = new int[marks.length];
      Arrays.fill(ids, 9);
      int[] labels = marks.clone();
      masks.hide(ids, labels, new SplittableRandom(3));
      for (int i = 0; i < marks.length; i++) {
        assertEquals(marks[i] == NONE ? NONE : 9, labels[i]);
      }
    }
    int[] special = {NONE, NONE};
    masks.hide(new int[] {1, 2}, special, new SplittableRandom(3));
    assertArrayEquals(new int[] {NONE, NONE}, special);
  }

  /** Where words are not cut, tokens are hidden one by one: at most the share of them. */
  @Test
  void textsWithoutSpacesAreHiddenByTokens() {
    int[] marks = new int[100];
    marks[0] = 1;
    int[] ids = new int[100];
    Arrays.fill(ids, 9);
    new WordMasks(tokenizer, 0.15).hide(ids, marks, new SplittableRandom(3));
    assertEquals(15, Arrays.stream(marks).filter(label -> label == 9).count());
  }

  @Test
  void hidesOtherWordsInEveryEpoch() throws IOException {
    List<TokenBatches.Row> rows = texts(32, true).rows(file(200));
    WordMasks masks = new WordMasks(tokenizer, 0.15);
    List<String> first = hidden(masks, rows, 5, 0);
    assertEquals(first, hidden(masks, rows, 5, 0), "the same seed and epoch");
    assertNotEquals(first, hidden(masks, rows, 5, 1), "another epoch");
    assertNotEquals(first, hidden(masks, rows, 6, 0), "another seed");
    assertEquals(first.size(), Set.copyOf(first).size(), "no two batches alike");
    MultiDataSetIterator batches =
        masks.hide(TokenBatches.byLength(rows, Objectives.MASKED_LM, 8), 5, 0);
    List<String> all = drain(batches);
    batches.reset();
    assertEquals(all, drain(batches), "after a reset");
  }

  private static List<String> hidden(
      WordMasks masks, List<TokenBatches.Row> rows, long seed, int epoch) {
    return drain(masks.hide(TokenBatches.byLength(rows, Objectives.MASKED_LM, 8), seed, epoch));
  }

  private static List<String> drain(MultiDataSetIterator batches) {
    List<String> all = new ArrayList<>();
    while (batches.hasNext()) {
      MultiDataSet batch = batches.next();
      all.add(
          Arrays.deepToString(batch.getFeatures(0).toIntMatrix())
              + Arrays.deepToString(batch.getLabels(0).toIntMatrix()));
    }
    return all;
  }

  @Test
  void textsAreJoinedOrNot() throws IOException {
    Path file = Files.writeString(folder.resolve("lines.txt"), "the cat\n\n  \na [MASK] dog.\nb");
    TokenBatches.Row joined = texts(64, true).rows(file).get(0);
    assertEquals(
        "[CLS] the c ##a ##t [SEP] [CLS] a [MASK] d ##o ##g . [SEP] [CLS] b [SEP]",
        tokenizer.written(joined.ids()));
    assertArrayEquals(
        new int[] {NONE, 1, 1, 0, 0, NONE, NONE, 1, NONE, 1, 0, 0, 1, NONE, NONE, 1, NONE},
        marks(joined));
    List<TokenBatches.Row> lines = texts(5, false).rows(file);
    assertEquals(
        List.of("[CLS] the c ##a [SEP]", "[CLS] a [MASK] d [SEP]", "[CLS] b [SEP]"),
        lines.stream().map(row -> tokenizer.written(row.ids())).toList());
    List<TokenBatches.Row> blocks = texts(5, true).rows(file);
    assertEquals(List.of(5, 5, 5, 2), blocks.stream().map(row -> row.ids().length).toList());

    Path rows =
        Files.writeString(
            folder.resolve("rows.jsonl"), "{\"text\": \"the cat\"}\n{\"text\": \"a\\nb\"}\n");
    assertEquals(
        "[CLS] the c ##a ##t [SEP] [CLS] a b [SEP]",
        tokenizer.written(texts(64, true).rows(rows).get(0).ids()));
  }

  @Test
  void wrongInputIsRejected() throws IOException {
    Path pairs =
        Files.writeString(
            folder.resolve("pairs.jsonl"), "{\"sentence1\": \"a\", \"sentence2\": \"b\"}\n");
    rejected("has a pair of texts", () -> texts(64, true).rows(pairs));
    Path blank = Files.writeString(folder.resolve("blank.txt"), "\n  \n");
    rejected("hardly any text", () -> texts(64, true).rows(blank));
    rejected("hardly any text", () -> texts(64, false).rows(blank));
    rejected("There is no file", () -> texts(64, true).rows(folder.resolve("none.txt")));
    rejected("Blocks of 1 tokens", () -> texts(1, true));
    rejected("must be above 0 and below 1", () -> new WordMasks(tokenizer, 1));
    try (TextTokenizer without =
        TextTokenizer.open(
            Files.readAllBytes(
                Path.of(
                    "../tokentune-samediff/src/test/resources/golden/distilbert-mlm/tokenizer.json")),
            "letters",
            64,
            true)) {
      rejected("has no mask token", () -> new WordMasks(without, 0.15));
    }
  }

  private static void rejected(String reason, Executable call) {
    String message = assertThrows(BadInputException.class, call).getMessage();
    System.out.println(message);
    assertTrue(message.contains(reason), message);
  }

  /** A stream has the same texts, in another order. */
  @Test
  void streamsTheSameTexts() throws IOException {
    Path file = file(16_000);
    for (boolean joined : new boolean[] {true, false}) {
      MaskableTexts texts = texts(24, joined);
      try (StreamedRows stream = texts.stream(file, files)) {
        List<TokenBatches.Row> streamed = new ArrayList<>();
        stream.rows(3, 0).forEachRemaining(streamed::add);
        streamed.addAll(stream.validation());
        List<TokenBatches.Row> whole = texts.rows(file);
        System.out.printf("%d rows streamed, %d read%n", streamed.size(), whole.size());
        if (joined) {
          assertEquals(whole.size(), streamed.size(), 2); // blocks begin elsewhere
        } else {
          assertEquals(sorted(whole), sorted(streamed));
        }
        assertFalse(streamed.stream().allMatch(row -> row.labels()[1] == NONE));
      }
    }
  }

  private static List<String> sorted(List<TokenBatches.Row> rows) {
    return rows.stream()
        .map(row -> Arrays.toString(row.ids()) + Arrays.toString(row.labels()))
        .sorted()
        .toList();
  }

  /**
   * In SentencePiece's vocabularies a word begins with a token that begins with its mark for a
   * space.
   */
  @ParameterizedTest
  @ValueSource(strings = {"xlm-roberta", "deberta-v2"})
  void knowsTheWordsOfSentencePiece(String name) throws IOException {
    byte[] json = Files.readAllBytes(Path.of("src/test/resources/tokenizers", name + ".json"));
    JsonNode vocabulary = new ObjectMapper().readTree(json).at("/model/vocab");
    Path file =
        Files.writeString(
            folder.resolve("text.txt"), "The cat's hat\u00a0is on Kate's dog, 43 times.\n");
    try (TextTokenizer pieces = TextTokenizer.open(json, name, Integer.MAX_VALUE, false)) {
      MaskableTexts texts = new MaskableTexts(pieces, Columns.DEFAULT, 64, false);
      TokenBatches.Row row = texts.rows(file).get(0);
      StringBuilder seen = new StringBuilder();
      int words = 0;
      for (int i = 0; i < row.ids().length; i++) {
        String token = vocabulary.get(row.ids()[i]).get(0).asText();
        int mark = (int) row.labels()[i];
        seen.append(token).append(mark == 1 ? "| " : mark == 0 ? " " : "- ");
        words += mark == 1 ? 1 : 0;
        int expected =
            i == 0 || i == row.ids().length - 1 ? NONE : token.startsWith("\u2581") ? 1 : 0;
        assertEquals(expected, mark, seen.toString());
      }
      System.out.println(name + ": " + seen);
      assertTrue(words >= 8);
    }
  }
}
