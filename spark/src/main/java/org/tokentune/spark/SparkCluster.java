package org.tokentune.spark;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.spark.SparkException;
import org.apache.spark.sql.SparkSession;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.RowTokenizer;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenizerRecipe;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.TrainingCluster;
import org.tokentune.train.TrainingStep;

/**
 * Spark for the command line. Its settings are those of Spark: {@code spark.*} among the system
 * properties, or what {@code spark-submit} sets.
 */
public final class SparkCluster implements TrainingCluster {

  /** The master that spark-submit has set. */
  private static final String SUBMITTED = "submit";

  private static final String MASTER = "spark.master";

  /** What suits trainings, unless it is set: gradients neither compress nor wait to be fetched. */
  private static final Map<String, String> DEFAULTS =
      Map.of(
          "spark.ui.showConsoleProgress", "false",
          "spark.broadcast.compress", "false",
          "spark.task.maxDirectResultSize", "64m");

  @Override
  public Connection connect(Settings settings) {
    required(settings, "settings");

    String master =
        settings.master().equals(SUBMITTED) ? System.getProperty(MASTER) : settings.master();
    if (master == null) {
      throw new BadSettingsException(
          "The master is that of spark-submit, which has not started this program; name a master,"
              + " such as local[2].");
    }
    if (settings.tasks() == 0 && !isLocal(master)) {
      throw new BadSettingsException(
          "The number of tasks in a step decides the model, and with the master %s it would be that of"
              + " the executors that happen to have started; give --spark-tasks.",
          master);
    }
    SparkSession.Builder builder = SparkSession.builder().appName("tokentune");
    DEFAULTS.forEach((name, value) -> builder.config(name, System.getProperty(name, value)));
    builder.config(MASTER, master);
    SparkSession spark = started(builder, master);
    try {
      int tasks =
          settings.tasks() == 0 ? spark.sparkContext().defaultParallelism() : settings.tasks();
      return new Running(
          spark,
          SparkSteps.on(spark, tasks)
              .withSyncEvery(settings.syncEvery())
              .withGradientBits(settings.gradientBits())
              .withExchange(settings.exchange()));
    } catch (BadInputException e) {
      spark.stop();
      throw e;
    }
  }

  /** As Spark has it. */
  private static boolean isLocal(String master) {
    return master.equals("local") || master.startsWith("local[");
  }

  private static SparkSession started(SparkSession.Builder builder, String master) {
    try {
      return builder.getOrCreate();
    } catch (Exception e) { // Scala declares none of those that it throws
      if (e instanceof SparkException || e instanceof RuntimeException) {
        throw new BadInputException(
            e,
            "Spark does not start with the master %s (%s); name one that there is, such as local[2] or"
                + " spark://HOST:7077.",
            master,
            String.valueOf(e.getMessage()).lines().findFirst().orElse("no message"));
      }
      throw new IllegalStateException(e);
    }
  }

  private record Running(SparkSession spark, SparkSteps steps) implements Connection, RowTokenizer {

    @Override
    public TrainingStep create(
        TransformerModel model,
        Parameters parameters,
        Predicate<String> trainable,
        TokenSelector selector,
        Hyperparameters settings) {
      return steps.create(model, parameters, trainable, selector, settings);
    }

    @Override
    public List<TextTokenizer.RowTokens> encode(
        TokenizerRecipe tokenizer, List<Example> rows, Objective task, OnLong onLong) {
      return SparkTokenizer.on(spark).encode(tokenizer, rows, task, onLong);
    }

    @Override
    public String report() {
      Traffic sent = steps.traffic();
      return String.format(
          Locale.ROOT,
          "On Spark %s (%s), %d tasks a step. To each executor: %,d bytes once and %,d in %d steps; from"
              + " the tasks: %,d bytes%s. Steps made again: %d.",
          spark.version(),
          spark.sparkContext().master(),
          steps.options().tasks(),
          sent.model(),
          sent.values(),
          sent.steps(),
          sent.gradients(),
          steps.options().direct()
              ? String.format(Locale.ROOT, ", and %,d from task to task", sent.exchanged())
              : "",
          sent.repeated());
    }

    @Override
    public void close() {
      spark.stop();
    }
  }
}
