import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;
import org.apache.spark.sql.SparkSession;
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
import org.tokentune.zoo.Zoo;

/**
 * What spark.sh runs: {@code MASTER DATA TASKS STEPS TOKENS [LORA]}. Fine-tunes all-MiniLM-L6-v2 on
 * the first 2,000 rows, 32 texts in a step, in this process if the master is {@code none}, and
 * prints a line with losses, digests and the median time of a step.
 */
class SparkRuns {

  public static void main(String[] arguments) throws Exception {
    String master = arguments[0];
    Path data = Path.of(arguments[1]);
    int tasks = Integer.parseInt(arguments[2]);
    int steps = Integer.parseInt(arguments[3]);
    String lora = arguments.length > 5 ? arguments[5] : "";
    Columns columns = new Columns(List.of("sentence"), "label");
    List<Example> rows = TextFiles.read(data, columns, true).subList(0, 2000);
    int batches = 2;
    TuningSettings settings =
        TuningSettings.defaults()
            .withTokens(arguments[4])
            .withMinTokens(4)
            .withBatchSize(32 / batches)
            .withHyperparameters(
                Hyperparameters.defaults().withAccumulation(batches).withSteps(steps));
    List<Double> losses = new ArrayList<>();
    List<Long> times = new ArrayList<>();
    FineTuningListener listener =
        new FineTuningListener() {
          private long last = System.nanoTime();

          @Override
          public void onStep(StepReport step) {
            losses.add(step.loss());
            times.add(System.nanoTime() - last);
            last = System.nanoTime();
            System.out.printf(Locale.ROOT, "step %d loss %.9f%n", step.step(), step.loss());
          }
        };
    SparkSession spark =
        master.equals("none") ? null : SparkSession.builder().appName("tokentune").getOrCreate();
    SparkSteps onSpark = spark == null ? null : SparkSteps.on(spark, tasks);
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        TextModel model =
            TextModel.forTask(
                files,
                Labels.of(Objectives.CLASSIFY, rows),
                Pooling.FIRST,
                64,
                null,
                WeightStorage.FLOAT32,
                42)) {
      if (!lora.isEmpty()) {
        model.addAdapter(LoraConfig.parse(lora), 42);
      }
      if (onSpark != null) {
        model.trainBy(onSpark);
      }
      model.fineTune(new DataSplit(rows, List.of(), List.of()), settings, listener);
      CRC32C digest = new CRC32C();
      model
          .predict(rows.subList(0, 200).stream().map(Example::text).toList())
          .forEach(one -> digest.update(one.toString().getBytes(StandardCharsets.UTF_8)));
      long[] sorted = times.stream().skip(times.size() / 5).mapToLong(Long::longValue).sorted().toArray();
      System.out.printf(
          Locale.ROOT,
          "result %s tasks %d tokens %s lora '%s': last loss %.9f, losses %s, predictions %x, median"
              + " step %d ms, least %d ms%s%n",
          master,
          tasks,
          arguments[4],
          lora,
          losses.get(losses.size() - 1),
          Integer.toHexString(Arrays.hashCode(losses.stream().mapToDouble(x -> x).toArray())),
          digest.getValue(),
          sorted[sorted.length / 2] / 1_000_000,
          sorted[0] / 1_000_000,
          onSpark == null ? "" : "; " + onSpark.traffic());
    }
    if (spark != null) {
      spark.stop();
    }
  }
}
