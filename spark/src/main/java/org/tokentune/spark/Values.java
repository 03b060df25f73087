package org.tokentune.spark;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.nn.Parameters;
import org.tokentune.train.ArrayBytes;
import org.tokentune.train.ParameterOptimizer;

/**
 * The values of what trains at the beginning of a step, or after a task's own updates.
 *
 * @param arrays in the model's order
 * @param updates made so far, if tasks make them
 * @param state of the optimizer, if tasks make updates; empty before the first
 */
record Values(List<byte[]> arrays, int updates, Map<String, SentArray> state)
    implements Serializable {

  /** The values alone. */
  static Values of(Parameters parameters, List<String> trained) {
    return new Values(
        trained.stream().map(parameters::get).map(ArrayBytes::of).toList(), 0, Map.of());
  }

  /** The values and the optimizer's state. */
  static Values of(Parameters parameters, List<String> trained, ParameterOptimizer optimizer) {
    ParameterOptimizer.State now = optimizer.state();
    Map<String, SentArray> state = new LinkedHashMap<>();
    now.arrays().forEach((name, array) -> state.put(name, SentArray.of(array)));
    return new Values(of(parameters, trained).arrays(), now.steps(), state);
  }

  /** A digest of the values and the optimizer's state. */
  static long digest(Parameters parameters, List<String> trained, ParameterOptimizer optimizer) {
    CRC32C digest = new CRC32C();
    trained.forEach(name -> digest.update(ArrayBytes.of(parameters.get(name))));
    optimizer.state().arrays().values().forEach(array -> digest.update(ArrayBytes.of(array)));
    return digest.getValue();
  }

  /** Sets the parameters. */
  void copyTo(Parameters parameters, List<String> trained) {
    for (int i = 0; i < trained.size(); i++) {
      ArrayBytes.copy(arrays.get(i), parameters.get(trained.get(i)));
    }
  }

  /** The state, as an optimizer restores it. */
  ParameterOptimizer.State optimizerState() {
    Map<String, INDArray> made = new LinkedHashMap<>();
    state.forEach((name, array) -> made.put(name, array.toArray()));
    return new ParameterOptimizer.State(updates, made);
  }

  long bytes() {
    return arrays.stream().mapToLong(array -> array.length).sum()
        + state.values().stream().mapToLong(array -> array.bytes().length).sum();
  }
}
