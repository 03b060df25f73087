package org.tokentune.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen weight [rows, width] in few bits. A graph holds its bytes as constants and makes floats
 * of them by an op; an execution plan runs that op right before each op that reads the floats, and
 * lets them go right after.
 */
public sealed interface QuantizedWeight permits BlockWeight, Nf4Weight {

  /** Shape of the weight: [rows, width]. */
  long[] shape();

  /** What it consists of. */
  List<INDArray> arrays();

  /**
   * Its floats as a value of a graph.
   *
   * @param name of the value; those of the constants begin with it
   */
  SDVariable dequantized(SameDiff sd, String name, KernelMode kernelMode);

  /** Its floats, a fresh array. */
  default INDArray values() {
    SameDiff sd = SameDiff.create();
    return dequantized(sd, "weight", KernelMode.NATIVE).eval();
  }

  /** Bytes of memory it takes. */
  default long bytes() {
    return arrays().stream().mapToLong(array -> array.length() * array.dataType().width()).sum();
  }
}
