package org.tokentune.server;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.WeightSource;
import org.tokentune.ops.BlockWeight;

/**
 * Tensors that are read once, so that several models have the same arrays. Nothing may train these.
 */
final class SharedWeights implements WeightSource {

  private final WeightSource source;
  private final Map<String, INDArray> arrays = new HashMap<>();

  private SharedWeights(WeightSource source) {
    this.source = source;
  }

  /** The same files, whose weights are shared by all models that are made of them. */
  static ModelFiles of(ModelFiles files) {
    return new ModelFiles(
        files.name(),
        files.config(),
        new SharedWeights(files.weights()),
        files.tokenizer(),
        files.companions(),
        files.repository());
  }

  @Override
  public Set<String> names() {
    return source.names();
  }

  @Override
  public long[] shape(String name) {
    return source.shape(name);
  }

  @Override
  public DataType type(String name) {
    return source.type(name);
  }

  @Override
  public INDArray read(String name) {
    return arrays.computeIfAbsent(name, source::read);
  }

  @Override
  public BlockWeight readBlocks(String name) {
    return source.readBlocks(name);
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
