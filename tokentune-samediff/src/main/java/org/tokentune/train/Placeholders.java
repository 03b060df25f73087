package org.tokentune.train;

import java.util.HashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.models.ModelGraph;

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
  static Map<String, INDArray> labelled(MultiDataSet batch) {
    Map<String, INDArray> inputs = features(batch);
    inputs.put(ModelGraph.LABELS, batch.getLabels(0));
    return inputs;
  }
}
