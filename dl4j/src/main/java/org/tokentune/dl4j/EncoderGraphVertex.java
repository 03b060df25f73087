package org.tokentune.dl4j;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.samediff.SameDiffGraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.Encoder;
import org.tokentune.models.ModelGraph;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Graph;
import org.tokentune.ops.Dropout;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.StepInputs;

/** An {@link EncoderVertex} at work, over DL4J's own arrays of parameters and gradients. */
@SuppressWarnings({"overrides", "try"}) // DL4J's setInputs; workspaces are named but not used
final class EncoderGraphVertex extends SameDiffGraphVertex {

  private final Encoder model;
  private final TokenSelector selector;
  private final long seed;
  private final EncoderPlans plans;

  EncoderGraphVertex(
      EncoderVertex config,
      ComputationGraph graph,
      String name,
      int index,
      INDArray paramsView,
      boolean initParams,
      DataType dataType) {
    super(config, graph, name, index, paramsView, initParams, dataType);
    model = config.model();
    selector = config.selector();
    seed = config.seed();
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    model
        .parameters()
        .keySet()
        .forEach(key -> arrays.put(key, paramTable.get(EncoderVertex.key(key))));
    plans = new EncoderPlans(model, new Parameters(arrays));
  }

  /** DL4J would not keep it, and then neither clips nor normalises by vertices. */
  @Override
  public void setBackpropGradientsViewArray(INDArray view) {
    super.setBackpropGradientsViewArray(view);
    gradients = view;
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr workspaceMgr) {
    INDArray rows;
    try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
      TokenInputs tokens = TokenInputs.of(inputs, model.config());
      rows = training ? plans.forward(trainingInputs(tokens)) : plans.infer(tokens.placeholders());
    }
    return workspaceMgr.dup(ArrayType.ACTIVATIONS, rows);
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaceMgr) {
    Gradient gradient = new DefaultGradient();
    try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
      Map<String, INDArray> placeholders = trainingInputs(TokenInputs.of(inputs, model.config()));
      placeholders.put(ModelGraph.LABELS, epsilon);
      Map<String, INDArray> computed = plans.gradients(placeholders);
      gradTable
          .values()
          .forEach(view -> view.assign(0)); // there are parameters that the model never trains
      computed.forEach((name, array) -> gradTable.get(EncoderVertex.key(name)).assign(array));
      gradTable.forEach(gradient::setGradientFor);
    }
    return new Pair<>(gradient, new INDArray[inputs.length]); // whole numbers have no gradient
  }

  /** The same for the forward and the backward pass of an iteration. */
  private Map<String, INDArray> trainingInputs(TokenInputs tokens) {
    int epoch = graph.getConfiguration().getEpochCount();
    int iteration = graph.getConfiguration().getIterationCount();
    Map<String, INDArray> placeholders = tokens.placeholders();
    TokenSelection selection =
        selector.select(tokens.lengths(), tokens.length(), null, seed, epoch, iteration);
    StepInputs.select(placeholders, selection);
    placeholders.put(Graph.DROPOUT_SEED, Dropout.seed(seed, iteration));
    return placeholders;
  }
}
