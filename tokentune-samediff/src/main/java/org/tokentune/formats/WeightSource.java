package org.tokentune.formats;

import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.BlockWeight;

/**
 * A model's named tensors, read one at a time; names are Hugging Face's, e.g. {@code
 * bert.pooler.dense.bias}.
 */
public interface WeightSource extends AutoCloseable {

  /** Names of all tensors. */
  Set<String> names();

  /** Shape of a tensor; a scalar has the shape {@code []}. */
  long[] shape(String name);

  /**
   * The type of the array that {@link #read} returns, if possible without reading the tensor.
   *
   * @throws org.tokentune.BadInputException if there is no such tensor
   */
  default DataType type(String name) {
    try (INDArray array = read(name)) {
      return array.dataType();
    }
  }

  /**
   * A fresh array with the tensor's values: FLOAT for F64, F32, F16 and BF16, otherwise the file's
   * own type.
   *
   * @throws org.tokentune.BadInputException if there is no such tensor
   */
  INDArray read(String name);

  /**
   * A matrix in the file's own format if graphs support it; otherwise null, and {@link #read}
   * returns its floats.
   *
   * @throws org.tokentune.BadInputException if there is no such tensor
   */
  default BlockWeight readBlocks(String name) {
    return null;
  }

  /** The source, for messages: a path or an artifact's name. */
  String origin();

  /** Releases the file. Arrays that were read stay valid. */
  @Override
  void close();
}
