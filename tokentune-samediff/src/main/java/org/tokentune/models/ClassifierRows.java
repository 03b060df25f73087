package org.tokentune.models;

import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.formats.WeightSource;
import org.tokentune.ops.BlockWeight;

/**
 * A checkpoint with other rows in its classifier, [outputs, hidden], and its bias, [outputs].
 *
 * @param matrices names of the matrices of classifiers
 * @param rows numbers of the rows that are kept, in order; null: without the classifier
 */
record ClassifierRows(WeightSource source, Collection<String> matrices, int[] rows)
    implements WeightSource {

  private boolean isClassifier(String name) {
    return matrices.contains(name.replaceFirst("\\.bias$", ".weight"));
  }

  @Override
  public Set<String> names() {
    return rows != null
        ? source.names()
        : source.names().stream()
            .filter(name -> !isClassifier(name))
            .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public long[] shape(String name) {
    long[] shape = source.shape(name).clone();
    if (isClassifier(name)) {
      shape[0] = rows.length;
    }
    return shape;
  }

  @Override
  public INDArray read(String name) {
    INDArray all = source.read(name);
    if (!isClassifier(name) || !all.dataType().isFPType()) {
      return all; // the caller, which expects floats, rejects whole numbers
    }
    int width = (int) (all.length() / all.size(0));
    float[] values = all.dup('c').data().asFloat();
    float[] some = new float[rows.length * width];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(values, rows[i] * width, some, i * width, width);
    }
    return Nd4j.create(some, shape(name), 'c');
  }

  @Override
  public BlockWeight readBlocks(String name) {
    return isClassifier(name) ? null : source.readBlocks(name);
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
