package org.tokentune.nn;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.ops.StandIn;

/**
 * A model's parameters by Hugging Face's names. All graphs of a model share these very arrays, and
 * training changes them in place, so that every graph sees an update at once.
 */
public final class Parameters {

  private final Map<String, INDArray> arrays;

  /**
   * Keeps the arrays, not copies; none may be a view (SameDiff copies views, which would part the
   * graphs).
   */
  public Parameters(Map<String, INDArray> arrays) {
    arrays.forEach(
        (name, array) -> {
          if (array.isView()) {
            throw new IllegalArgumentException(name + " is a view; duplicate it");
          }
        });
    this.arrays = Collections.unmodifiableMap(new LinkedHashMap<>(arrays));
  }

  /**
   * Parameters of these shapes, FLOAT, that take hardly any memory: to build and plan a model's
   * graph, not to run it.
   */
  public static Parameters withoutValues(Map<String, long[]> shapes) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    shapes.forEach((name, shape) -> arrays.put(name, StandIn.of(DataType.FLOAT, shape)));
    return new Parameters(arrays);
  }

  public Set<String> names() {
    return arrays.keySet();
  }

  /** The array itself. */
  public INDArray get(String name) {
    INDArray array = arrays.get(name);
    if (array == null) {
      throw new BadInputException("The model has no parameter %s.", name);
    }
    return array;
  }

  /** All of them, in the model's order. */
  public Map<String, INDArray> asMap() {
    return arrays;
  }
}
