package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which rows are trained on, and how often, from the command line. */
class TrainingDataTest {

  private static final String GOLDEN = "../tokentune-samediff/src/test/resources/golden/bert/";

  @TempDir private Path folder;
  private Path base;
  private Path rows;

  @BeforeEach
  void writeFiles() throws IOException {
    base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(Path.of(GOLDEN + file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    rows = rows("rows.csv", 0, 60);
  }

  private Path rows(String name, int from, int end) throws IOException {
    return Files.writeString(
        folder.resolve(name),
        IntStream.range(from, end)
            .mapToObj(
                i ->
                    (i % 5 == 0 ? "the bad" : "the good")
                        + (" cat dog".repeat(1 + i % 4) + " fish".repeat(i / 4))
                        + (i % 5 == 0 ? ",bad,c" : ",good,c")
                        + i / 6)
            .collect(Collectors.joining("\n", "text,label,customer\n", "\n")));
  }

  private Run train(Object... options) {
    List<Object> all = new ArrayList<>(List.of("train", "--model", base, "--batch-size", 8));
    all.addAll(Arrays.asList(options));
    Run run = Run.of(all.toArray());
    System.out.println(run.printed());
    return run;
  }

  private Run trained(Object... options) {
    Run run = train(options);
    assertEquals(0, run.code());
    return run;
  }

  private JsonNode json(String file) throws IOException {
    return new ObjectMapper().readTree(folder.resolve(file).toFile());
  }

  private static void rejected(Run run, String message) {
    assertTrue(run.code() == 1 || run.code() == 2, run.printed());
    assertTrue(run.printed().contains(message), run.printed());
  }

  private byte[] weights(String model) throws IOException {
    return Files.readAllBytes(folder.resolve(model).resolve("model.safetensors"));
  }

  /** The last of 3 epochs is resumed, and ends with the same bits. */
  private void resumesExactly(Object... options) throws IOException {
    List<Object> all = new ArrayList<>(Arrays.asList(options));
    all.addAll(List.of("--epochs", 3, "--save-every", 5, "--keep", 9));
    List<Object> whole = new ArrayList<>(all);
    whole.addAll(List.of("--output", folder.resolve("whole"), "--overwrite"));
    trained(whole.toArray());
    List<Object> resumed = new ArrayList<>(all);
    resumed.addAll(List.of("--output", folder.resolve("resumed"), "--resume"));
    resumed.add(folder.resolve("whole/checkpoints/step-00000010"));
    trained(resumed.toArray());
    assertArrayEquals(weights("whole"), weights("resumed"));
  }

  @Test
  void mixesFiles() throws IOException {
    Path more = rows("more.csv", 60, 80);
    Run plain =
        trained("--data", rows, "--data", more, "--epochs", 1, "--output", folder.resolve("plain"));
    assertTrue(plain.printed().contains("72 rows to train, 8 to validate"), plain.printed());
    resumesExactly("--data", rows + ":1", "--data", more + ":3.5");
    String settings = Files.readString(folder.resolve("whole/run.yaml"));
    assertTrue(settings.contains("data:\n- " + rows + ":1\n- " + more + ":3.5\n"), settings);
    Path file =
        Files.writeString(
            folder.resolve("mixed.yaml"),
            "data: [" + rows + ":1, " + more + ":3.5]\nepochs: 3\noutput: " + folder + "/again\n");
    trained("--config", file);
    assertArrayEquals(weights("whole"), weights("again"));
    rejected(
        train("--data", rows + ":1", "--data", rows, "--output", folder.resolve("x")),
        "is given twice");
    rejected(
        train("--data", rows + ":1", "--data", more + ":0", "--output", folder.resolve("x")),
        "must be above 0");
    rejected(
        train("--data", rows, "--data", "sentiwordnet", "--output", folder.resolve("x")),
        "has its own parts");
  }

  /** The same rows in every form give the same weights, bit by bit. */
  @Test
  void readsRowsInOtherForms() throws IOException, SQLException {
    trained("--data", rows, "--epochs", 1, "--output", folder.resolve("csv"));
    Path packed = folder.resolve("packed.csv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      Files.copy(rows, out);
    }
    Path shards = Files.createDirectory(folder.resolve("shards"));
    Path database = folder.resolve("rows.duckdb");
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + database);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TABLE reviews AS SELECT row_number() OVER () AS n, * FROM read_csv('"
              + rows
              + "')");
      for (int shard : new int[] {2, 10}) {
        String chosen = shard == 2 ? "n <= 25" : "n > 25";
        statement.execute(
            "COPY (SELECT text, label, customer FROM reviews WHERE "
                + chosen
                + " ORDER BY n) TO '"
                + shards.resolve("part-" + shard + ".parquet")
                + "' (FORMAT parquet, COMPRESSION zstd)");
      }
    }
    String query = "SELECT text, label FROM reviews ORDER BY n";
    String[][] forms = {
      {"gz", packed.toString()},
      {"folder", shards.toString()},
      {"pattern", shards + "/*.parquet"},
      {"query", "jdbc:duckdb:" + database, "--query", query}
    };
    for (String[] form : forms) {
      List<Object> options = new ArrayList<>(List.of("--data"));
      options.addAll(Arrays.asList(form).subList(1, form.length));
      options.addAll(List.of("--epochs", 1, "--output", folder.resolve(form[0])));
      trained(options.toArray());
      assertArrayEquals(weights("csv"), weights(form[0]), form[0]);
    }
    rejected(train("--data", "jdbc:duckdb:" + database), "give the query for its rows");
    String secret = "jdbc:duckdb:" + database + ";s3_secret=Pa55word";
    assertEquals("--data=" + "jdbc:duckdb:" + database, DataOptions.shown("--data=" + secret));
    assertEquals("jdbc:x://h/db", DataOptions.shown("jdbc:x://me:Pa55word@h/db?password=Pa55word"));
    assertEquals("a?b.csv", DataOptions.shown("a?b.csv"));
    rejected(train("--data", folder.resolve("no.parquet")), "There is no file");
    rejected(train("--data", shards, "--label", "stars"), "has no column stars");
    Run predicted =
        Run.of("predict", "--model", folder.resolve("csv"), "--input", shards, "--label", "x");
    assertEquals(0, predicted.code(), predicted.printed());
    assertEquals(60, predicted.printed().lines().filter(line -> line.contains("the ")).count());
  }

