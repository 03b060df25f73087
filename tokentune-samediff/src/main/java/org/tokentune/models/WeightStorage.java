package org.tokentune.models;

import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.formats.WeightSource;
import org.tokentune.ops.BlockWeight;
import org.tokentune.ops.Nf4Weight;
import org.tokentune.ops.QuantizedWeight;
import org.tokentune.quantization.BlockFormat;

/**
 * How a model's matrices are stored in memory; all computation is in 32-bit floats. Vectors
 * (biases, norms) and the head of an encoder are always floats; matrices in other types are frozen.
 */
public enum WeightStorage {
  /** 32-bit floats. */
  FLOAT32,
  /** The upper half of a 32-bit float. */
  BF16,
  /** IEEE half precision; magnitudes above 65,504 become infinite. */
  F16,
  /**
   * Linear layers in 4 bits (QLoRA: Dettmers et al., 2023); embedding tables and heads over the
   * vocabulary in BF16.
   */
  NF4,
  /**
   * 8 bits, with a 16-bit scale for every 32 numbers of a row (GGUF's Q8_0); BF16 where rows are
   * not a multiple of 32.
   */
  INT8,
  /**
   * As in the file: GGUF's F16, BF16, Q8_0, Q4_K and Q6_K, and 16-bit safetensors; others as 32-bit
   * floats.
   */
  FILE;

  /** Converts a parameter; null if it is stored as floats. */
  QuantizedWeight read(TransformerModel model, String name, WeightSource source, String stored) {
    if (this == FLOAT32 || !isMatrix(model, name, source.shape(stored))) {
      return null;
    }
    if (this == FILE) {
      return source.readBlocks(stored);
    }
    try (INDArray floats = source.read(stored)) {
      return of(model, name, floats);
    }
  }

  /** Converts floats; null if they are stored as floats. */
  QuantizedWeight of(TransformerModel model, String name, INDArray floats) {
    if (this == FLOAT32 || this == FILE || !isMatrix(model, name, floats.shape())) {
      return null;
    }
    if (isInt8(floats.shape())) {
      return BlockWeight.int8(floats);
    }
    BlockFormat half = half(model, name);
    return half == null ? Nf4Weight.of(floats) : BlockWeight.half(half, floats);
  }

  /** Converts a shape-only parameter, for planning; the type in a file is not known. */
  QuantizedWeight shapeOnly(TransformerModel model, String name, long[] shape) {
    if (this == FLOAT32 || this == FILE || !isMatrix(model, name, shape)) {
      return null;
    }
    if (isInt8(shape)) {
      return BlockWeight.shapeOnly(BlockFormat.Q8_0, shape);
    }
    BlockFormat half = half(model, name);
    return half == null ? Nf4Weight.shapeOnly(shape) : BlockWeight.shapeOnly(half, shape);
  }

  private static boolean isMatrix(TransformerModel model, String name, long[] shape) {
    return shape.length == 2 && (model.config().causal() || !model.isHead(name));
  }

  private boolean isInt8(long[] shape) {
    return this == INT8 && shape[1] % BlockFormat.Q8_0.elements == 0;
  }

  /** Null if a matrix is stored in 4 bits. */
  private BlockFormat half(TransformerModel model, String name) {
    if (this == F16) {
      return BlockFormat.F16;
    }
    boolean linear = !model.isEmbedding(name) && !model.isHead(name);
    return this == NF4 && linear ? null : BlockFormat.BF16;
  }

  /** The name in lower case, as on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
