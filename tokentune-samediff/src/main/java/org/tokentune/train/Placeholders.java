package org.tokentune.train;

import java.util.HashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.models.ModelGraph;

/** A batch as the placeholders of a model's graph. */
final class Placeholders {

  private Placeholders() {}

  /** Features are ids, attention mask and token types; labels, where there are any, the labels. */
  static Map<String, INDArray> of(MultiDataSet batch) {
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, batch.getFeatures(0));
    inputs.put(ModelGraph.ATTENTION_MASK, batch.getFeatures(1));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, batch.getFeatures(2));
    inputs.put(ModelGraph.LABELS, batch.getLabels(0));
    return inputs;
  }
}
