package org.tokentune.dl4j;

import static org.tokentune.Arguments.required;

import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Pooling;
import org.tokentune.select.TokenAmount;
import org.tokentune.zoo.Zoo;

/**
 * A pretrained encoder under a new output layer: what a {@code PretrainedModel} of {@code
 * deeplearning4j-zoo} is for images, {@link #initPretrained} included.
 *
 * @param model name in the catalogue, or an address, as {@link Zoo#load(String)} takes them
 * @param classes to tell apart
 * @param tokens which tokens carry gradient: {@code all}, a count, or a share such as {@code 25%};
 *     of the latter two {@code span:} before them takes tokens side by side
 * @param updater of all parameters; the network keeps it
 * @param seed of the output layer's values, the selection and dropout
 */
public record ZooClassifier(String model, int classes, String tokens, IUpdater updater, long seed) {

  public ZooClassifier {
    required(model, "model");
    required(tokens, "tokens");
    required(updater, "updater");

    if (classes < 2) {
      throw BadSettingsException.of("classes", "must be at least 2, got %d.", classes);
    }
  }

  /** With gradients through a quarter of the tokens and Adam at 1e-4. */
  public static ZooClassifier of(String model, int classes) {
    return new ZooClassifier(model, classes, "25%", new Adam(1e-4), 42);
  }

  /**
   * A network that is ready to train on the batches of {@code TextBatches}: softmax over the
   * classes and cross entropy on the encoder's row. The model is fetched at its first use.
   *
   * @throws BadInputException for a decoder or an unknown name, or where the model cannot be had
   */
  public ComputationGraph initPretrained() {
    try (ModelFiles files = Zoo.load(model)) {
      EncoderVertex encoder =
          EncoderVertex.of(files, Pooling.FIRST, tokens, TokenAmount.DEFAULT_FLOOR, seed);
      return ClassifierNetwork.network(
          encoder,
          new OutputLayer.Builder(LossFunction.MCXENT)
              .nIn(encoder.hidden())
              .nOut(classes)
              .activation(Activation.SOFTMAX)
              .build(),
          updater,
          seed);
    }
  }
}
