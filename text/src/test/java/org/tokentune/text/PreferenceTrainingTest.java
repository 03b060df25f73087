package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.FloatNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.datasets.PreferenceTokens;
import org.tokentune.datasets.Preferences;
import org.tokentune.files.Checkpoints;
import org.tokentune.files.Digest;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.objectives.Metric;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.RunSettings;
import org.tokentune.train.Schedule;
import org.tokentune.train.StepReport;

/** Preferences against four steps of TRL (acceptance/dpo_trl.py), and runs that break off. */
class PreferenceTrainingTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");
  private static final Path TRL = Path.of("src/test/resources/preferences");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private Path base;

  private static final class Killed extends RuntimeException {}

  @BeforeEach
  void makeBase() throws IOException {
    base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve("dpo").resolve(file), base.resolve(file));
    }
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(TRL.resolve(file), base.resolve(file));
    }
  }

  private static Hyperparameters sgd(double rate) {
    return Hyperparameters.defaults()
        .withEpochs(4)
        .withLearningRate(rate)
        .withOptimizer(new OptimizerSettings(OptimizerSettings.Kind.SGD, 0, 0, 1, Map.of()))
        .withSchedule(new Schedule(Schedule.Decay.CONSTANT, 0, Map.of(), null))
        .withClip(Double.POSITIVE_INFINITY)
        .withSeed(7);
  }

  private static TuningSettings settings(
      String tokens, int batch, Hyperparameters hyperparameters, RunSettings run) {
    return new TuningSettings(tokens, 1, "all", batch, hyperparameters, run);
  }

  /**
   * Trains a new model on all rows and saves it.
   *
   * @param adapter whether the golden adapter trains
   * @param rows the first of them that train
   * @param killed step after which it is killed; 0: none
   */
  private List<StepReport> train(
      boolean adapter, int rows, TuningSettings settings, int killed, Path saved) {
    List<StepReport> reports = new ArrayList<>();
    FineTuningListener listener =
        new FineTuningListener() {
          @Override
          public void onStep(StepReport step) {
            reports.add(step);
            if (step.step() == killed) {
              throw new Killed();
            }
          }
        };
    try (ModelFiles files = ModelFolder.open(base);
        LanguageModel model = LanguageModel.open(files, 0.0)) {
      if (adapter) {
        model.openAdapter(GOLDEN.resolve("dpo-adapter"));
      }
      List<PreferenceTokens> all =
          Preferences.rows(
              Preferences.read(TRL.resolve("rows.jsonl")),
              model.tokenizer(),
              () -> model.chats(null),
              64);
      model.prefer(all.subList(0, rows), List.of(), 0.1, settings, listener);
      if (adapter) {
        model.saveAdapter(saved);
      } else {
        model.save(saved);
      }
    }
    return reports;
  }

  @ParameterizedTest
  @ValueSource(strings = {"adapter", "whole"})
  void stepsAreThoseOfTrl(String trained) throws IOException {
    boolean adapter = trained.equals("adapter");
    JsonNode recorded = JSON.readTree(TRL.resolve("steps.json").toFile());
    Hyperparameters sgd = sgd(recorded.get("rate").asDouble());
    Path saved = folder.resolve("saved");
    List<StepReport> steps =
        train(adapter, 6, settings("all", 6, sgd, RunSettings.defaults()), 0, saved);
    JsonNode expected = recorded.get(trained);
    assertEquals(4, expected.size());
    for (int i = 0; i < 4; i++) {
      StepReport step = steps.get(i);
      JsonNode of = expected.get(i);
      System.out.printf(
          "%s, step %d: loss %.7f (TRL %.7f), %s (TRL %.2f, %.7f)%n",
          trained,
          i + 1,
          step.loss(),
          of.get("loss").asDouble(),
          step.metrics(),
          of.get("rewards/accuracies").asDouble(),
          of.get("rewards/margins").asDouble());
      assertEquals(of.get("loss").asDouble(), step.loss(), 1e-5);
      assertEquals(
          of.get("rewards/accuracies").asDouble(), step.metrics().get(Metric.REWARD_ACCURACY));
      assertEquals(
          of.get("rewards/margins").asDouble(), step.metrics().get(Metric.REWARD_MARGIN), 1e-5);
    }
    Path weights = saved.resolve(adapter ? AdapterFolder.WEIGHTS : ModelFolder.WEIGHTS);
    Path before =
        GOLDEN
            .resolve(adapter ? "dpo-adapter" : "dpo")
            .resolve(adapter ? AdapterFolder.WEIGHTS : ModelFolder.WEIGHTS);
    double worst = 0;
    double moved = 0;
    try (SafeTensors first = SafeTensors.open(before);
        SafeTensors ours = SafeTensors.open(weights);
        SafeTensors theirs = SafeTensors.open(TRL.resolve(trained + ".safetensors"))) {
      assertEquals(theirs.names().size(), ours.names().size());
      for (String name : theirs.names()) {
        INDArray start = first.read(name);
        INDArray change = theirs.read(name).sub(start);
        double largest = change.amaxNumber().doubleValue();
        double off = ours.read(name).sub(start).sub(change).amaxNumber().doubleValue();
        moved = Math.max(moved, largest);
        worst = Math.max(worst, off);
      }
    }
    System.out.printf(
        "%s: weights moved by up to %.3e, and differ by at most %.1e after four steps%n",
        trained, moved, worst);
    assertTrue(moved > 1e-2);
    assertTrue(worst < 1e-5 * Math.max(moved, 0.1), "differs by " + worst);
  }

  private RunSettings saving(Path resume) {
    return RunSettings.defaults()
        .withCheckpoints(2, new Checkpoints(folder.resolve("checkpoints"), 100))
        .withResume(resume);
  }

  private Path stored() {
    return folder.resolve("checkpoints/reference.json");
  }

  @ParameterizedTest
  @CsvSource({"true, all", "false, all", "false, 30%"})
  void aResumedRunEndsWithTheSameBits(boolean adapter, String tokens) throws IOException {
    Hyperparameters adamW =
        sgd(1e-2).withOptimizer(OptimizerSettings.adamW(0.01)).withSchedule(Schedule.linear(0));
    Path whole = folder.resolve("whole");
    train(adapter, 6, settings(tokens, 2, adamW, RunSettings.defaults()), 0, whole);
    Path broken = folder.resolve("broken");
    assertThrows(
        Killed.class, () -> train(adapter, 6, settings(tokens, 2, adamW, saving(null)), 7, broken));
    byte[] kept = Files.readAllBytes(stored());
    Path from = folder.resolve("checkpoints/step-00000006");
    List<StepReport> rest = train(adapter, 6, settings(tokens, 2, adamW, saving(from)), 0, broken);
    assertEquals(7, rest.get(0).step());
    assertArrayEquals(kept, Files.readAllBytes(stored()));
    String weights = adapter ? AdapterFolder.WEIGHTS : ModelFolder.WEIGHTS;
    System.out.printf(
        "adapter %s, %s tokens: killed at step 7, on from %s to step %d, last loss %.6f%n",
        adapter,
        tokens,
        from.getFileName(),
        rest.get(rest.size() - 1).step(),
        rest.get(rest.size() - 1).loss());
    assertArrayEquals(
        Files.readAllBytes(whole.resolve(weights)), Files.readAllBytes(broken.resolve(weights)));
  }

  @Test
  void storedReferencesAreReadAndNeverStale() throws IOException {
    TuningSettings saving = settings("all", 2, sgd(0.1), saving(null));
    Path saved = folder.resolve("saved");
    assertThrows(Killed.class, () -> train(false, 6, saving, 3, saved));
    Path from = folder.resolve("checkpoints/step-00000002");
    TuningSettings resumed = settings("all", 2, sgd(0.1), saving(from));
    double loss = train(false, 6, resumed, 0, saved).get(0).loss();
    ObjectNode file = (ObjectNode) JSON.readTree(stored().toFile());
    System.out.println(file);

    ObjectNode changed = file.deepCopy();
    float[] values = new float[12];
    for (int i = 0; i < 12; i++) {
      values[i] = file.get("values").get(i).floatValue() + (i % 2 == 0 ? 5 : 0);
      changed.withArray("values").set(i, FloatNode.valueOf(values[i]));
    }
    changed.put("digest", new Digest().add(values).hex());
    JSON.writeValue(stored().toFile(), changed);
    double other = train(false, 6, resumed, 0, saved).get(0).loss();
    System.out.printf("loss %.6f, with other numbers in the file %.6f%n", loss, other);
    assertNotEquals(loss, other, 0.1);

    JSON.writeValue(stored().toFile(), file.deepCopy().put("digest", "0"));
    assertEquals(loss, train(false, 6, resumed, 0, saved).get(0).loss());
    assertEquals(file, JSON.readTree(stored().toFile()));

    for (int rows : new int[] {6, 5}) {
      boolean adapter = rows == 6;
      BadInputException stale =
          assertThrows(BadInputException.class, () -> train(adapter, rows, resumed, 0, saved));
      System.out.println(stale.getMessage());
      assertTrue(stale.getMessage().contains("of other rows or of another model"));
    }
  }
}
