package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Class weights, label smoothing and the ways to draw a validation share, from the command line.
 */
class LossOptionsTest {

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
    rows =
        Files.writeString(
            folder.resolve("rows.csv"),
            IntStream.range(0, 80)
                .mapToObj(
                    i ->
                        (i % 5 == 0 ? "the bad" : "the good")
                            + (" cat dog".repeat(1 + i % 4) + " fish".repeat(i / 4))
                            + (i % 5 == 0 ? ",bad,c" : ",good,c")
                            + i / 8)
                .collect(Collectors.joining("\n", "text,label,customer\n", "\n")));
  }

  private Run train(Object... options) {
    List<Object> all = new ArrayList<>(List.of("train", "--model", base, "--data", rows));
    all.addAll(List.of("--epochs", 1, "--output", folder.resolve("tuned"), "--batch-size", 8));
    all.addAll(List.of("--json", folder.resolve("train.json"), "--overwrite"));
    all.addAll(Arrays.asList(options));
    return Run.of(all.toArray());
  }

  private double trainLoss(Object... options) throws IOException {
    Run trained = train(options);
    System.out.println(trained.printed());
    assertEquals(0, trained.code(), trained.printed());
    JsonNode result = new ObjectMapper().readTree(folder.resolve("train.json").toFile());
    return result.at("/evaluations/0/train_loss").asDouble();
  }

  @Test
  void changesTheLoss() throws IOException {
    double plain = trainLoss();
    double balanced = trainLoss("--class-weights", "balanced");
    double weighted = trainLoss("--class-weights", "good=1,bad=4", "--accumulate", 3);
    double smoothed = trainLoss("--label-smoothing", 0.2);
    double focal = trainLoss("--class-weights", "balanced", "--focal-gamma", 2);
    assertEquals(
        5, List.of(plain, balanced, weighted, smoothed, focal).stream().distinct().count());
    assertTrue(focal < balanced);
  }

  @Test
  void drawsTheShare() {
    Run stratified = train("--stratify", "--validation", "20%");
    assertTrue(stratified.printed().contains("64 rows to train, 16 to validate"));
    Run grouped = train("--group", "customer", "--stratify");
    assertTrue(grouped.printed().contains("72 rows to train, 8 to validate"), grouped.printed());
  }

  @Test
  void theLossMayDecideWhichValidationIsBest() throws IOException {
    trainLoss("--best-by", "loss,macro_f1", "--min-improvement", 0.01, "--patience", 1);
    rejected(train("--best-by", "pearson"), "loss or accuracy or macro F1 or F1 or Matthews");
    rejected(train("--best-by", "beauty"), "beauty");
    rejected(train("--min-improvement", -1), "must be at least 0");
  }

  @Test
  void rejects() {
    rejected(train("--class-weights", "god=2"), "class weights for [god], but the labels are [bad");
    rejected(train("--class-weights", "even"), "neither balanced nor a list");
    rejected(train("--class-weights", "balanced", "--task", "lm"), "not for lm");
    rejected(train("--label-smoothing", 0.1, "--task", "multilabel"), "not for multilabel");
    rejected(train("--label-smoothing", 1), "below 1, got 1.0");
    rejected(
        train("--focal-gamma", 2, "--label-smoothing", 0.1), "--focal-gamma and label smoothing");
    rejected(train("--focal-gamma", 2, "--task", "lm"), "not for lm");
    rejected(train("--patience-after", -1), "--patience-after must be at least 0");
    rejected(train("--stratify", "--task", "token"), "not for token");
    rejected(train("--group", "id"), "has no column id");
    rejected(train("--group", "customer", "--task", "lm"), "not for lm");
    rejected(train("--stratify", "--validation", rows), "the validation rows are given");
  }

  private static void rejected(Run run, String message) {
    System.out.println(run.printed());
    assertTrue(run.code() == 1 || run.code() == 2, run.printed());
    assertTrue(run.printed().contains(message), run.printed());
  }
}