  @Test
  void samplesByClass() throws IOException {
    resumesExactly("--data", rows, "--sample-by-class");
    rejected(train("--data", rows, "--task", "regress", "--sample-by-class"), "not for regress");
    rejected(
        train(
            "--data",
            rows,
            "--resume",
            folder.resolve("whole/checkpoints/step-00000010"),
            "--epochs",
            3,
            "--save-every",
            5,
            "--output",
            folder.resolve("x")),
        "sampling");
  }

  @Test
  void trainsWithoutValidationRows() throws IOException {
    resumesExactly("--data", rows, "--validation", "none", "--json", folder.resolve("train.json"));
    JsonNode result = json("train.json");
    assertTrue(result.path("evaluated_on").isNull() && !result.has("accuracy"));
    assertEquals(3, result.path("best_epoch").asInt());
    assertEquals(24, result.path("best_step").asInt());
    Run tested =
        trained(
            "--data",
            rows,
            "--validation",
            "NONE",
            "--test",
            rows,
            "--epochs",
            1,
            "--output",
            folder.resolve("tested"),
            "--lora",
            "r=2");
    assertTrue(tested.printed().contains("60 rows to train, 0 to validate, 60 to test"));
    assertTrue(tested.printed().contains("Test: accuracy"), tested.printed());
    assertTrue(Files.readString(folder.resolve("whole/README.md")).contains("Not scored"));
    rejected(train("--data", rows, "--validation", "none", "--patience", 2), "need validation");
    rejected(train("--data", rows, "--validation", "none", "--stratify"), "there is none");
  }

  @Test
  void crossValidates() throws IOException {
    Path output = folder.resolve("folds");
    Object[] options = {
      "--data",
      rows,
      "--folds",
      3,
      "--stratify",
      "--group",
      "customer",
      "--epochs",
      2,
      "--output",
      output,
      "--json",
      folder.resolve("folds.json")
    };
    Run run = trained(options);
    assertTrue(run.printed().contains("Fold 3 of 3: 4"), run.printed());
    JsonNode scores = json("folds.json");
    assertEquals(scores.path("mean"), json("folds/folds.json").path("mean"));
    double[] each = new double[3];
    long tested = 0;
    for (int i = 0; i < 3; i++) {
      each[i] = scores.at("/folds/" + i + "/loss").asDouble();
      tested += scores.at("/folds/" + i + "/rows").asLong();
    }
    assertEquals(60, tested);
    double mean = (each[0] + each[1] + each[2]) / 3;
    double squares = Arrays.stream(each).map(loss -> (loss - mean) * (loss - mean)).sum();
    assertEquals(mean, scores.at("/mean/loss").asDouble(), 1e-12);
    assertEquals(Math.sqrt(squares / 2), scores.at("/standard_deviation/loss").asDouble(), 1e-12);
    assertFalse(Files.exists(output.resolve("model.safetensors")));

    rejected(train(options), "already holds folds");
    ObjectNode killed = (ObjectNode) json("folds/folds.json"); // in the second fold
    ((ArrayNode) killed.path("folds")).remove(2);
    ((ArrayNode) killed.path("folds")).remove(1);
    Files.writeString(output.resolve("folds.json"), killed.toString());
    List<Object> resumed = new ArrayList<>(Arrays.asList(options));
    resumed.addAll(List.of("--resume", "auto"));
    Run again = trained(resumed.toArray());
    assertTrue(again.printed().contains("Fold 1 is done"), again.printed());
    assertTrue(again.printed().contains("Fold 2 of 3"), again.printed());
    assertEquals(scores, json("folds.json"));
    resumed.addAll(List.of("--learning-rate", 1e-3));
    rejected(train(resumed.toArray()), "other data or settings");
    rejected(train("--data", rows, "--folds", 3, "--validation", "20%"), "--validation 20% out");
    rejected(train("--data", rows, "--folds", 1), "at least 2, got 1");
    rejected(train("--data", rows, "--folds", 3, "--task", "lm"), "not for lm");
  }

