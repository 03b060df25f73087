package org.tokentune.bench;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.models.ModelGraph;
import org.tokentune.objectives.Objective;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.StepInputs;

/**
 * A recorded step on preferences, as one batch.
 *
 * @param inputs by the name of their placeholder; the reference is not in the labels yet
 */
record PreferenceCase(Map<String, INDArray> inputs) {

  /** What the names of a side's tensors begin with, in order. */
  static final List<String> SIDES = List.of("chosen.", "rejected.");

  private static final String ANSWER = "completion_mask";
  private static final String REFERENCE = "logps.ref_";
  private static final double BETA = 0.1;

  /** Reads a case. */
  static PreferenceCase of(Map<String, INDArray> golden, Objective task) {
    INDArray ids = joined(golden, ModelGraph.INPUT_IDS);
    INDArray mask = joined(golden, ModelGraph.ATTENTION_MASK);
    INDArray answers = joined(golden, ANSWER);
    int length = (int) ids.size(1);
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, ids);
    inputs.put(ModelGraph.ATTENTION_MASK, mask);
    inputs.put(ModelGraph.POSITION_IDS, StepInputs.positions((int) ids.size(0), length));
    float[][] labels = new float[(int) ids.size(0)][1 + length];
    for (int row = 0; row < labels.length; row++) {
      for (int i = 0; i < length; i++) {
        labels[row][1 + i] =
            answers.getInt(row, i) == 1 ? ids.getInt(row, i) : TokenSelector.NO_LABEL;
      }
    }
    inputs.put(ModelGraph.LABELS, task.labels(Arrays.asList(labels), length));
    if (golden.containsKey(SIDES.get(0) + ModelGraph.SELECTED)) {
      INDArray selected =
          Nd4j.vstack(
              SIDES.stream()
                  .map(side -> golden.get(side + ModelGraph.SELECTED).castTo(DataType.INT32))
                  .toList());
      inputs.put(ModelGraph.SELECTED, selected);
      inputs.put(ModelGraph.FROZEN, Parity.complement(selected, length));
    }
    return new PreferenceCase(inputs);
  }

  /** The rows of both sides, padded to the longer one. */
  private static INDArray joined(Map<String, INDArray> golden, String name) {
    List<INDArray> sides = SIDES.stream().map(side -> golden.get(side + name)).toList();
    long longest = sides.stream().mapToLong(side -> side.size(1)).max().orElseThrow();
    return Nd4j.vstack(sides.stream().map(side -> EmbeddingCase.padded(side, longest)).toList());
  }

  /**
   * Puts the reference's log-probabilities into the labels.
   *
   * @param reference [texts]
   */
  void put(INDArray reference) {
    inputs.get(ModelGraph.LABELS).putColumn(0, reference.reshape(-1));
  }

  /**
   * Adds what was computed under the names of a recording.
   *
   * @param answers log-probabilities [texts]
   */
  static Map<String, INDArray> results(INDArray answers, INDArray reference) {
    Map<String, INDArray> results = new LinkedHashMap<>();
    long rows = answers.length() / 2;
    for (int i = 0; i < SIDES.size(); i++) {
      String side = SIDES.get(i).replace(".", "");
      var own = NDArrayIndex.interval(i * rows, (i + 1) * rows);
      INDArray ofSide = answers.reshape(-1).get(own).dup();
      INDArray ofReference = reference.reshape(-1).get(own).dup();
      results.put("logps." + side, ofSide);
      results.put(REFERENCE + side, ofReference);
      results.put("rewards." + side, ofSide.sub(ofReference).mul(BETA));
    }
    return results;
  }

  /** Whether a tensor is an input. */
  static boolean isInput(String name) {
    return SIDES.stream().anyMatch(name::startsWith);
  }
}
