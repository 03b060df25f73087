package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.datasets.RelatedTexts.TextColumns;
import org.tokentune.objectives.EmbeddingLabel;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.testing.Said;

/** Rows of texts that belong together, and batches of them. */
class RelatedTextsTest {

  @TempDir private Path folder;

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  void columnsCountByOrder() throws IOException {
    Path triplets = file("a.csv", "z,a,m\nanchor,positive,negative\n");
    assertEquals(
        List.of(new RelatedTexts(List.of("anchor", "positive", "negative"), null)),
        RelatedTexts.read(triplets, TextColumns.ALL));
    Path scored = file("b.jsonl", "{\"score\": 0.5, \"b\": \"one\", \"a\": \"two\"}\n");
    assertEquals(
        List.of(new RelatedTexts(List.of("one", "two"), 0.5f)),
        RelatedTexts.read(scored, TextColumns.ALL));
    Path named = file("c.csv", "id,q,d,rank\n7,one,two,3\n");
    assertEquals(
        List.of(new RelatedTexts(List.of("two", "one"), 3f)),
        RelatedTexts.read(named, new TextColumns(List.of("d", "2"), "rank")));
  }

  @Test
  void wrongRowsAreNamed() throws IOException {
    rejected("line 3 has no positive", "a,b\none,two\nthree,\n");
    rejected("of which two or more must be texts", "a,label\none,1\n");
    rejected("line 3 has the score 'high'", "a,b,label\none,two,1\none,two,high\n");
    rejected("several columns of one name", "a,a\none,two\n");
    assertThrows(BadInputException.class, () -> new TextColumns(List.of("a"), null));
    assertThrows(BadInputException.class, () -> new RelatedTexts(List.of("a"), null));
  }

  private void rejected(String reason, String text) throws IOException {
    Path file = file("wrong.csv", text);
    String message =
        assertThrows(BadInputException.class, () -> RelatedTexts.read(file, TextColumns.ALL))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains(reason), message);
  }

  /** Pairs, each of two texts; text t has the token t. */
  private static List<List<TokenBatches.Row>> pairs(int count, int texts) {
    return IntStream.range(0, count)
        .mapToObj(i -> List.of(row(0, i % texts), row(1, texts + i)))
        .toList();
  }

  private static TokenBatches.Row row(int column, int text) {
    float[] label = new EmbeddingLabel(column, EmbeddingLabel.keyOf("text " + text), 0).encode();
    return new TokenBatches.Row(new int[] {text}, new int[1], label);
  }

  private static List<int[]> batches(
      List<List<TokenBatches.Row>> rows, Objective task, int size, int epoch) {
    List<int[]> all = new ArrayList<>();
    EmbeddingBatches batches = EmbeddingBatches.shuffled(rows, task, null, size, 5, epoch);
    while (batches.hasNext()) {
      MultiDataSet batch = batches.next();
      all.add(batch.getFeatures(0).reshape(-1).toIntVector());
    }
    return all;
  }

  @Test
  void noTextIsTwiceInABatch() {
    List<List<TokenBatches.Row>> rows = pairs(60, 12); // every anchor in five rows
    int count = batches(rows, Objectives.EMBED, 8, 0).size();
    for (int epoch = 0; epoch < 5; epoch++) {
      List<int[]> all = batches(rows, Objectives.EMBED, 8, epoch);
      assertEquals(count, all.size(), "every epoch has as many batches");
      Set<Integer> positives = new HashSet<>();
      for (int[] ids : all) {
        assertEquals(ids.length, IntStream.of(ids).distinct().count(), "no text is there twice");
        for (int i = 0; i < ids.length / 2; i++) {
          assertTrue(ids[i] < 12, "anchors come first");
          assertEquals(ids[i], (ids[ids.length / 2 + i] - 12) % 12, "then their positives");
          positives.add(ids[ids.length / 2 + i]);
        }
      }
      System.out.printf("epoch %d: %d of 60 rows in %d batches%n", epoch, positives.size(), count);
      assertTrue(positives.size() >= (epoch == 0 ? 60 : 52));
    }
  }

  /** If all rows share a text, no two of them are in a batch: nothing can be learnt from it. */
  @Test
  void warnsOfSmallBatches() {
    Objective ranking = Objectives.EMBED;
    String said = Said.by(() -> assertEquals(40, batches(pairs(40, 1), ranking, 8, 0).size()));
    assertTrue(said.contains("they have 1.0 rows on average, not 8"), said);
    List<TokenBatches.Row> joined =
        pairs(1000, 1).stream().map(row -> JoinedTexts.join(row, List.of(1, 1))).toList();
    List<Long> sizes = new ArrayList<>();
    String streamed =
        Said.by(
            () ->
                EmbeddingBatches.streamed(joined.iterator(), ranking, 7, 64)
                    .forEachRemaining(batch -> sizes.add(batch.getLabels(0).size(0) / 2)));
    assertTrue(streamed.contains("they have 1.0 rows on average, not 7"), streamed);
    assertEquals(1000, sizes.size()); // every row, once
    assertEquals(1000, sizes.stream().mapToLong(Long::longValue).sum());
    System.out.print(said + streamed);
    assertEquals("", Said.by(() -> batches(pairs(60, 12), ranking, 4, 0)));
  }

  @Test
  void equalTextsMayMeetWhereOthersAreNoNegatives() {
    Objective cosent = Objectives.embed(EmbeddingLoss.of(EmbeddingLoss.Kind.COSENT, 2));
    List<int[]> all = batches(pairs(64, 2), cosent, 16, 0);
    assertEquals(4, all.size());
    all.forEach(ids -> assertEquals(32, ids.length));
  }
}
