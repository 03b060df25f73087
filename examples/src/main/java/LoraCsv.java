import java.nio.file.Path;
import java.util.List;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.TextFiles;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.zoo.Zoo;

/** The same with low-rank adapters beside frozen weights; only they and the head are saved. */
public final class LoraCsv {

  private LoraCsv() {}

  public static void main(String[] args) {
    Columns columns = new Columns(List.of("message"), "team");
    DataSplit data =
        DataSplit.of(TextFiles.read(Path.of("messages.csv"), columns, true), 0.2, 0.2, 42);
    Path adapters = Path.of("target", "messages-adapters");
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        TextModel model = TextModel.forClasses(files, data.train())) {
      model.addAdapter(LoraConfig.on("query", "value"), 42);
      model.fineTune(
          data,
          TuningSettings.defaults().withBatchSize(8).withEpochs(10).withLearningRate(2e-3));
      System.out.println("accuracy on the test rows: " + model.evaluate(data.test()).accuracy());
      model.saveAdapter(adapters);
    }
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        TextModel model = TextModel.open(files, adapters)) {
      System.out.println(model.predict(List.of("My order has not come yet")));
    }
  }
}
