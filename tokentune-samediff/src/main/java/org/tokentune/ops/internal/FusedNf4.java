package org.tokentune.ops.internal;

import java.nio.ByteBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Scratch;
import org.tokentune.quantization.DynamicMap;
import org.tokentune.quantization.Nf4;

/** Dequantises an {@code Nf4Weight} to FLOAT [rows, width]. */
public final class FusedNf4 extends FusedOp {

  /** Blocks copied in and out at a time. */
  private static final int TILE = 16;

  /** For SameDiff, which creates ops by reflection; use {@code Nf4Weight}. */
  public FusedNf4() {}

  public FusedNf4(SameDiff sd, long[] shape, SDVariable... parts) {
    super(sd, parts);
    addIArgument(Math.toIntExact(shape[0]), Math.toIntExact(shape[1]));
  }

  @Override
  public String opName() {
    return "fused_nf4";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {getIArgument(0), getIArgument(1)});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    RowKernel kernel = RowKernel.tiles(TILE * Nf4.BLOCK, outputs.get(0).length());
    ByteBuffer codes = kernel.bytes(inputs.get(0));
    ByteBuffer scaleCodes = kernel.bytes(inputs.get(1));
    float[] scaleScales = Memory.floatValues(inputs.get(2));
    float offset = Memory.floatValues(inputs.get(3))[0];
    float[] levels = Nf4.levels();
    int blocks = scaleCodes.capacity();
    kernel
        .write(outputs.get(0))
        .temporary(levels.length)
        .run(
            (arrays, tile, length) -> {
              float[] scaled = arrays[1];
              byte[] bytes = Scratch.get().bytes(TILE * Nf4.BLOCK / 2);
              int first = tile * TILE;
              int inTile = Math.min(TILE, blocks - first);
              codes.get(first * Nf4.BLOCK / 2, bytes, 0, inTile * Nf4.BLOCK / 2);
              for (int block = 0; block < inTile; block++) {
                int code = scaleCodes.get(first + block) & 255;
                float scaleScale = scaleScales[(first + block) / Nf4.SCALES];
                float scale = DynamicMap.SIGNED.level(code) * scaleScale + offset;
                scale(levels, scale, scaled);
                lookUp(scaled, bytes, arrays[0], block * Nf4.BLOCK);
              }
            });
  }

  private static void scale(float[] levels, float scale, float[] scaled) {
    for (int i = 0; i < levels.length; i++) {
      scaled[i] = levels[i] * scale;
    }
  }

  /** Looks up a block's floats, starting at {@code at}; its codes start at half of that. */
  private static void lookUp(float[] scaled, byte[] bytes, float[] values, int at) {
    for (int i = at / 2; i < (at + Nf4.BLOCK) / 2; i++) {
      values[2 * i] = scaled[bytes[i] >> 4 & 15];
      values[2 * i + 1] = scaled[bytes[i] & 15];
    }
  }
}
