import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.dl4j.EncoderVertex;
import org.tokentune.formats.ModelFiles;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.train.MemorySettings;
import org.tokentune.zoo.Zoo;

/**
 * Live bytes of a ComputationGraph that trains all-MiniLM-L6-v2 by Adam, on 8 texts of 128 tokens:
 * DL4J's parameters, gradients and updater state, and what the encoder takes besides.
 */
public final class GraphMemory {

  private static final int BATCH = 8;
  private static final int LENGTH = 128;

  private GraphMemory() {}

  /** A way to train, and how many megabytes it may take at 25% and at all tokens. */
  private record Way(UnaryOperator<EncoderVertex> change, double quarter, double all) {}

  public static void main(String[] args) {
    Map<String, Way> ways = new LinkedHashMap<>();
    ways.put("everything", new Way(vertex -> vertex, 375, 382));
    ways.put("without embeddings", new Way(v -> v.withTrainable("no-embeddings"), 235, 285));
    ways.put("last 2 layers", new Way(v -> v.withTrainable("last:2"), 147, 167));
    ways.put(
        "LoRA", new Way(v -> v.withLora(LoraConfig.on(LoraConfig.ALL_LINEAR)), 142, 200));
    ways.put(
        "LoRA, blocks recomputed",
        new Way(
            v ->
                v.withLora(LoraConfig.on(LoraConfig.ALL_LINEAR))
                    .withMemory(MemorySettings.of(ActivationCheckpointing.BLOCKS)),
            120,
            145));
    boolean within = true;
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2")) {
      for (Map.Entry<String, Way> way : ways.entrySet()) {
        EncoderVertex quarter = way.getValue().change().apply(EncoderVertex.of(files, "25%"));
        EncoderVertex all = way.getValue().change().apply(EncoderVertex.of(files, "all"));
        double[] measured = {megabytes(quarter), megabytes(all)};
        System.out.printf(
            "%-24s 25%% of the tokens: %.1f MB, all: %.1f MB%n",
            way.getKey(), measured[0], measured[1]);
        within &= measured[0] <= way.getValue().quarter() && measured[1] <= way.getValue().all();
      }
    }
    if (!within) {
      throw new IllegalStateException("more memory than there should be");
    }
  }

  private static double megabytes(EncoderVertex encoder) {
    ComputationGraph net =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .updater(new Adam(1e-4))
                .graphBuilder()
                .addInputs("ids", "mask")
                .addVertex("encoder", encoder, "ids", "mask")
                .addLayer(
                    "output",
                    new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(encoder.hidden())
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build(),
                    "encoder")
                .setOutputs("output")
                .build());
    net.init();
    net.fit(batch());
    net.fit(batch());
    long bytes =
        bytes(net.params())
            + bytes(net.getFlattenedGradients())
            + bytes(net.updaterState())
            + EncoderVertex.bytes(net, "encoder");
    net.close();
    return bytes / 1e6;
  }

  private static long bytes(INDArray array) {
    return array.length() * array.dataType().width();
  }

  private static MultiDataSet batch() {
    Random random = new Random(1);
    int[][] ids = new int[BATCH][LENGTH];
    int[][] mask = new int[BATCH][LENGTH];
    float[][] labels = new float[BATCH][2];
    for (int row = 0; row < BATCH; row++) {
      labels[row][random.nextInt(2)] = 1;
      for (int i = 0; i < LENGTH; i++) {
        ids[row][i] = 1000 + random.nextInt(29000);
        mask[row][i] = 1;
      }
    }
    return new MultiDataSet(
        new INDArray[] {Nd4j.createFromArray(ids), Nd4j.createFromArray(mask)},
        new INDArray[] {Nd4j.createFromArray(labels)});
  }
}
