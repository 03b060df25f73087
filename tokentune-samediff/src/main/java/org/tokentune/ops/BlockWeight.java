package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.FusedBlocks;
import org.tokentune.ops.internal.kernels.BlockRows;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.quantization.BlockFormat;

/**
 * A weight whose rows consist of blocks of a {@link BlockFormat}, e.g. those of a GGUF file, or
 * half precision (blocks of one number). Rows can be gathered before they are dequantised.
 *
 * @param shape [rows, width]
 * @param blocks UINT8 [rows, bytes per row]
 */
public record BlockWeight(BlockFormat format, long[] shape, INDArray blocks)
    implements QuantizedWeight {

  /** Formats that graphs support: those with a native form. */
  private static final Set<BlockFormat> SUPPORTED =
      Set.of(
          BlockFormat.F16, BlockFormat.BF16, BlockFormat.Q8_0, BlockFormat.Q4_K, BlockFormat.Q6_K);

  public BlockWeight {
    required(format, "format");
    required(shape, "shape");
    required(blocks, "blocks");

    shape = shape.clone();
  }

  /** Writes a weight's bytes, from position 0 to the limit. */
  public interface Filler {
    void fill(ByteBuffer blocks) throws IOException;
  }

  /** Whether graphs support weights in a format. */
  public static boolean supports(BlockFormat format) {
    required(format, "format");

    return SUPPORTED.contains(format);
  }

  /**
   * A weight from bytes written by a filler.
   *
   * @throws IOException from the filler
   */
  public static BlockWeight of(BlockFormat format, long[] shape, Filler filler) throws IOException {
    required(format, "format");
    required(shape, "shape");
    required(filler, "filler");

    INDArray blocks = Nd4j.createUninitialized(DataType.UINT8, shape[0], format.rowBytes(shape[1]));
    filler.fill(Memory.bytes(blocks));
    return new BlockWeight(format, shape, blocks);
  }

  /** A weight with a shape but almost no memory, for planning. */
  public static BlockWeight shapeOnly(BlockFormat format, long... shape) {
    required(format, "format");
    required(shape, "shape");

    INDArray blocks = ShapeOnlyArray.of(DataType.UINT8, shape[0], format.rowBytes(shape[1]));
    return new BlockWeight(format, shape, blocks);
  }

  /**
   * Rounds a matrix to half precision.
   *
   * @param format {@link BlockFormat#F16} or {@link BlockFormat#BF16}
   * @param values [rows, width]
   */
  public static BlockWeight half(BlockFormat format, INDArray values) {
    required(format, "format");
    required(values, "values");

    long[] shape = values.shape();
    INDArray blocks = Nd4j.createUninitialized(DataType.UINT8, shape[0], 2 * shape[1]);
    BlockRows.halve(format, values.dup('c'), blocks);
    return new BlockWeight(format, shape, blocks);
  }

  /**
   * Rounds a matrix to 8 bits with a scale for every 32 numbers of a row: {@link BlockFormat#Q8_0}.
   *
   * @param values [rows, width], width a multiple of 32; scales, the largest magnitudes over 127,
   *     above 65,504 become infinite
   */
  public static BlockWeight int8(INDArray values) {
    required(values, "values");
    long[] shape = values.shape();
    long bytes = BlockFormat.Q8_0.rowBytes(shape[1]);
    INDArray blocks = Nd4j.createUninitialized(DataType.UINT8, shape[0], bytes);
    BlockRows.toInt8(values.dup('c'), blocks);
    return new BlockWeight(BlockFormat.Q8_0, shape, blocks);
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public List<INDArray> arrays() {
    return List.of(blocks);
  }

  /** The bytes as a constant, UINT8 [rows, bytes per row], whose rows can be dequantised. */
  public SDVariable stored(SameDiff sd, String name) {
    required(sd, "sd");
    required(name, "name");

    String key = name + ".blocks";
    return sd.hasVariable(key) ? sd.getVariable(key) : sd.constant(key, blocks);
  }

  /**
   * Dequantises stored rows.
   *
   * @param rows UINT8 [n, bytes per row]
   * @return FLOAT [n, width]
   */
  public SDVariable floats(SDVariable rows, KernelMode kernelMode) {
    required(rows, "rows");
    required(kernelMode, "kernelMode");

    if (kernelMode == KernelMode.NATIVE) {
      return NativeBlocks.floats(format, rows, shape[1]);
    }
    Ops.register();
    return new FusedBlocks(rows.getSameDiff(), format, rows).outputVariable();
  }

  @Override
  public SDVariable dequantized(SameDiff sd, String name, KernelMode kernelMode) {
    return floats(stored(sd, name), kernelMode).rename(name);
  }
}
