package org.tokentune.spark;

import static org.tokentune.Arguments.required;

import java.time.Duration;
import java.util.function.Predicate;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.TrainingStep;

/**
 * Makes the steps of a training on Spark: {@code model.trainBy(SparkSteps.on(spark, 8))}.
 *
 * <p>The batches of a step ({@link Hyperparameters#accumulation()}) are divided among a number of
 * tasks that stays the same for the whole run. The driver sends them what trains, they return the
 * sums of their gradients, the driver adds these in the order of the tasks and makes the update. So
 * losses and weights are those of one machine with the same settings, and the same bits in every
 * run with as many tasks, however many executors there are. A step depends on nothing that an
 * executor holds: what is lost is computed again. Training checkpoints are the driver's, and those
 * of one machine.
 */
public final class SparkSteps implements TrainingStep.Factory {

  private static final int ATTEMPTS = 4;
  private static final Duration TIMEOUT = Duration.ofMinutes(30);

  private final JavaSparkContext context;
  private final int tasks;
  private final int attempts;
  private final Duration timeout;
  private volatile Traffic traffic = new Traffic(0, 0, 0, 0, 0, 0);

  private SparkSteps(JavaSparkContext context, int tasks, int attempts, Duration timeout) {
    this.context = context;
    this.tasks = tasks;
    this.attempts = attempts;
    this.timeout = timeout;
    if (tasks < 1) {
      throw BadSettingsException.of("tasks", "must be at least 1, got %d.", tasks);
    }
    if (attempts < 1) {
      throw BadSettingsException.of("attempts", "must be at least 1, got %d.", attempts);
    }
    if (timeout.isNegative() || timeout.isZero()) {
      throw BadSettingsException.of("timeout", "must be longer than nothing, got %s.", timeout);
    }
  }

  /**
   * Steps of so many tasks.
   *
   * @param tasks at most as many as a step has batches
   */
  public static SparkSteps on(SparkSession spark, int tasks) {
    required(spark, "spark");

    return new SparkSteps(
        JavaSparkContext.fromSparkContext(spark.sparkContext()), tasks, ATTEMPTS, TIMEOUT);
  }

  /**
   * The same with another number of attempts at a step, each of which Spark may make with retries
   * of its own ({@code spark.task.maxFailures}); 4 unless it is set.
   */
  public SparkSteps withAttempts(int most) {
    return new SparkSteps(context, tasks, most, timeout);
  }

  /** The same with another limit to the time of a step; half an hour unless it is set. */
  public SparkSteps withTimeout(Duration most) {
    required(most, "most");

    return new SparkSteps(context, tasks, attempts, most);
  }

  @Override
  public TrainingStep create(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings) {
    required(model, "model");
    required(parameters, "parameters");
    required(trainable, "trainable");
    required(selector, "selector");
    required(settings, "settings");

    return new SparkTrainingStep(this, model, parameters, trainable, selector, settings);
  }

  /** What the last training has sent, up to now. */
  public Traffic traffic() {
    return traffic;
  }

  void report(Traffic sent) {
    traffic = sent;
  }

  JavaSparkContext context() {
    return context;
  }

  int tasks() {
    return tasks;
  }

  int attempts() {
    return attempts;
  }

  Duration timeout() {
    return timeout;
  }
}
