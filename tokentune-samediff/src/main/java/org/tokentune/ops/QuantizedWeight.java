package org.tokentune.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen quantised weight [rows, width]. A graph holds its bytes as constants and dequantises
 * them with an op; an execution plan runs that op right before each op that reads the floats, and
 * frees them right after.
 */
public sealed interface QuantizedWeight permits BlockWeight, Nf4Weight {

  /** Shape of the weight: [rows, width]. */
  long[] shape();

  /** The arrays it consists of. */
  List<INDArray> arrays();

  /**
   * The dequantised weight as a value of a graph.
   *
   * @param name name of the value and prefix of the constants' names
   */
  SDVariable dequantized(SameDiff sd, String name, KernelMode kernelMode);

  /** The dequantised weight, a fresh array. */
  default INDArray values() {
    SameDiff sd = SameDiff.create();
    return dequantized(sd, "weight", KernelMode.NATIVE).eval();
  }

  /** Memory in bytes. */
  default long bytes() {
    return arrays().stream().mapToLong(array -> array.length() * array.dataType().width()).sum();
  }
}
