import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.tokentune.datasets.Example;
import org.tokentune.formats.ModelFiles;
import org.tokentune.spark.SparkExamples;
import org.tokentune.spark.TokenTuneClassifier;
import org.tokentune.text.TextModel;
import org.tokentune.zoo.Zoo;

/** Fine-tunes as a stage of a Spark ML pipeline, in two tasks in this process, and saves and loads the pipeline. */
public final class PipelineCsv {

  private PipelineCsv() {}

  public static void main(String[] args) throws IOException {
    try (SparkSession spark =
        SparkSession.builder().master("local[2]").appName("messages").config("spark.ui.enabled", false).getOrCreate()) {
      spark.sparkContext().setLogLevel("ERROR");
      Dataset<Row> rows =
          spark.read().option("header", true).option("multiLine", true).csv("../messages.csv");
      TokenTuneClassifier classifier =
          new TokenTuneClassifier()
              .setModel(pretrained(rows))
              .setTextCol("message")
              .setLabelCol("team")
              .setNumTasks(2)
              .setBatchSize(8)
              .setEpochs(6)
              .setLora("r=8")
              .setLearningRate(2e-3);
      PipelineModel model = new Pipeline().setStages(new PipelineStage[] {classifier}).fit(rows);
      Dataset<Row> predicted = model.transform(rows);
      predicted.select("message", "team", "prediction", "probabilities").show(3, 40);
      System.out.printf(
          "%d of %d rows that it was trained on are right%n",
          predicted.where("prediction = team").count(), rows.count());

      String saved = Path.of("target", "messages-pipeline").toString();
      model.write().overwrite().save(saved);
      List<Row> once = predicted.select("prediction").collectAsList();
      List<Row> again = PipelineModel.load(saved).transform(rows).select("prediction").collectAsList();
      System.out.println("the saved pipeline predicts the same: " + once.equals(again));
    }
  }

  /** A folder with the pretrained encoder; on a cluster, one that the driver can read. */
  private static String pretrained(Dataset<Row> rows) {
    Path folder = Path.of("target", "all-minilm-l6-v2");
    List<Example> examples = SparkExamples.read(rows, "message", null, "team");
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        TextModel model = TextModel.forClasses(files, examples)) {
      model.save(folder);
    }
    return folder.toString();
  }
}
