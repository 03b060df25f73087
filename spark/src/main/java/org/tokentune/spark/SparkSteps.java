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
import org.tokentune.train.TrainingCluster.Exchange;
import org.tokentune.train.TrainingStep;

/**
 * Makes the steps of a training on Spark: {@code model.trainBy(SparkSteps.on(spark, 8))}.
 *
 * <p>The batches of a step ({@link Hyperparameters#accumulation()}), or, if there are fewer than
 * tasks, parts of them, are divided among a number of tasks that stays the same for the whole run.
 * The driver sends them what trains, they return the sums of their gradients, the driver adds these
 * in the order of the tasks and makes the update. So losses and weights are those of one machine
 * with the same settings, except that parts of batches have dropout of their own, and the same bits
 * in every run with as many tasks, however many executors there are. A step depends on nothing that
 * an executor holds: what is lost is computed again. Training checkpoints are the driver's, and
 * those of one machine.
 *
 * <p>For slow networks, {@link #withSyncEvery} lets tasks make the updates of several steps
 * themselves, and {@link #withGradientBits} halves the gradients.
 */
public final class SparkSteps implements TrainingStep.Factory {

  private final JavaSparkContext context;
  private final Options options;
  private volatile Traffic traffic = new Traffic(0, 0, 0, 0, 0, 0, 0);

  /**
   * How steps are made.
   *
   * @param attempts at a step
   * @param syncEvery steps between averages; 1: the driver updates
   */
  record Options(
      int tasks,
      int attempts,
      Duration timeout,
      int syncEvery,
      GradientPrecision precision,
      Exchange exchange) {

    Options {
      atLeastOne("tasks", tasks);
      atLeastOne("attempts", attempts);
      atLeastOne("syncEvery", syncEvery);
      if (timeout.isNegative() || timeout.isZero()) {
        throw BadSettingsException.of("timeout", "must be longer than nothing, got %s.", timeout);
      }
      if (syncEvery > 1 && precision != GradientPrecision.FLOAT32) {
        throw new BadSettingsException(
            "With syncEvery %d no gradients travel that could have 16 bits; leave gradientBits at 32,"
                + " or syncEvery at 1.",
            syncEvery);
      }
      if (syncEvery > 1 && exchange == Exchange.DIRECT) {
        throw new BadSettingsException(
            "With syncEvery %d no gradients travel that tasks could exchange; leave exchange at spark, or"
                + " syncEvery at 1.",
            syncEvery);
      }
    }

    boolean direct() {
      return exchange == Exchange.DIRECT;
    }

    private static void atLeastOne(String name, int value) {
      if (value < 1) {
        throw BadSettingsException.of(name, "must be at least 1, got %d.", value);
      }
    }
  }

  private SparkSteps(JavaSparkContext context, Options options) {
    this.context = context;
    this.options = options;
  }

  /**
   * Steps of so many tasks.
   *
   * @param tasks at most as many as a step has texts are of use
   */
  public static SparkSteps on(SparkSession spark, int tasks) {
    required(spark, "spark");

    return new SparkSteps(
        JavaSparkContext.fromSparkContext(spark.sparkContext()),
        new Options(
            tasks, 4, Duration.ofMinutes(30), 1, GradientPrecision.FLOAT32, Exchange.SPARK));
  }

  /**
   * The same with another number of attempts at a step, each of which Spark may make with retries
   * of its own ({@code spark.task.maxFailures}); 4 unless it is set.
   */
  public SparkSteps withAttempts(int most) {
    return new SparkSteps(
        context,
        new Options(
            options.tasks(),
            most,
            options.timeout(),
            options.syncEvery(),
            options.precision(),
            options.exchange()));
  }

  /**
   * The same with another limit to the time of a job, which makes a step, or the steps between two
   * averages, or, with direct exchange, to the time in which no task says that it has made a step;
   * half an hour unless it is set.
   */
  public SparkSteps withTimeout(Duration most) {
    required(most, "most");

    return new SparkSteps(
        context,
        new Options(
            options.tasks(),
            options.attempts(),
            most,
            options.syncEvery(),
            options.precision(),
            options.exchange()));
  }

  /**
   * The same with an average of values and of the optimizer's state every so many steps, between
   * which every task updates values of its own from the gradients of its own share (local SGD:
   * Stich, 2019). Averages are also taken before evaluations and checkpoints and at the end of an
   * epoch. As the results of steps come together, none of them can be passed over because of a loss
   * that is not finite.
   *
   * @param steps 1: the driver updates from the gradients of all tasks, as on one machine
   */
  public SparkSteps withSyncEvery(int steps) {
    return new SparkSteps(
        context,
        new Options(
            options.tasks(),
            options.attempts(),
            options.timeout(),
            steps,
            options.precision(),
            options.exchange()));
  }

  /**
   * The same with gradients that travel in 32 bits, or rounded to the 16 of bfloat16.
   *
   * @param bits 16 or 32
   */
  public SparkSteps withGradientBits(int bits) {
    if (bits != 16 && bits != 32) {
      throw BadSettingsException.of("gradientBits", "must be 16 or 32, got %d.", bits);
    }
    return new SparkSteps(
        context,
        new Options(
            options.tasks(),
            options.attempts(),
            options.timeout(),
            options.syncEvery(),
            bits == 16 ? GradientPrecision.BFLOAT16 : GradientPrecision.FLOAT32,
            options.exchange()));
  }

  /**
   * The same with another exchange of gradients; {@link Exchange#SPARK} unless it is set.
   *
   * <p>With {@link Exchange#DIRECT} a job makes as many steps as take about ten seconds, or nine
   * times as long as all else in it, up to the next evaluation or checkpoint, with all tasks at the
   * same time. Each task adds up a slice of the gradients of all, in their order, and all make the
   * same updates; so losses and weights are those of the other exchange, to the last bit. Executors
   * must reach one another and the driver. If a task fails, all steps of the job are made again.
   */
  public SparkSteps withExchange(Exchange exchange) {
    required(exchange, "exchange");

    return new SparkSteps(
        context,
        new Options(
            options.tasks(),
            options.attempts(),
            options.timeout(),
            options.syncEvery(),
            options.precision(),
            exchange));
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

  Options options() {
    return options;
  }
}
