package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.quantization.BlockFormat;

/**
 * Collects metadata and tensors, and writes a GGUF file (format: {@link GgufFile}, version 3). The
 * values of a tensor are made when it is written, so that one is in memory at a time.
 */
public final class GgufWriter {

  private static final int VERSION = 3;

  /** Blocks that are encoded at once. */
  private static final int CHUNK = 4096;

  /** Largest number that the scale of a block, or a number in half precision, may be. */
  private static final float LARGEST_HALF = 65504;

  private final Map<String, byte[]> metadata = new LinkedHashMap<>();
  private final List<Tensor> tensors = new ArrayList<>();

  /** A tensor to write; shape outermost dimension first. */
  private record Tensor(String name, BlockFormat format, long[] shape, Supplier<float[]> values) {

    long count() {
      return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    long bytes() {
      return format.rowBytes(count());
    }
  }

  /** Adds a text. */
  public GgufWriter put(String key, String value) {
    return entry(key, GgufFile.Type.STRING, required(value, "value"), GgufWriter::putText);
  }

  /** Adds a number from 0. */
  public GgufWriter put(String key, int value) {
    return entry(key, GgufFile.Type.UINT32, value, GgufWriter::putInt);
  }

  /** Adds a number as a 32-bit float. */
  public GgufWriter put(String key, double value) {
    return entry(key, GgufFile.Type.FLOAT32, value, GgufWriter::putFloat);
  }

  /** Adds a flag. */
  public GgufWriter put(String key, boolean value) {
    return entry(key, GgufFile.Type.BOOL, value, GgufWriter::putFlag);
  }

  /** Adds a list of texts. */
  public GgufWriter putTexts(String key, List<String> values) {
    return putList(key, GgufFile.Type.STRING, required(values, "values"), GgufWriter::putText);
  }

  /** Adds a list of whole numbers. */
  public GgufWriter putInts(String key, List<Integer> values) {
    return putList(key, GgufFile.Type.INT32, required(values, "values"), GgufWriter::putInt);
  }

  /** Adds a list of numbers as 32-bit floats. */
  public GgufWriter putFloats(String key, List<Double> values) {
    return putList(key, GgufFile.Type.FLOAT32, required(values, "values"), GgufWriter::putFloat);
  }

  /** Adds a list of flags. */
  public GgufWriter putFlags(String key, List<Boolean> values) {
    return putList(key, GgufFile.Type.BOOL, required(values, "values"), GgufWriter::putFlag);
  }

  private <T> GgufWriter putList(
      String key,
      GgufFile.Type type,
      List<T> values,
      BiConsumer<ByteArrayOutputStream, T> element) {
    return entry(
        key,
        GgufFile.Type.ARRAY,
        values,
        (out, list) -> {
          putInt(out, type.id);
          putLong(out, list.size());
          list.forEach(value -> element.accept(out, value));
        });
  }

  private <T> GgufWriter entry(
      String key, GgufFile.Type type, T value, BiConsumer<ByteArrayOutputStream, T> content) {
    ByteArrayOutputStream entry = new ByteArrayOutputStream();
    putText(entry, required(key, "key"));
    putInt(entry, type.id);
    content.accept(entry, value);
    if (metadata.put(key, entry.toByteArray()) != null) {
      throw BadSettingsException.of("key", "must be new, but %s is there already.", key);
    }
    return this;
  }

  /**
   * Adds a tensor.
   *
   * @param shape outermost dimension first; a row is whole blocks of the format
   * @param values in the order of the shape, made when they are written
   */
  public GgufWriter tensor(
      String name, BlockFormat format, long[] shape, Supplier<float[]> values) {
    required(name, "name");
    required(format, "format");
    required(shape, "shape");
    required(values, "values");

    long row = shape[shape.length - 1];
    if (row % format.elements != 0) {
      throw BadSettingsException.of(
          "shape", "must end with a multiple of %d for %s, got %d.", format.elements, format, row);
    }
    tensors.add(new Tensor(name, format, shape.clone(), values));
    return this;
  }

  /** Bytes of all tensors, without the metadata. */
  public long tensorBytes() {
    return tensors.stream().mapToLong(tensor -> aligned(tensor.bytes())).sum();
  }

  /**
   * Writes the file.
   *
   * @throws BadFileException if a tensor holds a number that its format cannot represent
   */
  public void writeTo(OutputStream out) throws IOException {
    required(out, "out");

    ByteArrayOutputStream header = new ByteArrayOutputStream();
    putInt(header, GgufFile.MAGIC);
    putInt(header, VERSION);
    putLong(header, tensors.size());
    putLong(header, metadata.size());
    metadata.values().forEach(header::writeBytes);
    long offset = 0;
    for (Tensor tensor : tensors) {
      putText(header, tensor.name());
      putInt(header, tensor.shape().length);
      for (int i = tensor.shape().length - 1; i >= 0; i--) {
        putLong(header, tensor.shape()[i]);
      }
      putInt(header, tensor.format().id);
      putLong(header, offset);
      offset += aligned(tensor.bytes());
    }
    pad(header, header.size());
    header.writeTo(out);
    for (Tensor tensor : tensors) {
      write(tensor, out);
      pad(out, tensor.bytes());
    }
  }

  private static void write(Tensor tensor, OutputStream out) throws IOException {
    float[] values = tensor.values().get();
    if (values.length != tensor.count()) {
      throw new IllegalStateException(tensor.name() + " has " + values.length + " values");
    }
    check(tensor, values);
    BlockFormat format = tensor.format();
    byte[] bytes = new byte[CHUNK * format.bytes];
    int blocks = values.length / format.elements;
    for (int from = 0; from < blocks; from += CHUNK) {
      int first = from;
      int count = Math.min(CHUNK, blocks - from);
      IntStream.range(0, count)
          .parallel()
          .forEach(
              i -> format.encode(values, (first + i) * format.elements, bytes, i * format.bytes));
      out.write(bytes, 0, count * format.bytes);
    }
  }

  /** F32 and BF16 hold all numbers, and those that are none. */
  private static void check(Tensor tensor, float[] values) {
    if (tensor.format() == BlockFormat.F32 || tensor.format() == BlockFormat.BF16) {
      return;
    }
    for (float value : values) {
      if (!(Math.abs(value) <= LARGEST_HALF)) {
        throw new BadFileException(
            "Tensor %s holds %s, but in %s numbers are at most 65504; write it as f32 or bf16.",
            tensor.name(), value, tensor.format());
      }
    }
  }

  private static long aligned(long bytes) {
    long alignment = GgufFile.DEFAULT_ALIGNMENT;
    return (bytes + alignment - 1) / alignment * alignment;
  }

  private static void pad(OutputStream out, long written) throws IOException {
    out.write(new byte[(int) (aligned(written) - written)]);
  }

  private static void putFlag(ByteArrayOutputStream out, boolean value) {
    out.write(value ? 1 : 0);
  }

  private static void putText(ByteArrayOutputStream out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    putLong(out, bytes.length);
    out.writeBytes(bytes);
  }

  private static void putInt(ByteArrayOutputStream out, int value) {
    out.writeBytes(
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private static void putFloat(ByteArrayOutputStream out, double value) {
    putInt(out, Float.floatToRawIntBits((float) value));
  }

  private static void putLong(ByteArrayOutputStream out, long value) {
    out.writeBytes(
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }
}
