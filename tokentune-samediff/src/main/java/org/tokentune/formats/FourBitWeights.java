package org.tokentune.formats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.ops.BlockWeight;
import org.tokentune.quantization.HalfPrecision;

/**
 * Reads a model whose linear layers bitsandbytes stored in 4 bits (NF4 or FP4) as floats.
 *
 * <p>Format (bitsandbytes 0.50, {@code QuantState.as_dict}): {@code <weight>} holds two codes per
 * byte, the first in the high half; {@code .quant_map} holds the 16 values of the codes; {@code
 * .absmax} holds the scale of each block or, with double quantisation, codes into {@code
 * .nested_quant_map}, to be multiplied by {@code .nested_absmax} per block, plus an offset; {@code
 * .quant_state.bitsandbytes__<type>} holds sizes and shape, as JSON in bytes.
 */
final class FourBitWeights implements WeightSource {

  private static final Pattern STATE =
      Pattern.compile("(.+)\\.quant_state\\.bitsandbytes__(nf4|fp4)");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final WeightSource file;
  private final Map<String, State> states = new HashMap<>();
  private final Set<String> names;

  /**
   * Layout of one quantised weight.
   *
   * @param dtype type to which dequantised values are rounded
   */
  private record State(
      int blockSize, String dtype, long[] shape, int nestedBlockSize, float nestedOffset) {}

  private FourBitWeights(WeightSource file) {
    this.file = file;
    Set<String> plain = new LinkedHashSet<>(file.names());
    for (String name : file.names()) {
      Matcher state = STATE.matcher(name);
      if (state.matches()) {
        states.put(state.group(1), state(name));
        plain.removeIf(other -> other.startsWith(state.group(1) + "."));
      }
    }
    names = Collections.unmodifiableSet(plain);
  }

  /** The same file, with any 4-bit weights dequantised to floats. */
  static WeightSource over(WeightSource file) {
    boolean quantised = file.names().stream().anyMatch(name -> STATE.matcher(name).matches());
    if (!quantised) {
      return file;
    }
    boolean complete = false;
    try {
      WeightSource weights = new FourBitWeights(file);
      complete = true;
      return weights;
    } finally {
      if (!complete) {
        file.close();
      }
    }
  }

  private State state(String name) {
    INDArray bytes = file.read(name);
    byte[] text = new byte[(int) bytes.length()];
    for (int i = 0; i < text.length; i++) {
      text[i] = (byte) bytes.getInt(i);
    }
    String where = file.origin() + ": " + name;
    JsonNode json;
    try {
      json = JSON.readTree(text);
    } catch (IOException e) {
      throw new BadFileException(e, "%s is not valid JSON; download the model again.", where);
    }
    ConfigReader fields = ConfigReader.of(json, where);
    JsonNode sizes = fields.value("shape");
    long[] shape = new long[sizes.size()];
    for (int i = 0; i < shape.length; i++) {
      if (!sizes.get(i).isInt() || sizes.get(i).intValue() < 1) {
        throw fields.bad("shape", "a list of sizes");
      }
      shape[i] = sizes.get(i).intValue();
    }
    State state =
        new State(
            fields.count("blocksize"),
            fields.text("dtype", "float32"),
            shape,
            fields.count("nested_blocksize", 1),
            (float) fields.value("nested_offset").asDouble());
    fields.value("quant_type");
    fields.finish(KnownFields.NONE.harmless("nested_dtype"));
    if (!Set.of("float32", "float16", "bfloat16").contains(state.dtype())) {
      throw fields.bad("dtype", "float32, float16 or bfloat16");
    }
    return state;
  }

  @Override
  public Set<String> names() {
    return names;
  }

  @Override
  public long[] shape(String name) {
    return states.containsKey(name) ? states.get(name).shape().clone() : file.shape(name);
  }

  @Override
  public INDArray read(String name) {
    State state = states.get(name);
    if (state == null) {
      return file.read(name);
    }
    float[] scales = scales(name, state);
    float[] map = floats(name + ".quant_map", 16);
    INDArray packed = file.read(name);
    byte[] codes = packed.data().asBytes();
    long count = 1;
    for (long size : state.shape()) {
      count = Math.multiplyExact(count, size);
    }
    if (codes.length != (count + 1) / 2 || scales.length < blocks(count, state.blockSize())) {
      throw new BadFileException(
          "%s: tensor %s has %d bytes and %d scales, too few or too many for its %d values; get the"
              + " model again.",
          origin(), name, codes.length, scales.length, count);
    }
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      int code = (i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2]) & 15;
      values[i] = HalfPrecision.rounded(map[code] * scales[i / state.blockSize()], state.dtype());
    }
    return Nd4j.create(values, state.shape(), 'c');
  }

  private float[] scales(String name, State state) {
    INDArray absmax = file.read(name + ".absmax");
    if (absmax.dataType().isFPType()) {
      return absmax.toFloatVector();
    }
    float[] map = floats(name + ".nested_quant_map", 256);
    int[] codes = absmax.toIntVector();
    float[] outer =
        floats(name + ".nested_absmax", (int) blocks(codes.length, state.nestedBlockSize()));
    float[] scales = new float[codes.length];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = map[codes[i]] * outer[i / state.nestedBlockSize()] + state.nestedOffset();
    }
    return scales;
  }

  private float[] floats(String name, int count) {
    INDArray array = file.read(name);
    if (array.length() != count || !array.dataType().isFPType()) {
      throw new BadFileException(
          "%s: tensor %s holds %d values of %s and should hold %d floats; download the model"
              + " again.",
          origin(), name, array.length(), array.dataType(), count);
    }
    return array.reshape(-1).toFloatVector();
  }

  private static long blocks(long count, int size) {
    return (count + size - 1) / size;
  }

  @Override
  public BlockWeight readBlocks(String name) {
    return states.containsKey(name) ? null : file.readBlocks(name);
  }

  @Override
  public String origin() {
    return file.origin();
  }

  @Override
  public void close() {
    file.close();
  }
}
