package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.files.Checkpoints;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objectives;
import org.tokentune.testing.SameBits;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.LocalStep;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.RunSettings;
import org.tokentune.train.StepReport;
import org.tokentune.train.TrainingCluster.Exchange;
import org.tokentune.train.TrainingStep;

/** Trainings on Spark, in this process, are those of one machine. */
class SparkTrainingTest {

  private static final List<Example> ROWS = SmallModel.rows(320);

  @TempDir private static Path folder;
  private static Path base;
  private static SparkSession spark;
  private static int saved;

  /** The result of a training. */
  private record Run(List<Double> losses, List<Double> seconds, Map<String, INDArray> weights) {

    double greatestDifference(Run other) {
      double greatest = 0;
      for (int i = 0; i < losses.size(); i++) {
        greatest = Math.max(greatest, Math.abs(losses.get(i) - other.losses.get(i)));
      }
      return greatest;
    }

    double greatestDifferenceOfWeights(Run other) {
      return weights.keySet().stream()
          .mapToDouble(
              name -> weights.get(name).sub(other.weights.get(name)).amaxNumber().doubleValue())
          .max()
          .orElseThrow();
    }
  }

  @BeforeAll
  static void start() throws IOException {
    base = SmallModel.folder(folder);
    spark = SmallModel.spark();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static TuningSettings settings(String tokens, int accumulation, int steps) {
    return TuningSettings.defaults()
        .withTokens(tokens)
        .withMinTokens(2)
        .withBatchSize(16 / accumulation)
        .withHyperparameters(
            Hyperparameters.defaults()
                .withLearningRate(1e-3)
                .withAccumulation(accumulation)
                .withSteps(steps));
  }

  private static Run train(
      TrainingStep.Factory steps, TuningSettings settings, String lora, int stopAfter) {
    return train(steps, settings, lora, stopAfter, null);
  }

  /**
   * @param dropout null: as the model has it
   */
  private static Run train(
      TrainingStep.Factory steps,
      TuningSettings settings,
      String lora,
      int stopAfter,
      Double dropout) {
    List<Double> losses = new ArrayList<>();
    List<Double> seconds = new ArrayList<>();
    FineTuningListener listener =
        new FineTuningListener() {
          @Override
          public void onStep(StepReport step) {
            losses.add(step.loss());
            seconds.add(step.seconds());
          }

          @Override
          public boolean stops() {
            return losses.size() >= stopAfter;
          }
        };
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model =
            TextModel.forTask(
                files,
                Labels.of(Objectives.CLASSIFY, ROWS),
                Pooling.FIRST,
                null,
                dropout,
                WeightStorage.FLOAT32,
                6)) {
      if (!lora.isEmpty()) {
        model.addAdapter(LoraConfig.parse(lora), 7);
      }
      model.trainBy(steps);
      model.fineTune(new DataSplit(ROWS, List.of(), List.of()), settings, listener);
      return new Run(
          losses, seconds, SmallModel.weights(model, folder.resolve("saved-" + saved++)));
    }
  }

  private static Run train(TrainingStep.Factory steps, TuningSettings settings, String lora) {
    return train(steps, settings, lora, Integer.MAX_VALUE);
  }

  private static void assertSameRun(Run expected, Run actual) {
    assertEquals(expected.losses(), actual.losses());
    SameBits.assertSameBits(expected.weights(), actual.weights());
  }

  private static SparkSteps steps(Exchange exchange, int tasks) {
    return SparkSteps.on(spark, tasks).withExchange(exchange);
  }

