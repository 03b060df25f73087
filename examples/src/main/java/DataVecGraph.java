import java.io.File;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.records.reader.impl.csv.CSVRecordReader;
import org.datavec.api.split.FileSplit;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.SingleInputs;
import org.tokentune.datasets.TextBatches;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datavec.Examples;
import org.tokentune.dl4j.EncoderVertex;
import org.tokentune.formats.ModelFiles;
import org.tokentune.objectives.Objectives;
import org.tokentune.zoo.Zoo;

/**
 * DL4J's own way: rows from a DataVec reader, a DataSetIterator, and low-rank adapters on the
 * encoder of a ComputationGraph.
 */
public final class DataVecGraph {

  private DataVecGraph() {}

  public static void main(String[] args) throws Exception {
    RecordReader reader = new CSVRecordReader(1);
    reader.initialize(new FileSplit(new File("messages.csv")));
    Examples rows = Examples.of(reader, 0, 1); // the text's and the label's column
    Labels labels = Labels.of(Objectives.CLASSIFY, rows.stream().toList());
    File saved = new File("target", "datavec-net.zip");
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        TextTokenizer tokenizer = TextTokenizer.open(files, 128, true)) {
      EncoderVertex encoder =
          EncoderVertex.of(files, "25%").withLora(LoraConfig.on("query", "value").withRank(4));
      ComputationGraph net =
          new ComputationGraph(
              new NeuralNetConfiguration.Builder()
                  .seed(42)
                  .updater(new Adam(1e-3))
                  .graphBuilder()
                  .addInputs("ids")
                  .addVertex("encoder", encoder, "ids")
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
      System.out.println(net.summary());
      SingleInputs batches =
          new SingleInputs(TextBatches.streamed(rows, labels, tokenizer, 8, 42), labels);
      for (int epoch = 1; epoch <= 8; epoch++) {
        net.fit(batches);
        System.out.println("epoch " + epoch + ": loss " + net.score());
      }
      double accuracy = net.<Evaluation>evaluate(batches).accuracy();
      net.save(saved, true);
      double loaded = ComputationGraph.load(saved, true).<Evaluation>evaluate(batches).accuracy();
      System.out.printf(
          "accuracy on the rows it was trained on: %.3f; loaded from a file of %,d bytes: %.3f%n",
          accuracy, saved.length(), loaded);
      if (accuracy < 0.9 || accuracy != loaded) {
        throw new IllegalStateException("it should have learned, and be the same when loaded");
      }
    }
  }
}
