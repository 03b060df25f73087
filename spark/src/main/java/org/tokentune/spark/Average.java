package org.tokentune.spark;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.nn.Parameters;
import org.tokentune.train.ArrayBytes;
import org.tokentune.train.ParameterOptimizer;

/** The means of what tasks have made of the same values, added up in the order of the tasks. */
record Average(Parameters parameters, List<String> trained) {

  /** Sets the parameters to the means, and returns those of the optimizer's state. */
  ParameterOptimizer.State of(List<Share.Result> results) {
    List<Values> made = results.stream().map(Share.Result::trained).toList();
    for (int i = 0; i < trained.size(); i++) {
      INDArray mean = parameters.get(trained.get(i));
      mean.assign(0);
      INDArray one = mean.like();
      for (Values values : made) {
        ArrayBytes.copy(values.arrays().get(i), one);
        mean.addi(one);
      }
      mean.divi(made.size());
      one.close();
    }
    Set<String> names = new LinkedHashSet<>();
    made.forEach(values -> names.addAll(values.state().keySet()));
    Map<String, INDArray> state = new LinkedHashMap<>();
    for (String name : names) {
      state.put(name, mean(name, made));
    }
    int updates = made.stream().mapToInt(Values::updates).max().orElseThrow();
    return new ParameterOptimizer.State(updates, state);
  }

  /** The mean of an array of state, which is 0 before a task's first update. */
  private static INDArray mean(String name, List<Values> made) {
    INDArray mean = null;
    for (Values values : made) {
      SentArray sent = values.state().get(name);
      if (sent != null) {
        INDArray one = sent.toArray();
        mean = mean == null ? one : mean.addi(one);
      }
    }
    return mean.divi(made.size());
  }
}