  @ParameterizedTest
  @CsvSource({
    "SPARK, all, '', 12",
    "DIRECT, 25%, '', 50",
    "SPARK, 25%, 'r=4,dropout=0.1', 12",
    "DIRECT, 25%, 'r=4,dropout=0.1', 12"
  })
  void equalsOneMachineAndItself(Exchange exchange, String tokens, String lora, int steps) {
    PrintStream out = System.out;
    TuningSettings settings = settings(tokens, 4, steps);
    SparkSteps two = steps(exchange, 2);
    Run alone = train(LocalStep::new, settings, lora);
    Run once = train(two, settings, lora);
    Traffic traffic = two.traffic();
    Run again = train(two, settings, lora, 6);
    Run byFour = train(steps(exchange, 4), settings, lora, 6);
    Run otherwise = train(steps(other(exchange), 2), settings, lora, steps);

    assertSame(out, System.out, "several engines in one process leave System.out as it was");
    assertEquals(steps, once.losses().size());
    assertEquals(once.losses().subList(0, 6), again.losses().subList(0, 6));
    assertSameRun(once, otherwise);
    assertEquals(
        alone.losses().subList(0, 6),
        byFour.losses().subList(0, 6),
        "one batch a task: the same sums");
    assertEquals(0, once.greatestDifference(alone), 1e-5);
    assertEquals(0, once.greatestDifferenceOfWeights(alone), 1e-5);
    System.out.printf(
        Locale.ROOT,
        "%s, tokens %s, adapters '%s', %d steps: greatest difference from one machine with 2 tasks of 2"
            + " batches %.1e of losses, %.1e of weights; with 4 tasks of 1 batch, and between two"
            + " runs or exchanges, none; %s%n",
        exchange,
        tokens,
        lora,
        steps,
        once.greatestDifference(alone),
        once.greatestDifferenceOfWeights(alone),
        traffic);
  }

  private static Exchange other(Exchange exchange) {
    return exchange == Exchange.SPARK ? Exchange.DIRECT : Exchange.SPARK;
  }

  @Test
  void sendsOnlyAdapters() {
    SparkSteps steps = SparkSteps.on(spark, 2);
    train(steps, settings("25%", 2, 2), "r=4");
    Traffic adapters = steps.traffic();
    train(steps, settings("25%", 2, 2), "");
    Traffic all = steps.traffic();
    System.out.println("adapters: " + adapters + "\neverything: " + all);
    assertEquals(0, all.model());
    assertEquals(2 * all.values(), all.gradients(), "both tasks return as much as they are sent");
    assertEquals(2 * adapters.values(), adapters.gradients());
    assertTrue(adapters.values() < all.values() / 2);
  }

  /**
   * Everything goes to the tasks and comes back once in a job, and in a step from one to another.
   */
  @ParameterizedTest
  @CsvSource({"1, 32", "2, 32", "3, 32", "2, 16"})
  void exchangesWhatIsPlanned(int tasks, int bits) {
    SparkSteps driver = SparkSteps.on(spark, 1);
    train(driver, settings("25%", 2, 3), "r=4");
    long trained = driver.traffic().values() / 3;
    SparkSteps direct = steps(Exchange.DIRECT, tasks).withGradientBits(bits);
    train(direct, settings("25%", 2, 3), "r=4");
    Traffic traffic = direct.traffic();
    System.out.println(traffic);
    assertEquals(3, traffic.steps());
    assertEquals(trained, traffic.values(), "no state before the first update");
    assertEquals(3 * trained, traffic.gradients(), "values, and two moments of each");
    assertEquals(3L * (tasks - 1) * trained * (bits + 32) / 32, traffic.exchanged());
  }

  @ParameterizedTest
  @CsvSource({"SPARK, 11", "DIRECT, 3"}) // the first task of step 6, and of the second job
  void repeatsAStepWhoseTaskFailed(Exchange exchange, int task) {
    TuningSettings settings = settings("25%", 2, 10);
    Run undisturbed = train(SparkSteps.on(spark, 2), settings, "");
    SparkSteps steps = steps(exchange, 2);
    Faults.AT.set(task);
    Run disturbed = train(steps, settings, "");
    assertEquals(1, steps.traffic().repeated());
    assertSameRun(undisturbed, disturbed);
    System.out.println("one task failed after its work: the same bits at the end");
  }

  /** A learning rate that breaks the weights at once. */
  @Test
  void passesOverStepsAsOneMachine() {
    TuningSettings settings = settings("25%", 2, 14);
    TuningSettings broken =
        settings.withHyperparameters(settings.hyperparameters().withLearningRate(1e30).withClip(1));
    TuningSettings skips = broken.withRun(RunSettings.defaults().withOnNan(RunSettings.OnNan.SKIP));
    for (TuningSettings one : List.of(broken, skips)) {
      List<String> sentences = new ArrayList<>();
      for (TrainingStep.Factory steps :
          List.<TrainingStep.Factory>of(
              LocalStep::new, steps(Exchange.SPARK, 2), steps(Exchange.DIRECT, 2))) {
        BadInputException e = assertThrows(BadInputException.class, () -> train(steps, one, ""));
        System.out.println(e.getMessage());
        sentences.add(e.getMessage());
      }
      assertEquals(1, Set.copyOf(sentences).size());
    }
  }

