package org.tokentune.train;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Task;
import org.tokentune.nn.Graph;
import org.tokentune.ops.ShapeOnlyArray;

/**
 * A batch as the placeholders of a model's graph. Its features are ids, attention mask and token
 * types, INT32 [batch, length].
 */
public final class Placeholders {

  private Placeholders() {}

  /** What an inference graph takes. */
  public static Map<String, INDArray> features(MultiDataSet batch) {
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, batch.getFeatures(0));
    inputs.put(ModelGraph.ATTENTION_MASK, batch.getFeatures(1));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, batch.getFeatures(2));
    return inputs;
  }

  /** What a graph with a loss takes: the features and the labels. */
  static Map<String, INDArray> labelled(Head head, MultiDataSet batch) {
    Map<String, INDArray> inputs = features(batch);
    if (head.task() == Task.CAUSAL_LM) {
      INDArray ids = batch.getFeatures(0);
      inputs.remove(ModelGraph.TOKEN_TYPE_IDS);
      inputs.put(ModelGraph.POSITION_IDS, positions((int) ids.size(0), (int) ids.size(1)));
    }
    inputs.put(ModelGraph.LABELS, batch.getLabels(0));
    return inputs;
  }

  /** INT32 [batch, length]: 0 to length - 1 in every row. */
  static INDArray positions(int batch, int length) {
    int[] row = IntStream.range(0, length).toArray();
    return Nd4j.createFromArray(Stream.generate(() -> row).limit(batch).toArray(int[][]::new));
  }

  /**
   * All that a training graph may take, in shape only: to plan it, not to run it.
   *
   * @param k selected tokens of a row; all of them where it is the length
   */
  static Map<String, INDArray> shapeOnly(Head head, long batch, long length, long k) {
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, ShapeOnlyArray.of(DataType.INT32, batch, length));
    inputs.put(ModelGraph.ATTENTION_MASK, ShapeOnlyArray.of(DataType.INT32, batch, length));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, ShapeOnlyArray.of(DataType.INT32, batch, length));
    inputs.put(ModelGraph.POSITION_IDS, ShapeOnlyArray.of(DataType.INT32, batch, length));
    if (k < length) {
      inputs.put(ModelGraph.SELECTED, ShapeOnlyArray.of(DataType.INT32, batch, k));
      inputs.put(ModelGraph.FROZEN, ShapeOnlyArray.of(DataType.INT32, batch, length - k));
    }
    inputs.put(Graph.DROPOUT_SEED, ShapeOnlyArray.of(DataType.INT32));
    inputs.put(
        ModelGraph.LABELS,
        switch (head.task()) {
          case CLASSIFY -> ShapeOnlyArray.of(DataType.INT32, batch);
          case QUESTION_ANSWERING -> ShapeOnlyArray.of(DataType.INT32, batch, head.outputs());
          case MULTILABEL, REGRESS, FEATURE_EXTRACTION ->
              ShapeOnlyArray.of(DataType.FLOAT, batch, head.outputs());
          case TOKEN, MASKED_LM, CAUSAL_LM -> ShapeOnlyArray.of(DataType.INT32, batch, length);
        });
    return inputs;
  }
}
