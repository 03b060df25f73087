package org.tokentune.dl4j;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.files.WholeFile;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.Architectures;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.TokenAmount;

/**
 * A fine-tuned classifier of any encoder family as a network of DL4J: its encoder, with the layers
 * that make one row of a text, as an {@link EncoderVertex}, and the last layer of its head as an
 * {@code OutputLayer}: softmax for classes, sigmoid for several labels, and nothing for a number.
 *
 * <p>Inputs are the ids, the attention mask and the token types of texts, in this order, each
 * [batch, length]; the output is [batch, labels]. DL4J reads the network's file with {@code
 * ComputationGraph.load}, where {@code tokentune-dl4j} is on the class path.
 */
public final class ClassifierNetwork {

  private static final String ENCODER = "encoder";
  private static final String OUTPUT = "output";

  /** DL4J reads a file's parameters into one array of bytes, and what is before them. */
  private static final long MOST_PARAMETERS = (Integer.MAX_VALUE - 4096) / Float.BYTES;

  private static final Set<Objective> TASKS =
      Set.of(Objectives.CLASSIFY, Objectives.MULTILABEL, Objectives.REGRESS);

  private ClassifierNetwork() {}

  /**
   * Makes the network, which can be trained further through a quarter of the tokens.
   *
   * @param files of the classifier
   * @throws BadInputException if the model is not an encoder with one classifier over whole texts,
   *     or lacks a weight
   */
  public static ComputationGraph of(ModelFiles files) {
    required(files, "files");

    return network(files, classifier(files));
  }

  /** The model, whose weights are all there. */
  private static TransformerModel classifier(ModelFiles files) {
    int outputs = Head.outputs(files.weights()).orElse(0);
    Objective task =
        Architectures.task(files.config(), outputs).filter(TASKS::contains).orElse(null);
    if (task == null
        || outputs == 0
        || !(ModelConfig.read(files.config(), files.name()) instanceof EncoderConfig config)) {
      throw new BadFileException(
          "%s is not an encoder with a classifier of texts, which alone can be a network of DL4J;"
              + " train one (classify, multilabel or regress), or export to onnx or gguf.",
          files.name());
    }
    boolean mean = files.config().path("tokentune").path("pooling").asText().equals("mean");
    TransformerModel model =
        config.model(new Head(task, outputs, mean ? Pooling.MEAN : Pooling.FIRST));
    // The vertex would make new weights in the place of those that are missing.
    ParameterLoader.check(model, files.weights());
    return model;
  }

  private static ComputationGraph network(ModelFiles files, TransformerModel model) {
    Objective task = model.head().task();
    EncoderVertex encoder =
        EncoderVertex.of(
            withoutClassifier(files), model.head().pooling(), "25%", TokenAmount.DEFAULT_FLOOR, 42);
    String head = ((EncoderConfig) model.config()).family().names().text().out();
    WeightSource weights = files.weights();
    try (INDArray weight = ParameterLoader.read(model, weights, head + ".weight");
        INDArray bias = ParameterLoader.read(model, weights, head + ".bias")) {
      ComputationGraph net =
          network(
              encoder,
              new OutputLayer.Builder(loss(task))
                  .nIn(encoder.hidden())
                  .nOut(weight.size(0))
                  .activation(activation(task))
                  .build(),
              new Adam(1e-4),
              42);
      net.getLayer(OUTPUT).getParam("W").assign(weight.transpose());
      net.getLayer(OUTPUT).getParam("b").assign(bias.reshape(1, bias.length()));
      return net;
    }
  }

  /** What the vertex reads, which then says of no weight that it is not used. */
  private static ModelFiles withoutClassifier(ModelFiles files) {
    return new ModelFiles(
        files.name(),
        files.config(),
        Head.withOutputs(files.weights(), null),
        files.tokenizer(),
        files.companions(),
        files.repository());
  }

  /**
   * Writes the network as DL4J's zip, without a state of its updater.
   *
   * @return outputs of the network
   * @throws BadInputException as {@link #of}, or if the network is too large for a file of DL4J, or
   *     the file cannot be written
   */
  public static long write(ModelFiles files, Path file) {
    required(files, "files");
    required(file, "file");

    TransformerModel model = classifier(files);
    long parameters =
        model.parameters().values().stream()
            .mapToLong(shape -> Arrays.stream(shape).reduce(1, Math::multiplyExact))
            .sum();
    if (parameters > MOST_PARAMETERS) {
      throw new BadFileException(
          "%s has %,d parameters, and DL4J reads no network of more than %,d (2 GiB) from a file;"
              + " use ClassifierNetwork.of in Java, or export to onnx.",
          files.name(), parameters, MOST_PARAMETERS);
    }
    ComputationGraph net = network(files, model);
    try {
      WholeFile.write(file, out -> ModelSerializer.writeModel(net, out, false));
      return net.getLayer(OUTPUT).getParam("b").length();
    } catch (IOException e) {
      throw new BadFileException(
          e,
          "%s cannot be written (%s); check free space and permissions.",
          file,
          WholeFile.reason(e));
    } finally {
      net.close();
    }
  }

  private static LossFunction loss(Objective task) {
    if (task == Objectives.CLASSIFY) {
      return LossFunction.MCXENT;
    }
    return task == Objectives.MULTILABEL ? LossFunction.XENT : LossFunction.MSE;
  }

  private static Activation activation(Objective task) {
    if (task == Objectives.CLASSIFY) {
      return Activation.SOFTMAX;
    }
    return task == Objectives.MULTILABEL ? Activation.SIGMOID : Activation.IDENTITY;
  }

  /** An encoder under an output layer, initialised. */
  static ComputationGraph network(
      EncoderVertex encoder, OutputLayer output, IUpdater updater, long seed) {
    ComputationGraph net =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(updater)
                .graphBuilder()
                .addInputs(
                    ModelGraph.INPUT_IDS, ModelGraph.ATTENTION_MASK, ModelGraph.TOKEN_TYPE_IDS)
                .addVertex(
                    ENCODER,
                    encoder,
                    ModelGraph.INPUT_IDS,
                    ModelGraph.ATTENTION_MASK,
                    ModelGraph.TOKEN_TYPE_IDS)
                .addLayer(OUTPUT, output, ENCODER)
                .setOutputs(OUTPUT)
                .build());
    net.init();
    return net;
  }
}
