import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.tokentune.formats.ModelFiles;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.TextBatches;
import org.tokentune.datasets.TextFiles;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.dl4j.EncoderVertex;
import org.tokentune.objectives.Objectives;
import org.tokentune.zoo.Zoo;

/** The same in Deeplearning4j: the encoder is a vertex of a ComputationGraph. */
public final class ComputationGraphCsv {

  private ComputationGraphCsv() {}

  public static void main(String[] args) throws IOException {
    Columns columns = new Columns(List.of("message"), "team");
    DataSplit data =
        DataSplit.of(TextFiles.read(Path.of("messages.csv"), columns, true), 0.2, 0.2, 42);
    Labels labels = Labels.of(Objectives.CLASSIFY, data.train());
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        TextTokenizer tokenizer = TextTokenizer.open(files, 128, true)) {
      EncoderVertex encoder = EncoderVertex.of(files, "25%");
      ComputationGraph net =
          new ComputationGraph(
              new NeuralNetConfiguration.Builder()
                  .seed(42)
                  .updater(new Adam(1e-4))
                  .graphBuilder()
                  .addInputs("ids", "mask", "types")
                  .addVertex("encoder", encoder, "ids", "mask", "types")
                  .addLayer(
                      "output",
                      new OutputLayer.Builder(LossFunction.MCXENT)
                          .nIn(encoder.hidden())
                          .nOut(labels.outputs())
                          .activation(Activation.SOFTMAX)
                          .build(),
                      "encoder")
                  .setOutputs("output")
                  .build());
      net.init();
      for (int epoch = 1; epoch <= 6; epoch++) {
        net.fit(new TextBatches(data.train(), labels, tokenizer, 8, epoch));
        System.out.println("epoch " + epoch + ": loss " + net.score());
      }
      Evaluation evaluation = net.evaluate(new TextBatches(data.test(), labels, tokenizer, 8, 42));
      System.out.println("accuracy on the test rows: " + evaluation.accuracy());
      net.save(new File("target", "messages-net.zip"));
    }
  }
}
