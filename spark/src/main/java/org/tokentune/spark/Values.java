package org.tokentune.spark;

import java.io.Serializable;
import java.util.List;

/**
 * The values of what trains at the beginning of a step.
 *
 * @param version another one for every broadcast of a run
 * @param arrays in the model's order
 */
record Values(int version, List<byte[]> arrays) implements Serializable {

  long bytes() {
    return arrays.stream().mapToLong(array -> array.length).sum();
  }
}
