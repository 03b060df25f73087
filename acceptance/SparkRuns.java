import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;
import org.apache.spark.sql.SparkSession;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.TextFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objectives;
import org.tokentune.spark.SparkSteps;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.StepReport;
import org.tokentune.train.TrainingCluster.Exchange;
import org.tokentune.zoo.Zoo;

/**
 * What spark.sh runs: fine-tunes all-MiniLM-L6-v2 on the first 2,000 rows of a file, 32 texts in a
 * step, in this process if the master is {@code none}. Prints a line for every step, and one with
 * digests and times at the end; with the property {@code test}, another file of rows, also the
 * accuracy on it.
 */
class SparkRuns {

  public static void main(String[] arguments) throws Exception {
    try {
      run(arguments[0], Path.of(arguments[1]));
    } catch (BadInputException e) {
      System.out.println("refused: " + e.getMessage());
      System.exit(2);
    }
  }

  private static String option(String name, String otherwise) {
    return System.getProperty("runs." + name, otherwise);
  }

  private static int number(String name, int otherwise) {
    return Integer.parseInt(option(name, Integer.toString(otherwise)));
  }

  /** Nanoseconds that all processors have worked for this process. */
  private static long processorNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  /**
   * The processors' time of a step, without the first third, in milliseconds.
   *
   * @param nanos after every step; those that are made at once are reported at once
   */
  private static long processorMillis(List<Long> nanos) {
    int last = nanos.size() - 1;
    int from = nanos.size() / 3;
    while (from < last - 1 && nanos.get(from + 1) - nanos.get(from) < 5_000_000) {
      from++;
    }
    return (nanos.get(last) - nanos.get(from)) / (last - from) / 1_000_000;
  }

  private static void run(String master, Path data) throws Exception {
    int tasks = number("tasks", 2);
    int batches = number("batches", 2);
    int every = number("sync-every", 1);
    int bits = number("gradient-bits", 32);
    int seed = number("seed", 42);
    String tokens = option("tokens", "25%");
    String lora = option("lora", "");
    String exchange = option("exchange", "spark");
    Columns columns = new Columns(List.of("sentence"), "label");
    List<Example> rows = TextFiles.read(data, columns, true).subList(0, 2000);
    TuningSettings settings =
        TuningSettings.defaults()
            .withTokens(tokens)
            .withMinTokens(4)
            .withBatchSize(32 / batches)
            .withHyperparameters(
                Hyperparameters.defaults()
                    .withAccumulation(batches)
                    .withSteps(number("steps", 50))
                    .withLearningRate(Double.parseDouble(option("rate", "1e-4")))
                    .withSeed(seed));
    List<Double> losses = new ArrayList<>();
    List<Long> times = new ArrayList<>();
    List<Long> processor = new ArrayList<>();
    FineTuningListener listener =
        new FineTuningListener() {
          @Override
          public void onStep(StepReport step) {
            losses.add(step.loss());
            times.add((long) (step.seconds() * 1e9));
            processor.add(processorNanos());
            System.out.printf(
                Locale.ROOT,
                "step %d loss %.9f ms %d%n",
                step.step(),
                step.loss(),
                times.get(times.size() - 1) / 1_000_000);
          }
        };
    SparkSession spark =
        master.equals("none") ? null : SparkSession.builder().appName("tokentune").getOrCreate();
    SparkSteps steps =
        spark == null
            ? null
            : SparkSteps.on(spark, tasks)
                .withSyncEvery(every)
                .withGradientBits(bits)
                .withExchange(Exchange.valueOf(exchange.toUpperCase(Locale.ROOT)))
                .withTimeout(Duration.ofSeconds(number("timeout", 600)));
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        TextModel model =
            TextModel.forTask(
                files,
                Labels.of(Objectives.CLASSIFY, rows),
                Pooling.FIRST,
                64,
                null,
                WeightStorage.FLOAT32,
                seed)) {
      if (!lora.isEmpty()) {
        model.addAdapter(LoraConfig.parse(lora), seed);
      }
      if (steps != null) {
        model.trainBy(steps);
      }
      model.fineTune(new DataSplit(rows, List.of(), List.of()), settings, listener);
      Path saved = Files.createTempDirectory("spark-runs");
      model.save(saved.resolve("model"));
      CRC32C digest = new CRC32C();
      digest.update(Files.readAllBytes(saved.resolve("model").resolve("model.safetensors")));
      String accuracy = "";
      if (!option("test", "").isEmpty()) {
        List<Example> test = TextFiles.read(Path.of(option("test", "")), columns, true);
        accuracy =
            String.format(
                Locale.ROOT, ", accuracy %.2f%%", 100 * model.evaluate(test).accuracy());
      }
      long[] sorted = times.stream().skip(times.size() / 5).mapToLong(Long::longValue).sorted().toArray();
      System.out.printf(
          Locale.ROOT,
          "result %s: exchange %s, tasks %d, tokens %s, lora '%s', averaged every %d, gradients of %d bits, seed %d:"
              + " last loss %.9f, losses %x, weights %x%s; %.1f s, a step %d ms (median; least %d,"
              + " longest %d; processors' time in this process %d)%s%n",
          master,
          exchange,
          tasks,
          tokens,
          lora,
          every,
          bits,
          seed,
          losses.get(losses.size() - 1),
          Arrays.hashCode(losses.stream().mapToDouble(x -> x).toArray()),
          digest.getValue(),
          accuracy,
          times.stream().mapToLong(Long::longValue).sum() / 1e9,
          sorted[sorted.length / 2] / 1_000_000,
          sorted[0] / 1_000_000,
          sorted[sorted.length - 1] / 1_000_000,
          processorMillis(processor),
          steps == null ? "" : "; " + steps.traffic());
    } finally {
      if (spark != null) {
        spark.stop();
      }
    }
  }
}