  @Test
  void runsTasksAtTheSameTimeOrNotAtAll() {
    assertSays(
        "Tasks that exchange gradients run at the same time, and Spark runs 4 of 5; give it more cores,"
            + " ask for fewer tasks, or leave exchange at spark.",
        () -> train(steps(Exchange.DIRECT, 5), settings("25%", 2, 2), ""));
    assertSays(
        "With syncEvery 4 no gradients travel that tasks could exchange; leave exchange at spark, or"
            + " syncEvery at 1.",
        () -> steps(Exchange.DIRECT, 2).withSyncEvery(4));
  }

  /** One task is held when it starts. */
  @Test
  void doesNotWaitForATaskThatDoesNotCome() {
    Faults.HELD.set(1);
    try {
      assertSays(
          "Spark has not gone on in 3 seconds: 1 of 2 tasks have started, and direct exchange needs all of"
              + " them at the same time; start more executors, or ask for fewer tasks. Resume from the last"
              + " training checkpoint, or give steps more time.",
          () ->
              train(
                  steps(Exchange.DIRECT, 2).withTimeout(Duration.ofSeconds(3)),
                  settings("25%", 2, 2),
                  ""));
    } finally {
      Faults.HELD.set(0);
    }
  }

  @ParameterizedTest
  @EnumSource
  void givesUpAfterSomeAttempts(Exchange exchange) {
    Faults.all = true;
    try {
      BadInputException e =
          assertThrows(
              BadInputException.class,
              () -> train(steps(exchange, 2).withAttempts(2), settings("25%", 2, 2), ""));
      System.out.println(e.getMessage());
      assertTrue(
          e.getMessage()
              .startsWith("Step 1 failed 2 times on Spark (a fault for the test); look into"),
          e.getMessage());
    } finally {
      Faults.all = false;
    }
  }

  @ParameterizedTest
  @EnumSource
  void eitherSideContinuesFromTheOthersCheckpoint(Exchange exchange) {
    TuningSettings settings = settings("25%", 2, 20);
    Run whole = train(LocalStep::new, settings, "");
    List<TrainingStep.Factory> sides = List.of(LocalStep::new, steps(exchange, 2));
    for (int i = 0; i < 2; i++) {
      Checkpoints checkpoints = new Checkpoints(folder.resolve("checkpoints-" + i + exchange), 2);
      RunSettings run = RunSettings.defaults().withCheckpoints(5, checkpoints);
      train(sides.get(i), settings.withRun(run), "", 10);
      RunSettings resumed = run.withResume(checkpoints.newest().orElseThrow());
      Run rest = train(sides.get(1 - i), settings.withRun(resumed), "");
      assertEquals(10, rest.losses().size());
      SameBits.assertSameBits(whole.weights(), rest.weights());
    }
    System.out.println("stopped on one side, continued on the other: the same bits at the end");
  }

  @Test
  void doesNotContinueWithAnotherExchange() {
    SparkSteps averages = SparkSteps.on(spark, 2).withSyncEvery(4);
    TuningSettings settings = settings("25%", 2, 4);
    Checkpoints checkpoints = new Checkpoints(folder.resolve("of-averages"), 1);
    RunSettings run = RunSettings.defaults().withCheckpoints(2, checkpoints);
    train(averages, settings.withRun(run), "", 2);
    Path last = checkpoints.newest().orElseThrow();
    TuningSettings resumed = settings.withRun(run.withResume(last));
    String there =
        last + " belongs to another training (distribution of steps: averages of 2 tasks";
    String next = "; use the same data and settings, or start over.";
    assertSays(
        there + " every 4 steps there, averages of 2 tasks every 2 steps here)" + next,
        () -> train(averages.withSyncEvery(2), resumed, ""));
    assertSays(
        there + " every 4 steps there, averages of 3 tasks every 4 steps here)" + next,
        () -> train(SparkSteps.on(spark, 3).withSyncEvery(4), resumed, ""));
    assertSays(
        there + " every 4 steps there, not set here)" + next,
        () -> train(LocalStep::new, resumed, ""));
    assertSays(
        there + " every 4 steps there, gradients of 2 tasks in 16 bits here)" + next,
        () -> train(SparkSteps.on(spark, 2).withGradientBits(16), resumed, ""));
    assertSays(
        there + " every 4 steps there, dropout of 2 parts of batches here)" + next,
        () -> train(SparkSteps.on(spark, 4), resumed, "", 4, 0.1));
    RunSettings other = run.withCheckpoints(3, checkpoints).withResume(last);
    assertSays(
        last + " belongs to another training (steps between checkpoints: 2 there, 3 here)" + next,
        () -> train(averages, settings.withRun(other), ""));
    train(averages, resumed, "");
  }

