package org.tokentune.plan.internal;

import java.util.EnumMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The memory that plans share: one array per data type, which only grows. */
final class Arena implements AutoCloseable {

  private final Map<DataType, INDArray> regions = new EnumMap<>(DataType.class);
  private int version;

  /** Changes whenever previously returned arrays become invalid. */
  int version() {
    return version;
  }

  /** Grows to at least this many elements of each type. */
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

  /** Sets every element of a floating-point type. Integers, such as places of tokens, stay. */
  void fill(int value) {
    regions.forEach(
        (type, region) -> {
          if (type.isFPType()) {
            region.assign(value);
          }
        });
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