  @Test
  void readsLongTextsInWindows() throws IOException {
    Object[] split = {
      "--data",
      rows,
      "--max-length",
      12,
      "--on-long",
      "split",
      "--epochs",
      2,
      "--output",
      folder.resolve("split")
    };
    Run run = trained(split);
    assertTrue(run.printed().contains("split into"), run.printed());
    String text = "the good" + " cat dog".repeat(20);
    Run predicted = Run.of("predict", "--model", folder.resolve("split"), text);
    assertTrue(
        predicted.printed().contains("1 of 1 texts is longer than 12 tokens"), predicted.printed());
    assertTrue(predicted.printed().contains("split into 5 windows"), predicted.printed());
    Run cut =
        Run.of("evaluate", "--model", folder.resolve("split"), "--data", rows, "--on-long", "cut");
    assertTrue(
        cut.printed().contains("they are cut") && cut.printed().contains("loss"), cut.printed());
    Run most =
        Run.of(
            "evaluate",
            "--model",
            folder.resolve("split"),
            "--data",
            rows,
            "--window-scores",
            "max");
    assertEquals(0, most.code());
    System.out.println(cut.printed() + most.printed());
    rejected(
        train(
            "--data",
            rows,
            "--max-length",
            12,
            "--on-long",
            "refuse",
            "--output",
            folder.resolve("x")),
        "longer than the 12 that fit");
    Run embedded =
        Run.of("embed", "--model", base, "--max-length", 12, "--on-long", "split", text + " cat");
    assertTrue(embedded.printed().contains("split into 6 windows"), embedded.printed());
    rejected(train("--task", "qa", "--data", rows, "--on-long", "split"), "not for qa");
  }

  /** 9,000 rows of 600 kB, of which the first half are bad: the window mixes them. */
  @Test
  void streamsLabelledTexts() throws IOException {
    Path large =
        Files.writeString(
            folder.resolve("large.csv"),
            IntStream.range(0, 9_000)
                .mapToObj(
                    i ->
                        "the "
                            + (i < 4_500 ? "bad" : "good")
                            + " cat the dog".repeat(1 + i % 9)
                            + (i < 4_500 ? ",bad" : ",good"))
                .collect(Collectors.joining("\n", "text,label\n", "\n")));
    List<Object> options =
        List.of(
            "--data",
            large,
            "--stream",
            "--steps",
            9,
            "--max-length",
            24,
            "--save-every",
            3,
            "--keep",
            9,
            "--learning-rate",
            1e-3);
    List<Object> whole = new ArrayList<>(options);
    whole.addAll(List.of("--validation", rows, "--output", folder.resolve("whole")));
    Run run = trained(whole.toArray());
    assertTrue(run.printed().contains("bytes to stream, 60 rows to validate, 0 to test"));
    assertTrue(run.printed().contains("longer than 24 tokens"), run.printed());
    List<Object> resumed = new ArrayList<>(options);
    resumed.addAll(List.of("--validation", rows, "--output", folder.resolve("resumed")));
    resumed.addAll(List.of("--resume", folder.resolve("whole/checkpoints/step-00000006")));
    trained(resumed.toArray());
    assertArrayEquals(weights("whole"), weights("resumed"));
    List<Object> given = new ArrayList<>(options);
    given.addAll(List.of("--labels", "good,bad", "--on-long", "split", "--test", rows));
    given.addAll(List.of("--output", folder.resolve("given")));
    Run end = trained(given.toArray());
    assertTrue(end.printed().contains("bytes to stream, their end to validate, 60 to test"));
    assertEquals("good", json("given/config.json").at("/id2label/0").asText());
    List<Object> unknown = new ArrayList<>(options);
    unknown.addAll(List.of("--labels", "good,kind", "--validation", "none"));
    unknown.addAll(List.of("--output", folder.resolve("x")));
    rejected(train(unknown.toArray()), "has the label 'bad'");
    rejected(train("--data", rows, "--stream", "--steps", 5), "need not be streamed");
    rejected(train("--data", large, "--stream"), "needs --steps");
    rejected(
        train("--data", large, "--stream", "--steps", 5, "--class-weights", "balanced"),
        "need all rows");
  }
}
