package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.FusedNf4;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.quantization.DynamicMap;
import org.tokentune.quantization.Nf4;

/**
 * A weight in {@link Nf4}: {@code level[code] * (scaleLevel[scaleCode] * scaleScale + offset)}.
 *
 * <p>Native form: casts, {@code gather} and multiplications. Fused form: {@link FusedNf4}. Without
 * gradient: quantised weights are not trained.
 *
 * @param shape [rows, width]
 * @param codes UINT8 [blocks * 32]
 * @param scaleCodes UINT8 [blocks]
 * @param scaleScales FLOAT [blocks of scales]
 * @param offset FLOAT [1]
 */
public record Nf4Weight(
    long[] shape, INDArray codes, INDArray scaleCodes, INDArray scaleScales, INDArray offset)
    implements QuantizedWeight {

  public Nf4Weight {
    required(shape, "shape");
    required(codes, "codes");
    required(scaleCodes, "scaleCodes");
    required(scaleScales, "scaleScales");
    required(offset, "offset");

    shape = shape.clone();
  }

  /** A weight with a shape but almost no memory, for planning. */
  public static Nf4Weight shapeOnly(long... shape) {
    required(shape, "shape");

    int blocks = Nf4.blocks(shape[0] * shape[1]);
    return new Nf4Weight(
        shape,
        ShapeOnlyArray.of(DataType.UINT8, (long) blocks * Nf4.BLOCK / 2),
        ShapeOnlyArray.of(DataType.UINT8, blocks),
        ShapeOnlyArray.of(DataType.FLOAT, Nf4.scaleBlocks(blocks)),
        ShapeOnlyArray.of(DataType.FLOAT, 1));
  }

  /** Quantises a matrix [rows, width]. */
  public static Nf4Weight of(INDArray values) {
    required(values, "values");

    Nf4 nf4 = Nf4.quantize(Memory.floatValues(values.dup('c')));
    return new Nf4Weight(
        values.shape(),
        bytes(nf4.codes()),
        bytes(nf4.scaleCodes()),
        Nd4j.createFromArray(nf4.scaleScales()),
        Nd4j.createFromArray(nf4.offset()));
  }

  private static INDArray bytes(byte[] values) {
    INDArray array = Nd4j.createUninitialized(DataType.UINT8, values.length);
    Memory.bytes(array).put(values);
    return array;
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public List<INDArray> arrays() {
    return List.of(codes, scaleCodes, scaleScales, offset);
  }

  @Override
  public SDVariable dequantized(SameDiff sd, String name, KernelMode kernelMode) {
    SDVariable[] parts = {
      sd.constant(name + ".codes", codes),
      sd.constant(name + ".scale_codes", scaleCodes),
      sd.constant(name + ".scale_scales", scaleScales),
      sd.constant(name + ".offset", offset)
    };
    if (kernelMode == KernelMode.NATIVE) {
      return nativeForm(sd, parts).rename(name);
    }
    Ops.register();
    return new FusedNf4(sd, shape, parts).outputVariable().rename(name);
  }

  private SDVariable nativeForm(SameDiff sd, SDVariable[] parts) {
    int blocks = Math.toIntExact(scaleCodes.length());
    SDVariable bytes = parts[0].castTo(DataType.FLOAT).reshape(-1, 1);
    SDVariable high = sd.math.floor(bytes.div(16));
    SDVariable low = bytes.sub(high.mul(16));
    SDVariable values = lookUp(Nf4.levels(), sd.concat(1, high, low).reshape(-1));
    int[] owner = IntStream.range(0, blocks).map(block -> block / Nf4.SCALES).toArray();
    SDVariable scaleScale = sd.gather(parts[2], sd.constant(Nd4j.createFromArray(owner)), 0);
    SDVariable scales =
        lookUp(DynamicMap.SIGNED.levels(), parts[1]).mul(scaleScale).add(parts[3]).reshape(-1, 1);
    SDVariable all = values.reshape(blocks, Nf4.BLOCK).mul(scales).reshape(-1);
    long count = shape[0] * shape[1];
    SDVariable own =
        count == (long) blocks * Nf4.BLOCK
            ? all
            : sd.slice(all, new int[] {0}, Math.toIntExact(count));
    return own.reshape(shape);
  }

  private static SDVariable lookUp(float[] levels, SDVariable codes) {
    SameDiff sd = codes.getSameDiff();
    return sd.gather(sd.constant(Nd4j.createFromArray(levels)), codes.castTo(DataType.INT32), 0);
  }
}
