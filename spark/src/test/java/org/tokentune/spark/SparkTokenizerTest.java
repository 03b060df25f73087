package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TextTokenizer.Tokens;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/** Rows tokenised on executors, against the same here. */
class SparkTokenizerTest {

  private static final int LONGEST = 12; // about half of the texts are longer

  @TempDir private static Path folder;
  private static Path base;
  private static SparkSession spark;

  @BeforeAll
  static void start() throws IOException {
    base = SmallModel.folder(folder);
    spark = SmallModel.spark();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static List<Example> rows(int count) {
    List<Example> rows = new ArrayList<>();
    for (Example row : SmallModel.rows(count)) {
      boolean pair = rows.size() % 3 == 0;
      rows.add(new Example(row.text(), pair ? "the dog" : null, row.label()));
    }
    return rows;
  }

  /** The tokens of all rows, there and here. */
  private static void same(List<Example> rows, Objective task, OnLong onLong) {
    boolean cut = onLong == OnLong.CUT;
    try (ModelFiles files = ModelFolder.open(base);
        TextTokenizer tokenizer = TextTokenizer.open(files, LONGEST, cut)) {
      List<List<Tokens>> here = tokenizer.encodeAll(rows, task, onLong);
      List<List<Tokens>> there =
          tokenizer.encodeAll(
              rows,
              task,
              onLong,
              SparkTokenizer.on(spark),
              TextTokenizer.recipe(files, LONGEST, cut));
      assertEquals(here.size(), there.size());
      int windows = 0;
      for (int i = 0; i < here.size(); i++) {
        assertEquals(here.get(i).size(), there.get(i).size());
        for (int j = 0; j < here.get(i).size(); j++) {
          Tokens expected = here.get(i).get(j);
          Tokens got = there.get(i).get(j);
          assertArrayEquals(expected.ids(), got.ids());
          assertArrayEquals(expected.typeIds(), got.typeIds());
          assertArrayEquals(expected.words(), got.words());
          windows++;
        }
      }
      System.out.printf("%s, %s: %d rows, %d windows%n", task, onLong, rows.size(), windows);
    }
  }

  @Test
  void tokensAreTheSame() {
    same(rows(9_001), Objectives.CLASSIFY, OnLong.CUT);
    same(rows(5_000), Objectives.CLASSIFY, OnLong.SPLIT);
    List<Example> tagged = new ArrayList<>();
    for (Example row : SmallModel.rows(10)) {
      List<String> words = List.of(row.text().split(" "));
      tagged.add(new Example(row.text(), null, null, words, null));
    }
    same(tagged, Objectives.TOKEN, OnLong.CUT);
    same(List.of(), Objectives.CLASSIFY, OnLong.CUT);
  }

  @Test
  void refusesInASentence() {
    BadInputException here =
        assertThrows(
            BadInputException.class, () -> same(rows(9), Objectives.CLASSIFY, OnLong.REFUSE));
    try (ModelFiles files = ModelFolder.open(base)) {
      BadInputException there =
          assertThrows(
              BadInputException.class,
              () ->
                  SparkTokenizer.on(spark)
                      .encode(
                          TextTokenizer.recipe(files, LONGEST, false),
                          rows(9),
                          Objectives.CLASSIFY,
                          OnLong.REFUSE));
      System.out.println(there.getMessage());
      assertEquals(here.getMessage(), there.getMessage());
      assertTrue(there.getMessage().contains("tokens"));
    }
  }
}