  /** Without dropout, which parts of batches have of their own. */
  @ParameterizedTest
  @CsvSource({"SPARK, 1, 3", "SPARK, 2, 20", "DIRECT, 1, 3"})
  void dividesTheTextsOfBatches(Exchange exchange, int batches, int tasks) {
    TuningSettings settings = settings("25%", batches, 5);
    Run alone = train(LocalStep::new, settings, "", 5, 0.0);
    SparkSteps steps = steps(exchange, tasks);
    Run divided = train(steps, settings, "", 5, 0.0);
    assertEquals(0, divided.greatestDifference(alone), 1e-5);
    assertEquals(0, divided.greatestDifferenceOfWeights(alone), 1e-4);
    System.out.printf(
        Locale.ROOT,
        "%d batches in %d tasks: greatest difference from one machine %.1e of losses, %.1e of weights%n",
        batches,
        tasks,
        divided.greatestDifference(alone),
        divided.greatestDifferenceOfWeights(alone));
  }

  @Test
  void oneTaskThatUpdatesByItselfIsOneMachine() {
    TuningSettings settings = settings("25%", 1, 10);
    Run alone = train(LocalStep::new, settings, "r=4,dropout=0.1");
    Run rounds = train(SparkSteps.on(spark, 1).withSyncEvery(4), settings, "r=4,dropout=0.1");
    assertSameRun(alone, rounds);
    System.out.println("an average of one task every 4 steps: the bits of one machine");
  }

  @Test
  void averagesEveryFewSteps() {
    TuningSettings settings = settings("25%", 2, 22);
    SparkSteps synchronous = SparkSteps.on(spark, 2);
    Run alone = train(synchronous, settings, "");
    SparkSteps steps = SparkSteps.on(spark, 2).withSyncEvery(4);
    Run once = train(steps, settings, "");
    Traffic traffic = steps.traffic();
    assertSameRun(once, train(steps, settings, ""));
    assertEquals(22, once.losses().size());
    assertEquals(
        alone.losses().get(0), once.losses().get(0), "the first step begins as on one machine");
    assertEquals(22, traffic.steps());
    assertEquals(1, Set.copyOf(once.seconds().subList(0, 4)).size(), "a part of the round's time");
    assertNotEquals(once.seconds().get(3), once.seconds().get(4));
    double weights = (double) synchronous.traffic().values() / 22;
    // An epoch of 20 steps has 5 rounds, the rest one; AdamW has two moments of each value.
    assertEquals(2 * 6 * 3, traffic.gradients() / weights, 0.01);
    assertEquals(mean(alone.losses().subList(14, 22)), mean(once.losses().subList(14, 22)), 0.05);
    System.out.printf(
        Locale.ROOT,
        "mean of the last 8 of 22 losses: %.4f synchronous, %.4f averaged every 4 steps; bytes %s and %s%n",
        mean(alone.losses().subList(14, 22)),
        mean(once.losses().subList(14, 22)),
        synchronous.traffic(),
        traffic);
  }

