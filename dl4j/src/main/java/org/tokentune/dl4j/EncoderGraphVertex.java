package org.tokentune.dl4j;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.internal.Graph;
import org.tokentune.ops.Dropout;
import org.tokentune.plan.internal.GradientHome;
import org.tokentune.select.TokenSelection;
import org.tokentune.train.StepInputs;

/** An {@link EncoderVertex} at work, over DL4J's own arrays of parameters and gradients. */
@SuppressWarnings({"overrides", "try"}) // DL4J's setInputs; workspaces are named but not used
final class EncoderGraphVertex extends LayerVertex {

  private final EncoderVertex config;
  private final ModelConfig model;
  private final EncoderLayer parameters;
  private final EncoderPlans plans;

  /** DL4J's names of the trained parameters by the model's. */
  private final Map<String, String> keys = new LinkedHashMap<>();

  /**
   * @param frozen weights that are not the network's
   */
  EncoderGraphVertex(
      EncoderVertex config,
      ComputationGraph graph,
      String name,
      int index,
      EncoderLayer parameters,
      Map<String, INDArray> frozen,
      DataType dataType) {
    super(graph, name, index, parameters, null, false, dataType);
    this.config = config;
    this.parameters = parameters;
    TransformerModel transformer = config.model();
    model = transformer.config();
    config.trained(transformer).keySet().forEach(key -> keys.put(key, EncoderVertex.key(key)));
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    transformer
        .parameters()
        .keySet()
        .forEach(
            key ->
                arrays.put(
                    key,
                    keys.containsKey(key) ? parameters.getParam(keys.get(key)) : frozen.get(key)));
    plans = new EncoderPlans(transformer, arrays, keys.keySet(), config.memory());
  }

  /** Bytes of the passes' memory so far, without what they use of the network's. */
  long arenaBytes() {
    return plans.arenaBytes();
  }

  @Override
  public void setInput(int number, INDArray input, LayerWorkspaceMgr workspaces) {
    inputs[number] = input;
  }

  @Override
  public void setLayerAsFrozen() {
    throw new BadSettingsException(
        "An EncoderVertex is not frozen by transfer learning; build it with withTrainable(\"none\")"
            + " instead.");
  }

  @Override
  public void setBackpropGradientsViewArray(INDArray view) {
    parameters.setBackpropGradientsViewArray(view);
    Map<String, INDArray> gradients = new HashMap<>();
    keys.forEach((name, key) -> gradients.put(name, parameters.gradientTable().get(key)));
    plans.setGradients(new GradientHome(view.reshape(view.length()), gradients));
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
    INDArray rows;
    try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
      TokenInputs tokens = tokens();
      rows = training ? plans.forward(trainingInputs(tokens)) : plans.infer(tokens.placeholders());
    }
    return workspaces.dup(ArrayType.ACTIVATIONS, rows);
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    Gradient gradient = new DefaultGradient();
    if (!keys.isEmpty()) {
      try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
        Map<String, INDArray> placeholders = trainingInputs(tokens());
        placeholders.put(ModelGraph.LABELS, epsilon);
        plans
            .withoutGradient(placeholders)
            .forEach(name -> parameters.gradientTable().get(keys.get(name)).assign(0));
      }
      parameters.gradientTable().forEach(gradient::setGradientFor);
    }
    return new Pair<>(gradient, new INDArray[inputs.length]); // whole numbers have no gradient
  }

  private TokenInputs tokens() {
    return TokenInputs.of(inputs, parameters.getMaskArray(), model);
  }

  /** The same for the forward and the backward pass of an iteration. */
  private Map<String, INDArray> trainingInputs(TokenInputs tokens) {
    int epoch = graph.getConfiguration().getEpochCount();
    int iteration = graph.getConfiguration().getIterationCount();
    Map<String, INDArray> placeholders = tokens.placeholders();
    TokenSelection selection = config.select(tokens, epoch, iteration);
    StepInputs.select(placeholders, selection);
    placeholders.put(Graph.DROPOUT_SEED, Dropout.seed(config.seed(), iteration));
    return placeholders;
  }

  @Override
  public Pair<INDArray, MaskState> feedForwardMaskArrays(
      INDArray[] masks, MaskState state, int batch) {
    if (masks != null && getNumInputArrays() == 1) {
      parameters.setMaskArray(masks[0]);
      return new Pair<>(null, state); // a text is one row from here on
    }
    return config.feedForwardMaskArrays(masks, state, batch);
  }

  @Override
  public boolean canDoBackward() {
    return epsilon != null;
  }
}
