import java.nio.file.Path;
import java.util.List;
import org.tokentune.formats.ModelFiles;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.TextFiles;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.zoo.Zoo;

/** Teaches an encoder, all layers of it, which team a message is for, and saves it. */
public final class FineTuneCsv {

  private FineTuneCsv() {}

  public static void main(String[] args) {
    Columns columns = new Columns(List.of("message"), "team");
    DataSplit data =
        DataSplit.of(TextFiles.read(Path.of("messages.csv"), columns, true), 0.2, 0.2, 42);
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        TextModel model = TextModel.forClasses(files, data.train())) {
      model.fineTune(data, TuningSettings.defaults().withBatchSize(8).withEpochs(6));
      System.out.println("accuracy on the test rows: " + model.evaluate(data.test()).accuracy());
      System.out.println(model.predict(List.of("My order has not come yet")));
      model.save(Path.of("target", "messages-model"));
    }
  }
}