  private static double mean(List<Double> losses) {
    return losses.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  @Test
  void averagesAreTakenBeforeCheckpoints() {
    SparkSteps steps = SparkSteps.on(spark, 2).withSyncEvery(4);
    Checkpoints checkpoints = new Checkpoints(folder.resolve("averaged"), 2);
    RunSettings run = RunSettings.defaults().withCheckpoints(6, checkpoints);
    TuningSettings settings = settings("25%", 2, 14).withRun(run);
    Run whole = train(steps, settings, "");
    Faults.AT.set(3); // the first task of the second round
    Run disturbed = train(steps, settings, "");
    assertEquals(1, steps.traffic().repeated());
    assertSameRun(whole, disturbed);
    train(steps, settings, "", 6);
    RunSettings resumed = run.withResume(checkpoints.newest().orElseThrow());
    Run rest = train(steps, settings.withRun(resumed), "");
    assertEquals(whole.losses().subList(6, 14), rest.losses());
    SameBits.assertSameBits(whole.weights(), rest.weights());
    System.out.println(
        "averages every 4 steps, stopped at 6 and continued: the same bits at the end");
  }

  @ParameterizedTest
  @EnumSource
  void roundsGradientsTo16Bits(Exchange exchange) {
    TuningSettings settings = settings("25%", 2, 8);
    SparkSteps steps = SparkSteps.on(spark, 2);
    Run exact = train(steps, settings, "");
    SparkSteps half = steps.withGradientBits(16).withExchange(exchange);
    Run rounded = train(half, settings, "");
    assertSameRun(rounded, train(half, settings, ""));
    if (exchange == Exchange.SPARK) {
      assertEquals(steps.traffic().gradients(), 2 * half.traffic().gradients());
    }
    assertSameRun(rounded, train(half.withExchange(other(exchange)), settings, ""));
    assertEquals(0, rounded.greatestDifference(exact), 0.05);
    assertTrue(rounded.greatestDifference(exact) > 0);
    System.out.printf(
        Locale.ROOT,
        "gradients of 16 bits: greatest difference of 8 losses %.1e, last losses %.4f and %.4f%n",
        rounded.greatestDifference(exact),
        exact.losses().get(7),
        rounded.losses().get(7));
  }

  @Test
  void saysWhatCannotBe() {
    assertSays(
        "With syncEvery 4 no gradients travel that could have 16 bits; leave gradientBits at 32, or"
            + " syncEvery at 1.",
        () -> SparkSteps.on(spark, 2).withSyncEvery(4).withGradientBits(16));
    assertSays(
        "gradientBits must be 16 or 32, got 8.", () -> SparkSteps.on(spark, 2).withGradientBits(8));
    TuningSettings settings = settings("25%", 2, 2);
    Hyperparameters eightBits =
        settings
            .hyperparameters()
            .withOptimizer(OptimizerSettings.adamW(0).withKind(OptimizerSettings.Kind.ADAMW8BIT));
    assertSays(
        "The state of adamw8bit, in 8 bits, cannot be averaged every 4 steps; set syncEvery to 1, or"
            + " use adamw.",
        () ->
            train(
                SparkSteps.on(spark, 2).withSyncEvery(4),
                settings.withHyperparameters(eightBits),
                ""));
    assertSays(
        "microBatch is for vectors of texts, not for classify; give accumulation.",
        () ->
            train(
                SparkSteps.on(spark, 2),
                settings.withHyperparameters(
                    settings
                        .hyperparameters()
                        .withMemory(MemorySettings.defaults().withMicroBatch(2))),
                ""));
    assertSays(
        "Of 4 steps that are made at once none can be passed over (onNan: skip); make one at a time, or"
            + " let the training end (onNan: stop).",
        () ->
            train(
                SparkSteps.on(spark, 2).withSyncEvery(4),
                settings.withRun(RunSettings.defaults().withOnNan(RunSettings.OnNan.SKIP)),
                ""));
    assertSays(
        "An executor has version "
            + JarVersion.own()
            + " of tokentune-spark and the driver 9.9; give"
            + " both the same jar.",
        () -> JarVersion.check("9.9"));
  }

  private static void assertSays(String sentence, Executable call) {
    BadInputException e = assertThrows(BadInputException.class, call);
    assertEquals(sentence, e.getMessage());
    System.out.println(sentence);
  }

  /** What the command line's NullArgumentsTest does for other modules. */
  @Test
  void refusesNullAndSettingsThatMakeNoSense() {
    for (Executable call :
        List.<Executable>of(
            () -> SparkSteps.on(null, 1),
            () -> SparkSteps.on(spark, 0),
            () -> SparkSteps.on(spark, 1).withAttempts(0),
            () -> SparkSteps.on(spark, 1).withSyncEvery(0),
            () -> SparkSteps.on(spark, 1).withTimeout(null),
            () -> SparkSteps.on(spark, 1).withTimeout(Duration.ZERO),
            () -> SparkSteps.on(spark, 1).create(null, null, null, null, null),
            () -> SparkExamples.read(null, "text", null, null),
            () -> SparkExamples.read(spark.emptyDataFrame(), null, null, null),
            () -> new TokenTuneClassifier(null),
            () -> new TokenTuneClassifier().setTextCol(null),
            () -> new TokenTuneClassifier().fit(null),
            () -> TokenTuneClassifier.load(null),
            () -> TokenTuneClassificationModel.load(null))) {
      System.out.println(assertThrows(BadInputException.class, call).getMessage());
    }
  }
}
