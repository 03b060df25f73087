package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;

/**
 * Gradient times input: how much the embedding of every token adds to one of a text's outputs, as
 * far as the output is linear in it (Shrikumar et al., 2016). The input is the output of the
 * embedding layer, {@code hidden_states[0]} in transformers; there is no dropout.
 */
public final class InputGradients implements AutoCloseable {

  private static final String EXPLAINED = "explained_outputs";
  private static final String SUM = "explained_sum";

  /** The parameter that the embedding layer adds last. */
  private static final String BEFORE = "embeddings.LayerNorm.bias";

  private final ModelGraph graph;
  private final PlanEngine engine;

  /**
   * Uses the arrays of {@code parameters} themselves.
   *
   * @param model with a head over whole texts, whose logits are [batch, outputs]
   */
  public InputGradients(TransformerModel model, Parameters parameters) {
    this(model, parameters, KernelMode.preferred());
  }

  /** As {@link #InputGradients(TransformerModel, Parameters)}, in a given kernel mode. */
  public InputGradients(TransformerModel model, Parameters parameters, KernelMode kernelMode) {
    required(model, "model");
    required(parameters, "parameters");
    required(kernelMode, "kernelMode");
    // SameDiff leaves parts of a gradient out where no variable is before the embeddings' output.
    graph =
        model
            .withoutDropout()
            .build(
                parameters,
                GraphOptions.training(false, name -> name.endsWith(BEFORE))
                    .withKernelMode(kernelMode));
    SameDiff sd = graph.sd();
    SDVariable explained = sd.placeHolder(EXPLAINED, DataType.FLOAT, -1, model.head().outputs());
    sd.getVariable(ModelGraph.LOGITS).mul(explained).sum().rename(SUM);
    sd.setLossVariables(SUM);
    String input = ModelGraph.hidden(0);
    engine = new PlanEngine(sd, PlanOptions.gradients(List.of(SUM, input), List.of(input)));
  }

  /**
   * Runs one batch.
   *
   * @param inputs by the name of their placeholder
   * @param outputs for every text of the batch, the output that is explained
   * @return [batch, length]: the sum of embedding times gradient of every token
   * @throws org.tokentune.BadInputException as {@link ModelGraph#check}
   */
  public double[][] run(Map<String, INDArray> inputs, int... outputs) {
    graph.check(inputs);
    float[][] explained = new float[outputs.length][graph.model().head().outputs()];
    for (int i = 0; i < outputs.length; i++) {
      explained[i][outputs[i]] = 1;
    }
    Map<String, INDArray> all = new HashMap<>(inputs);
    all.put(EXPLAINED, Nd4j.createFromArray(explained));
    PlanEngine.Result result = engine.run(all);
    float[][] embeddings = result.outputs().get(ModelGraph.hidden(0)).toFloatMatrix();
    float[][] gradients = result.gradients().get(ModelGraph.hidden(0)).toFloatMatrix();
    double[][] products = new double[outputs.length][embeddings.length / outputs.length];
    for (int row = 0; row < embeddings.length; row++) {
      double sum = 0;
      for (int i = 0; i < embeddings[row].length; i++) {
        sum += (double) embeddings[row][i] * gradients[row][i];
      }
      products[row / products[0].length][row % products[0].length] = sum;
    }
    return products;
  }

  @Override
  public void close() {
    engine.close();
  }
}
