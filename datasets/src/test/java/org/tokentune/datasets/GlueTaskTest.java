package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objectives;

/** Fixtures are in the layouts of GLUE's own files. */
class GlueTaskTest {

  private static final Path FIXTURES = Path.of("src/test/resources/glue");
  private static final Path DATA = Path.of("../../shared/data");

  @TempDir private Path folder;

  private static GlueTask task(String name) {
    return GlueTask.named(name).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "RTE, rte",
    "SST-2, sst2",
    "STS-B, stsb",
    "CoLA, cola",
    "MNLI, mnli",
    "MNLI-mm, mnli-mm"
  })
  void isNamedAsGlueSpellsIt(String spelt, String name) {
    assertEquals(name, task(spelt).name());
    assertEquals(Optional.empty(), GlueTask.named(spelt + "x"));
  }

  @ParameterizedTest
  @CsvSource({
    "cola, cola, 3, 2, unacceptable",
    "sst2, sst2, 2, 1, positive",
    "mrpc, mrpc, 2, 1, equivalent",
    "qqp, qqp, 2, 1, duplicate",
    "stsb, stsb, 2, 1, 3.8",
    "mnli, mnli, 3, 1, entailment",
    "mnli-mm, mnli, 3, 1, contradiction",
    "qnli, qnli, 2, 1, entailment",
    "rte, rte, 2, 1, entailment"
  })
  void readsEachLayout(String name, String part, int train, int dev, String firstOfDev) {
    GlueTask task = task(name);
    DataSplit split = task.load(FIXTURES.resolve(part), 1);
    assertEquals(train, split.train().size());
    assertEquals(dev, split.validation().size());
    assertEquals(firstOfDev, split.validation().get(0).label());
    assertEquals(List.of(), split.test());
    assertEquals(split.validation(), task.scored(FIXTURES.resolve(part)));
    Path test =
        FIXTURES.resolve(part).resolve(part.equals("mnli") ? "test_matched.tsv" : "test.tsv");
    assertNull(task.read(test).get(0).label());
    for (Example row : split.train()) {
      assertEquals(task.texts().size() == 2, row.pair() != null);
    }
  }

  @Test
  void readsQuotesAndEscapesAsText() {
    assertEquals(
        new Example("She said \"yes\" at once.", "At once, she said, \"yes.", "equivalent"),
        task("mrpc").load(FIXTURES.resolve("mrpc"), 1).train().get(0));
    assertEquals(
        new Example("dull , and \\n proud of it ", "negative"),
        task("sst2").load(FIXTURES.resolve("sst2"), 1).train().get(1));
    assertEquals(
        new Example("The gardener \"water the roses.", "unacceptable"),
        task("cola").load(FIXTURES.resolve("cola"), 1).train().get(1));
  }

  @Test
  void readsTheRealFiles() {
    assumeTrue(Files.isDirectory(DATA), "skipped: ../shared/data is not here");
    DataSplit sst2 = task("sst2").load(DATA.resolve("sst2"), 1);
    assertEquals(
        List.of(60_614, 6735, 872),
        List.of(sst2.train().size(), sst2.validation().size(), sst2.test().size()));
    DataSplit rte = task("rte").load(DATA.resolve("rte"), 1);
    assertEquals(
        List.of(2490, 277, 0),
        List.of(rte.train().size(), rte.validation().size(), rte.test().size()));
    DataSplit mrpc = task("mrpc").load(DATA.resolve("mrpc"), 1);
    assertEquals(
        List.of(3669, 407, 1725),
        List.of(mrpc.train().size(), mrpc.validation().size(), mrpc.test().size()));
    Example first = task("mrpc").read(DATA.resolve("mrpc/train.tsv")).get(0);
    assertTrue(
        first.text().startsWith("Amrozi accused his brother, whom he called \"the witness\""));
    assertEquals("equivalent", first.label());
    long equivalent = mrpc.test().stream().filter(row -> row.label().equals("equivalent")).count();
    System.out.printf("MRPC: %d of 1,725 test pairs are equivalent%n", equivalent);
    assertEquals(1147, equivalent);
  }

  @Test
  void reportsErrors() throws IOException {
    assertRejected(
        "line 3 has 3 fields",
        "rte",
        "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n1\ta\tb\n");
    assertRejected(
        "line 2 has the label 'maybe'",
        "rte",
        "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tmaybe\n");
    assertRejected("line 2 has the label '2'", "sst2", "sentence\tlabel\na\t2\n");
    assertRejected(
        "line 2 has the label '5.5'", "stsb", "sentence1\tsentence2\tscore\na\tb\t5.5\n");
    assertRejected("line 1 has 2 fields", "cola", "own\t1\n");
    assertRejected("is not a file of mrpc", "mrpc", "sentence\tlabel\na\t1\n");
    assertRejected("has no rows", "sst2", "sentence\tlabel\n");
    assertRejected("no labels in a column label", "sst2", "index\tsentence\n0\ta\n");
    assertRejected("is not a file of sst2", "sst2", "");
  }

  private void assertRejected(String expected, String name, String content) throws IOException {
    Files.writeString(folder.resolve("train.tsv"), content);
    String message =
        assertThrows(BadInputException.class, () -> task(name).load(folder, 1)).getMessage();
    System.out.println(message);
    assertTrue(message.contains(expected) && message.contains("train.tsv"), message);
  }

  /** As the Hugging Face Hub has them: the label -1 stands for none. */
  @Test
  void leavesOutTestPartsWithoutLabels() throws IOException {
    Files.writeString(folder.resolve("train.tsv"), "sentence\tlabel\na\t1\nb\t0\n");
    Files.writeString(folder.resolve("dev.tsv"), "sentence\tlabel\nc\t1\n");
    Files.writeString(folder.resolve("test.tsv"), "sentence\tlabel\nd\t-1\ne\t-1\n");
    DataSplit split = task("sst2").load(folder, 1);
    assertEquals(List.of(), split.test());
    assertEquals(split.validation(), task("sst2").scored(folder));
    assertRejected("1 of 2 labels are -1", "sst2", "sentence\tlabel\na\t1\nb\t-1\n");
    assertRejected("has no labels in a column label", "sst2", "sentence\tlabel\na\t-1\n");
  }

  @Test
  void namesAMissingFolder() {
    String message =
        assertThrows(BadInputException.class, () -> task("rte").load(folder, 1)).getMessage();
    assertTrue(message.contains("no file " + folder.resolve("train.tsv")), message);
  }

  @Test
  void namesLabels() {
    assertEquals(Objectives.REGRESS, task("stsb").labels().task());
    assertEquals(List.of("entailment", "neutral", "contradiction"), task("mnli").labels().names());
    assertEquals(9, GlueTask.ALL.size());
  }
}
