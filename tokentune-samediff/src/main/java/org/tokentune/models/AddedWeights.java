package org.tokentune.models;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.formats.WeightSource;
import org.tokentune.ops.BlockWeight;

/**
 * A checkpoint with further tensors.
 *
 * @param added by name
 */
record AddedWeights(WeightSource source, Map<String, INDArray> added) implements WeightSource {

  @Override
  public Set<String> names() {
    Set<String> names = new TreeSet<>(source.names());
    names.addAll(added.keySet());
    return names;
  }

  @Override
  public long[] shape(String name) {
    return added.containsKey(name) ? added.get(name).shape() : source.shape(name);
  }

  @Override
  public INDArray read(String name) {
    return added.containsKey(name) ? added.get(name).dup() : source.read(name);
  }

  @Override
  public BlockWeight readBlocks(String name) {
    return added.containsKey(name) ? null : source.readBlocks(name);
  }

  @Override
  public String origin() {
    return source.origin();
  }

  @Override
  public void close() {
    source.close();
  }
}
