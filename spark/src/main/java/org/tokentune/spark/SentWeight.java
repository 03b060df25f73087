package org.tokentune.spark;

import java.io.Serializable;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.BlockWeight;
import org.tokentune.ops.Nf4Weight;
import org.tokentune.ops.QuantizedWeight;
import org.tokentune.quantization.BlockFormat;

/**
 * A quantised weight on its way to another machine.
 *
 * @param format of its blocks; null: NF4
 * @param arrays that it consists of
 */
record SentWeight(BlockFormat format, long[] shape, List<SentArray> arrays)
    implements Serializable {

  static SentWeight of(QuantizedWeight weight) {
    List<SentArray> arrays = weight.arrays().stream().map(SentArray::of).toList();
    BlockFormat format = weight instanceof BlockWeight blocks ? blocks.format() : null;
    return new SentWeight(format, weight.shape(), arrays);
  }

  QuantizedWeight toWeight() {
    List<INDArray> values = arrays.stream().map(SentArray::toArray).toList();
    return format == null
        ? new Nf4Weight(shape, values.get(0), values.get(1), values.get(2), values.get(3))
        : new BlockWeight(format, shape, values.get(0));
  }

  long bytes() {
    return arrays.stream().mapToLong(array -> array.bytes().length).sum();
  }
}
