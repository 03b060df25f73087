package org.tokentune.dl4j;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.AbstractLayer;
import org.deeplearning4j.nn.params.SameDiffParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * The parameters of an {@link EncoderVertex} as DL4J sees them: a network counts, lists, copies and
 * regularises those of layers only.
 */
@SuppressWarnings("overrides") // DL4J's equals
final class EncoderLayer extends AbstractLayer<ActivationLayer> {

  private static final long serialVersionUID = 1;

  private final transient EncoderVertex vertex;
  private final transient INDArray params;
  private final transient Map<String, INDArray> paramTable;
  private transient INDArray gradients;
  private transient Map<String, INDArray> gradientTable;

  /**
   * @param params view of the network's parameters; null if none is trained
   */
  EncoderLayer(EncoderVertex vertex, String name, INDArray params, DataType type) {
    super(conf(vertex, name), type);
    this.vertex = vertex;
    this.params = params;
    paramTable = params == null ? Map.of() : table(params);
  }

  private static NeuralNetConfiguration conf(EncoderVertex vertex, String name) {
    NeuralNetConfiguration conf = new NeuralNetConfiguration();
    conf.setLayer(new ActivationLayer.Builder().name(name).build());
    // What summary() lists: the first parameter only, because all would be a line of some pages.
    vertex.getVertexParams().getParameterKeys().stream().limit(1).forEach(conf::addVariable);
    return conf;
  }

  private Map<String, INDArray> table(INDArray view) {
    Map<String, INDArray> table =
        SameDiffParamInitializer.getInstance()
            .subsetAndReshape(
                vertex.getVertexParams().getParameterKeys(),
                vertex.getVertexParams().getParamShapes(),
                view,
                null,
                vertex);
    table.replaceAll((name, array) -> inRows(array));
    return table;
  }

  /**
   * The same view with the strides of rows: of a table of one row (RoBERTa's token types) ND4J
   * gives others, though its numbers are in order.
   */
  private static INDArray inRows(INDArray array) {
    return Shape.hasDefaultStridesForShape(array)
        ? array
        : Nd4j.create(
            array.data(),
            array.shape(),
            Nd4j.getStrides(array.shape(), 'c'),
            array.offset(),
            'c',
            array.dataType());
  }

  /** Views of the gradients by DL4J's names. */
  Map<String, INDArray> gradientTable() {
    return gradientTable;
  }

  @Override
  public TrainingConfig getConfig() {
    return vertex;
  }

  @Override
  public INDArray params() {
    return params;
  }

  @Override
  public long numParams() {
    return params == null ? 0 : params.length();
  }

  @Override
  public Map<String, INDArray> paramTable(boolean backpropParamsOnly) {
    return paramTable;
  }

  @Override
  public INDArray getParam(String name) {
    return paramTable.get(name);
  }

  @Override
  public void setParam(String name, INDArray value) {
    paramTable.get(name).assign(value);
  }

  @Override
  public void setParams(INDArray values) {
    params.assign(values.reshape(params.shape()));
  }

  @Override
  public void setParamTable(Map<String, INDArray> values) {
    values.forEach(this::setParam);
  }

  @Override
  public INDArray getGradientsViewArray() {
    return gradients;
  }

  @Override
  public void setBackpropGradientsViewArray(INDArray view) {
    gradients = view;
    gradientTable = table(view);
  }

  @Override
  public double calcRegularizationScore(boolean backpropParamsOnly) {
    double score = 0;
    for (Map.Entry<String, INDArray> parameter : paramTable.entrySet()) {
      List<Regularization> rules = vertex.getRegularizationByParam(parameter.getKey());
      for (Regularization rule : rules == null ? List.<Regularization>of() : rules) {
        score += rule.score(parameter.getValue(), getIterationCount(), getEpochCount());
      }
    }
    return score;
  }

  @Override
  public boolean isPretrainLayer() {
    return false;
  }

  @Override
  public void clearNoiseWeightParams() {
    // there is no weight noise
  }

  /** Not asked for: the vertex has several inputs, and computes by itself. */
  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    throw new UnsupportedOperationException("an EncoderVertex computes by itself");
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    throw new UnsupportedOperationException("an EncoderVertex computes by itself");
  }
}
