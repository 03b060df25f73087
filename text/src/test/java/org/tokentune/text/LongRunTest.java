package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.schedule.ScheduleType;
import org.nd4j.linalg.schedule.StepSchedule;
import org.tokentune.BadInputException;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.files.Checkpoints;
import org.tokentune.files.RunFolder;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.LossSettings;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.RunSettings;
import org.tokentune.train.Schedule;
import org.tokentune.train.StepReport;
import org.tokentune.train.Trainer;

/** Runs that break off, on a small BERT with dropout and texts of a few words. */
class LongRunTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");
  private static final String[] ANIMALS = {"cat", "dog", "bird", "fish"};

  /** A word of one training text only. */
  private static final String RARE = "five";

  /** A checkpoint's fields, and what they may not be. */
  private static final List<String> CHANGES =
      List.of(
          "/progress; null",
          "/progress; []",
          "/progress/step; -5",
          "/progress/step; 9",
          "/progress/step; 1000000",
          "/progress/step; 10.5",
          "/progress/step; \"10\"",
          "/progress/step; true",
          "/progress/step; null",
          "/progress/epoch; 7",
          "/progress/batch; 100000",
          "/progress/batch; 9",
          "/progress/losses; \"much\"",
          "/progress/loss_steps; 999",
          "/progress/skipped; 11",
          "/progress/skipped; -1",
          "/progress/best; null",
          "/progress/best; {}",
          "/progress/best/step; 9",
          "/progress/best/scores; null",
          "/progress/best/scores/task; \"SING\"",
          "/progress/evaluations; []",
          "/progress/evaluations; null",
          "/progress/evaluations/0/step; 1000",
          "/progress/evaluations/0/scores/metrics; null",
          "/progress/more; 1",
          "/optimizer_steps; 0",
          "/optimizer_steps; 11",
          "/optimizer_steps; \"10\"",
          "/training/seed; \"8\"");

  @TempDir private Path folder;
  private Path base;

  /** As a kill would, it comes from nowhere. */
  private static final class Killed extends RuntimeException {}

  @BeforeEach
  void makeBase() throws IOException {
    base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
  }

  private static DataSplit data() {
    Random random = new Random(4);
    List<Example> rows = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      StringBuilder text = new StringBuilder(i == 30 ? RARE + " the" : "the");
      String mood = random.nextBoolean() ? "good" : "bad";
      text.append(' ').append(mood);
      for (int word = 0; word < 1 + random.nextInt(8); word++) {
        text.append(' ').append(ANIMALS[random.nextInt(ANIMALS.length)]);
      }
      rows.add(new Example(text.toString(), mood));
    }
    return new DataSplit(rows.subList(0, 48), rows.subList(48, 60), List.of());
  }

  private static Hyperparameters hyperparameters(int epochs, int accumulation, double clip) {
    return hyperparameters(OptimizerSettings.Kind.ADAMW, epochs, accumulation, 5e-3, clip);
  }

  private static Hyperparameters hyperparameters(
      OptimizerSettings.Kind optimizer, int epochs, int accumulation, double rate, double clip) {
    return Hyperparameters.defaults()
        .withEpochs(epochs)
        .withAccumulation(accumulation)
        .withLearningRate(rate)
        .withOptimizer(OptimizerSettings.adamW(0.01).withKind(optimizer))
        .withClip(clip)
        .withSeed(7);
  }

  private static TuningSettings settings(String tokens, Hyperparameters hyperparameters) {
    return new TuningSettings(tokens, 2, "all", 4, hyperparameters, RunSettings.defaults());
  }

  private RunSettings saving(int saveEvery, int evaluateEvery, int patience, Path resume) {
    return RunSettings.defaults()
        .withEvaluateEvery(evaluateEvery)
        .withPatience(patience)
        .withCheckpoints(saveEvery, checkpoints())
        .withResume(resume);
  }

  private Checkpoints checkpoints() {
    return new Checkpoints(folder.resolve("run/checkpoints"), 2);
  }

  /**
   * Trains a new model, and saves what it came to.
   *
   * @param killed step after which it is killed; 0: none
   */
  private Trainer.Outcome train(TuningSettings settings, String lora, int killed, Path saved) {
    FineTuningListener listener =
        new FineTuningListener() {
          @Override
          public void onStep(StepReport step) {
            if (step.step() == killed) {
              throw new Killed();
            }
          }
        };
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model =
            TextModel.forTask(
                files,
                Labels.of(Objectives.CLASSIFY, data().train()),
                Pooling.FIRST,
                null,
                null,
                WeightStorage.FLOAT32,
                settings.hyperparameters().seed())) {
      if (lora != null) {
        model.addAdapter(LoraConfig.parse(lora), 7);
      }
      Trainer.Outcome outcome = model.fineTune(data(), settings, listener);
      if (lora == null) {
        model.save(saved);
      } else {
        model.saveAdapter(saved);
      }
      return outcome;
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "plain, ADAMW, all, 1, 1.0, 0, 0,",
    "TokenTune with updates at once, ADAFACTOR, 25%, 1, Infinity, 5, 0,",
    "LoRA with two batches a step, LION, 50%, 2, 1.0, 3, 4, 'r=4,dropout=0.1'"
  })
  void aResumedRunEndsWithTheSameBits(
      String name,
      OptimizerSettings.Kind optimizer,
      String tokens,
      int accumulation,
      double clip,
      int evaluateEvery,
      int patience,
      String lora)
      throws IOException {
    TuningSettings settings =
        settings(tokens, hyperparameters(optimizer, 3, accumulation, 5e-3, clip));
    Path whole = folder.resolve("whole");
    Trainer.Outcome unbroken =
        train(settings.withRun(saving(0, evaluateEvery, patience, null)), lora, 0, whole);
    Path broken = folder.resolve("broken");
    for (int kill : new int[] {2, 7, 11}) {
      Path from = checkpoints().newest().orElse(null);
      TuningSettings run = settings.withRun(saving(3, evaluateEvery, patience, from));
      assertThrows(Killed.class, () -> train(run, lora, kill, broken));
    }
    Path from = checkpoints().newest().orElseThrow();
    Trainer.Outcome resumed =
        train(settings.withRun(saving(3, evaluateEvery, patience, from)), lora, 0, broken);
    String weights = lora == null ? ModelFolder.WEIGHTS : AdapterFolder.WEIGHTS;
    System.out.printf(
        "%s, %s: killed 3 times, then on from %s to step %d; best at step %d with loss %.6f, unbroken step %d with %.6f%n",
        name,
        optimizer,
        from.getFileName(),
        resumed.steps(),
        resumed.bestStep(),
        resumed.best().loss(),
        unbroken.bestStep(),
        unbroken.best().loss());
    assertArrayEquals(
        Files.readAllBytes(whole.resolve(weights)), Files.readAllBytes(broken.resolve(weights)));
    assertEquals(unbroken.steps(), resumed.steps());
    assertEquals(unbroken.bestStep(), resumed.bestStep());
    assertEquals(unbroken.early(), resumed.early());
    assertEquals(unbroken.best().loss(), resumed.best().loss());
    assertEquals(losses(unbroken), losses(resumed));
    try (Stream<Path> kept = Files.list(folder.resolve("run/checkpoints"))) {
      assertEquals(2, kept.count());
    }
  }

  private static List<Double> losses(Trainer.Outcome outcome) {
    return outcome.evaluations().stream()
        .flatMap(e -> Stream.of(e.trainLoss(), e.scores().loss()))
        .toList();
  }

  @Test
  void patienceEndsARunThatGetsNoBetter() {
    Hyperparameters hopeless = hyperparameters(OptimizerSettings.Kind.ADAMW, 9, 1, 1e-30, 1.0);
    Trainer.Outcome outcome =
        train(
            settings("all", hopeless).withRun(saving(0, 4, 3, null)),
            null,
            0,
            folder.resolve("model"));
    System.out.printf(
        "ended after step %d of 108, best at step %d%n", outcome.steps(), outcome.bestStep());
    assertTrue(outcome.early());
    assertEquals(4, outcome.bestStep());
    assertEquals(16, outcome.steps());
    assertFalse(outcome.stopped());
  }

  @Test
  void aCheckpointOfAnotherTrainingIsRefused() throws IOException {
    Path out = folder.resolve("model");
    TuningSettings settings = settings("all", hyperparameters(1, 1, 1.0));
    train(settings.withRun(saving(5, 0, 0, null)), null, 0, out);
    RunSettings resumed = saving(5, 0, 0, checkpoints().newest().orElseThrow());
    TuningSettings same = settings.withRun(resumed);
    List<TuningSettings> others =
        List.of(
            same.withTokens("25%"),
            same.withHyperparameters(hyperparameters(2, 1, 1.0)),
            same.withHyperparameters(hyperparameters(1, 1, 2.0)),
            same.withHyperparameters(
                hyperparameters(1, 1, 1.0)
                    .withLoss(LossSettings.plain().withClassWeights(List.of(1.0, 5.0)))),
            same.withHyperparameters(
                hyperparameters(1, 1, 1.0).withLoss(LossSettings.plain().withLabelSmoothing(0.1))),
            same.withHyperparameters(
                hyperparameters(1, 1, 1.0).withLoss(LossSettings.plain().withFocalGamma(2))),
            same.withHyperparameters(
                hyperparameters(1, 1, 1.0).withClipBy(Hyperparameters.ClipBy.LAST)),
            same.withHyperparameters(
                hyperparameters(1, 1, 1.0)
                    .withOptimizer(OptimizerSettings.adamW(0.01).withBetas(0.9, 0.98))),
            same.withHyperparameters(
                hyperparameters(1, 1, 1.0)
                    .withSchedule(
                        Schedule.of(new StepSchedule(ScheduleType.ITERATION, 1e-3, 0.5, 5)))),
            same.withRun(resumed.withPatienceAfter(1)),
            same.withRun(resumed.withMinImprovement(0.01)),
            same.withRun(saving(5, 3, 0, resumed.resume())));
    List<String> differences =
        List.of(
            "(tokens",
            "(epochs",
            "(clip",
            "(class weights: not set there",
            "(label smoothing",
            "(focal gamma",
            "(clip by",
            "(optimizer betas",
            "(schedule",
            "(patience after",
            "(least improvement",
            "(steps between evaluations");
    for (int i = 0; i < others.size(); i++) {
      refused(others.get(i), null, differences.get(i));
    }
    refused(same, "r=4", "(trainable");
    Files.writeString(
        base.resolve("config.json"),
        Files.readString(base.resolve("config.json"))
            .replace("\"hidden_dropout_prob\": 0.1", "\"hidden_dropout_prob\": 0.2"));
    refused(same, null, "(dropout");
    refused(same.withRun(saving(5, 0, 0, folder)), null, "not a training checkpoint");
    Path state = resumed.resume().resolve("weights.safetensors");
    byte[] bytes = Files.readAllBytes(state);
    Files.write(state, Arrays.copyOf(bytes, bytes.length / 2));
    Files.copy(
        GOLDEN.resolve("config.json"),
        base.resolve("config.json"),
        StandardCopyOption.REPLACE_EXISTING);
    refused(same, null, "weights.safetensors");
  }

  @Test
  void aCheckpointOfAnotherLossIsRefused() throws IOException {
    Hyperparameters plain = hyperparameters(1, 1, 1.0);
    LossSettings weighted = LossSettings.plain().withClassWeights(List.of(1.0, 5.0));
    TuningSettings settings = settings("all", plain.withLoss(weighted));
    train(settings.withRun(saving(5, 0, 0, null)), null, 0, folder.resolve("model"));
    RunSettings resumed = saving(5, 0, 0, checkpoints().newest().orElseThrow());
    refused(
        settings("all", plain).withRun(resumed),
        null,
        "(class weights: [1.0, 5.0] there, not set here)");
    train(settings.withRun(resumed), null, 0, folder.resolve("model"));
  }

  /**
   * Names and values that training checkpoints have, so that none is changed by renaming code. If
   * one must change, the version in {@link Checkpoints} rises.
   */
  @Test
  void checkpointsKeepTheirFormat() throws IOException {
    TuningSettings settings = settings("25%", hyperparameters(1, 1, 1.0));
    train(settings.withRun(saving(5, 4, 0, null)), null, 0, folder.resolve("model"));
    Path checkpoint = checkpoints().newest().orElseThrow();
    JsonNode state = new ObjectMapper().readTree(checkpoint.resolve("state.json").toFile());
    List<String> lines = new ArrayList<>();
    describe(state, "", lines);
    lines.add("/training/LoRA = " + LoraConfig.parse("r=4,dropout=0.1"));
    lines.forEach(System.out::println);
    assertEquals(
        Files.readString(Path.of("src/test/resources/training-checkpoint.txt")).lines().toList(),
        lines);
  }

  /** Fields by their paths; values of those that are exact on every machine. */
  private static void describe(JsonNode node, String path, List<String> lines) {
    if (node.isObject()) {
      node.properties().forEach(e -> describe(e.getValue(), path + "/" + e.getKey(), lines));
    } else if (node.isArray() && path.endsWith("/evaluations")) {
      describe(node.get(0), path + "/0", lines);
    } else {
      boolean exact =
          !node.isFloatingPointNumber()
              && !node.isArray()
              && !path.matches("/checksum.*|/training/kernels");
      lines.add(path + (exact ? " = " + node.asText() : ""));
    }
  }

  /** 12 steps an epoch, evaluated after each 4: the checkpoint is of step 10 of 12. */
  @Test
  void aCheckpointThatWasChangedIsRefused() throws IOException {
    TuningSettings settings = settings("all", hyperparameters(1, 1, 1.0));
    train(settings.withRun(saving(5, 4, 0, null)), null, 0, folder.resolve("model"));
    Path checkpoint = checkpoints().newest().orElseThrow();
    Path state = checkpoint.resolve("state.json");
    byte[] written = Files.readAllBytes(state);
    ObjectMapper mapper = new ObjectMapper();
    for (String change : CHANGES) {
      String[] parts = change.split("; ", 2);
      ObjectNode json = (ObjectNode) mapper.readTree(written);
      int cut = parts[0].lastIndexOf('/');
      ObjectNode parent = (ObjectNode) json.at(parts[0].substring(0, cut));
      parent.set(parts[0].substring(cut + 1), mapper.readTree(parts[1]));
      Files.write(state, mapper.writeValueAsBytes(json));
      refused(settings.withRun(saving(5, 4, 0, checkpoint)), null, "its checksum is wrong");
      // Whoever changes the checksum with it is met by what the numbers must be.
      json.remove("checksum");
      CRC32C sum = new CRC32C();
      sum.update(json.toString().getBytes(StandardCharsets.UTF_8));
      json.put("checksum", Long.toHexString(sum.getValue()));
      Files.write(state, mapper.writeValueAsBytes(json));
      refused(settings.withRun(saving(5, 4, 0, checkpoint)), null, "step-00000010");
    }
  }

  @Test
  void aCheckpointWithAFileThatIsGoneOrChangedIsRefused() throws IOException {
    TuningSettings settings = settings("all", hyperparameters(1, 1, 1.0));
    train(settings.withRun(saving(5, 4, 0, null)), null, 0, folder.resolve("model"));
    Path checkpoint = checkpoints().newest().orElseThrow();
    TuningSettings resumed = settings.withRun(saving(5, 4, 0, checkpoint));
    for (String file : List.of("weights", "best", "optimizer")) {
      Path tensors = checkpoint.resolve(file + ".safetensors");
      byte[] bytes = Files.readAllBytes(tensors);
      Files.delete(tensors);
      refused(resumed, null, "step-00000010");
      Files.write(tensors, bytes);
    }
    Path weights = checkpoint.resolve("weights.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 1] ^= 1;
    Files.write(weights, bytes);
    refused(resumed, null, "weights.safetensors is damaged");
  }

  private void refused(TuningSettings settings, String lora, String difference) {
    String message =
        assertThrows(
                BadInputException.class, () -> train(settings, lora, 0, folder.resolve("model")))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains(difference), message);
  }

  @Test
  void whatCannotBeWrittenLeavesTheLastCheckpoint() throws IOException {
    TuningSettings settings = settings("all", hyperparameters(2, 1, 1.0));
    Path first = folder.resolve("run/checkpoints/step-00000005");
    FineTuningListener listener =
        new FineTuningListener() {
          @Override
          public void onStep(StepReport step) {
            if (step.step() == 6) {
              try { // a file in the folder's place: nothing can be written there, by no one
                Files.move(folder.resolve("run"), folder.resolve("aside"));
                Files.createFile(folder.resolve("run"));
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            }
          }
        };
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = TextModel.forClasses(files, data().train())) {
      String message =
          assertThrows(
                  BadInputException.class,
                  () -> model.fineTune(data(), settings.withRun(saving(5, 0, 0, null)), listener))
              .getMessage();
      System.out.println(message);
      assertTrue(message.contains("step 10"), message);
    }
    Files.delete(folder.resolve("run"));
    Files.move(folder.resolve("aside"), folder.resolve("run"));
    assertEquals(first, checkpoints().newest().orElseThrow());
    try (Stream<Path> files = Files.list(folder.resolve("run/checkpoints"))) {
      assertEquals(List.of(first), files.toList());
    }
  }

  /**
   * The embedding of a word that one text has is NaN: so is the loss of the step with this text.
   */
  private void breakRareWord() throws IOException {
    int id;
    try (ModelFiles files = ModelFolder.open(base);
        TextTokenizer tokenizer = TextTokenizer.open(files, 40, true)) {
      id = tokenizer.encodePiece(RARE)[0];
    }
    Map<String, INDArray> weights = new LinkedHashMap<>();
    Path file = base.resolve(ModelFolder.WEIGHTS);
    try (SafeTensors tensors = SafeTensors.open(file)) {
      tensors.names().forEach(name -> weights.put(name, tensors.read(name)));
    }
    weights.get("bert.embeddings.word_embeddings.weight").getRow(id).assign(Double.NaN);
    Files.delete(file);
    SafeTensorsWriter.write(file, weights);
  }

  @ParameterizedTest(name = "gradients clipped to {0}")
  @ValueSource(doubles = {1.0, Double.POSITIVE_INFINITY})
  void aLossOfNanStopsOrIsPassedOver(double clip) throws IOException {
    breakRareWord();
    Path saved = folder.resolve("model");
    TuningSettings settings = settings("all", hyperparameters(3, 1, clip));
    String message =
        assertThrows(BadInputException.class, () -> train(settings, null, 0, saved)).getMessage();
    System.out.println(message);
    assertTrue(message.contains("loss is NaN") && message.contains("\"" + RARE + " the"), message);
    RunSettings skip = RunSettings.defaults().withOnNan(RunSettings.OnNan.SKIP);
    Trainer.Outcome outcome = train(settings.withRun(skip), null, 0, saved);
    System.out.printf(
        "%d of %d steps passed over, accuracy %.3f%n",
        outcome.skipped(), outcome.steps(), outcome.best().accuracy());
    assertEquals(3, outcome.skipped());
    assertEquals(36, outcome.steps());
    try (SafeTensors tensors = SafeTensors.open(saved.resolve(ModelFolder.WEIGHTS))) {
      for (String name : tensors.names()) {
        INDArray values = tensors.read(name);
        boolean table = name.endsWith("word_embeddings.weight");
        double[] numbers = values.dup().data().asDouble();
        long broken = Arrays.stream(numbers).filter(Double::isNaN).count();
        assertEquals(table ? 32 : 0, broken, name); // the row of the rare word
      }
    }
  }

  @Test
  void brokenWeightsAreNotPassedOverForever() throws IOException {
    TuningSettings wild =
        settings(
                "all",
                hyperparameters(OptimizerSettings.Kind.ADAMW, 9, 1, 1e30, Double.POSITIVE_INFINITY))
            .withRun(RunSettings.defaults().withOnNan(RunSettings.OnNan.SKIP));
    String message =
        assertThrows(BadInputException.class, () -> train(wild, null, 0, folder.resolve("model")))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("10 in a row"), message);
  }

  @Test
  void twoTrainingsDoNotWriteIntoOneFolder() throws IOException {
    Path run = folder.resolve("locked");
    try (RunFolder first = RunFolder.lock(run)) {
      Files.createFile(first.log());
      String message =
          assertThrows(BadInputException.class, () -> RunFolder.lock(run).close()).getMessage();
      System.out.println(message);
      assertTrue(message.contains("is training in " + run), message);
    }
    RunFolder.lock(run).close();
    assertTrue(Files.exists(run.resolve("log.jsonl")));
    Path empty = folder.resolve("nothing");
    RunFolder.lock(empty).close();
    assertFalse(Files.exists(empty));
  }
}
