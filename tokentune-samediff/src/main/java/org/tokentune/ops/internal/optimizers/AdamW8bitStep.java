package org.tokentune.ops.internal.optimizers;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.DynamicBlocks;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Scratch;

/**
 * {@link AdamWStep} with moments in 8 bits (Dettmers et al., 8-bit optimizers via block-wise
 * quantization, 2022): a block's moments are decoded, updated with the gradient, applied to the
 * parameter and encoded again. The mean is encoded as signed, the mean of squares as unsigned.
 *
 * <p>Native form: decoding, {@link AdamWStep}, encoding, each over the whole parameter. Fused form:
 * one pass, in which only one block's moments are floats at a time.
 */
public final class AdamW8bitStep {

  /** Numbers that share a scale. */
  public static final int BLOCK = DynamicBlocks.BLOCK;

  private AdamW8bitStep() {}

  /** Number of scales for this many numbers. */
  public static long scales(long length) {
    return DynamicBlocks.blocks(length);
  }

  /**
   * Changes the parameter and its moments in place; the gradient may be overwritten.
   *
   * @param parameter FLOAT of n elements
   * @param gradient shape and type of the parameter
   * @param mean UINT8 codes in the parameter's shape, and their FLOAT scales [{@link #scales}]; all
   *     initially 0
   * @param square likewise
   * @param step 1 at the first step
   */
  public static void run(
      INDArray parameter,
      INDArray gradient,
      Moment mean,
      Moment square,
      double rate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      int step) {
    if (KernelMode.preferred() == KernelMode.FUSED) {
      AdamWStep.Pass pass = AdamWStep.Pass.of(rate, beta1, beta2, epsilon, weightDecay, step);
      run(parameter, gradient, mean, square, pass);
      return;
    }
    INDArray m = DynamicBlocks.SIGNED.decode(mean.codes, mean.scales);
    INDArray v = DynamicBlocks.POSITIVE.decode(square.codes, square.scales);
    long length = parameter.length();
    AdamWStep.run(
        parameter.reshape(length),
        gradient.reshape(length),
        m,
        v,
        rate,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        step);
    DynamicBlocks.SIGNED.encode(m, mean.codes, mean.scales);
    DynamicBlocks.POSITIVE.encode(v, square.codes, square.scales);
  }

  /** A moment in 8 bits. */
  public record Moment(INDArray codes, INDArray scales) {}

  private static void run(
      INDArray parameter, INDArray gradient, Moment mean, Moment square, AdamWStep.Pass pass) {
    RowKernel kernel =
        RowKernel.tiles(BLOCK, parameter.length())
            .read(gradient)
            .read(parameter)
            .temporary(BLOCK)
            .temporary(BLOCK)
            .write(parameter)
            .temporary(BLOCK)
            .temporary(BLOCK);
    Blocks means = Blocks.of(mean, DynamicBlocks.SIGNED, kernel);
    Blocks squares = Blocks.of(square, DynamicBlocks.POSITIVE, kernel);
    kernel.run(
        (arrays, block, length) -> {
          byte[] codes = Scratch.get().bytes(BLOCK);
          means.read(block, arrays[2], codes, length);
          squares.read(block, arrays[3], codes, length);
          pass.run(arrays, length);
          means.write(block, arrays[5], codes, length);
          squares.write(block, arrays[6], codes, length);
        });
  }

  /** A moment's memory. */
  private record Blocks(ByteBuffer codes, FloatBuffer scales, DynamicBlocks map) {

    static Blocks of(Moment moment, DynamicBlocks map, RowKernel kernel) {
      return new Blocks(kernel.bytes(moment.codes), kernel.floats(moment.scales), map);
    }

    void read(int block, float[] out, byte[] scratch, int length) {
      codes.get(block * BLOCK, scratch, 0, length);
      map.decode(scratch, scales.get(block), out, length);
    }

    void write(int block, float[] values, byte[] scratch, int length) {
      scales.put(block, map.encode(values, scratch, length));
      codes.put(block * BLOCK, scratch, 0, length);
    }
  }
}
