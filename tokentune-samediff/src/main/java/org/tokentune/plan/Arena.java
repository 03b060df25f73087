package org.tokentune.plan;

import java.util.EnumMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The memory that plans share: one array for each data type, never smaller than before. */
final class Arena implements AutoCloseable {

  private final Map<DataType, INDArray> regions = new EnumMap<>(DataType.class);
  private int version;

  /** Changes whenever arrays that were given out are no longer good. */
  int version() {
    return version;
  }

  /** Sees to it that there are so many elements of each type. */
  void reserve(Map<DataType, Long> elements) {
    elements.forEach(
        (type, count) -> {
          INDArray region = regions.get(type);
          if (region == null || region.length() < count) {
            if (region != null) {
              region.close();
              version++;
            }
            regions.put(type, Nd4j.createUninitialized(type, count));
          }
        });
  }

  INDArray view(DataType type, long[] shape, long[] strides, long offset) {
    return Nd4j.create(regions.get(type).data(), shape, strides, offset, 'c', type);
  }

  /** Sets every element. */
  void fill(int value) {
    regions.values().forEach(region -> region.assign(value));
  }

  long bytes() {
    return regions.values().stream()
        .mapToLong(region -> region.length() * region.dataType().width())
        .sum();
  }

  @Override
  public void close() {
    regions.values().forEach(INDArray::close);
    regions.clear();
    version++;
  }
}
