package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.ops.BlockWeight;
import org.tokentune.quantization.BlockFormat;
import org.tokentune.quantization.HalfPrecision;

/**
 * A {@code .safetensors} file, memory-mapped tensor by tensor.
 *
 * <p>Format (Hugging Face safetensors, version 0.4): 8 bytes little-endian header length; the
 * header, a JSON object {@code name: {dtype, shape, data_offsets: [begin, end]}} and {@code
 * __metadata__}; then the tensors' bytes, without gaps. Types read: F64, F32, F16, BF16 (all to
 * FLOAT), I64, I32, I8, U8, BOOL; a tensor of another type is an error only when it is read.
 */
public final class SafeTensors implements WeightSource {

  private static final String METADATA = "__metadata__";

  private static final int MAX_TYPE_NAME = 20;

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  /** How elements are stored. */
  private enum Type {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I8(1),
    U8(1),
    BOOL(1);

    final int width;

    Type(int width) {
      this.width = width;
    }
  }

  /**
   * A tensor's location: {@code begin} and {@code end} are offsets in the file.
   *
   * @param type null if it is not supported
   * @param dtype the type's name in the file
   */
  private record Entry(String name, Type type, String dtype, long[] shape, long begin, long end) {}

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Entry> entries;
  private final Map<String, String> metadata;

  private SafeTensors(
      Path file, FileChannel channel, Map<String, Entry> entries, Map<String, String> metadata) {
    this.file = file;
    this.channel = channel;
    this.entries = entries;
    this.metadata = metadata;
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws BadInputException if it is missing, truncated or malformed
   */
  public static SafeTensors open(Path file) {
    required(file, "file");

    return WeightFile.open(file, channel -> new Header(file, channel).read());
  }

  /** The entries of {@code __metadata__}. */
  public Map<String, String> metadata() {
    return metadata;
  }

  @Override
  public Set<String> names() {
    return entries.keySet();
  }

  @Override
  public long[] shape(String name) {
    return entry(name).shape().clone();
  }

  @Override
  public DataType type(String name) {
    Entry entry = supported(name);
    if (entry.begin() == entry.end()) {
      return DataType.FLOAT;
    }
    return switch (entry.type()) {
      case F64, F32, F16, BF16 -> DataType.FLOAT;
      case I64 -> DataType.INT64;
      case I32 -> DataType.INT32;
      case I8 -> DataType.INT8;
      case U8 -> DataType.UINT8;
      case BOOL -> DataType.BOOL;
    };
  }

  private Entry supported(String name) {
    Entry entry = entry(name);
    if (entry.type() == null) {
      throw new BadFileException(
          "%s stores tensor %s as %s, which is not supported; save the model as F32, F16 or BF16.",
          file, name, entry.dtype());
    }
    return entry;
  }

  @Override
  public INDArray read(String name) {
    Entry entry = supported(name);
    long bytes = entry.end() - entry.begin();
    long count = bytes / entry.type().width;
    if (count == 0) {
      return Nd4j.empty(DataType.FLOAT);
    }
    if (count > Integer.MAX_VALUE) {
      throw new BadFileException(
          "%s: tensor %s has %d elements, more than the 2,147,483,647 supported.",
          file, name, count);
    }
    try {
      // Copied, because a reshaped array is a view, and SameDiff copies views instead of sharing
      // them.
      return decode(entry, (int) count).reshape('c', entry.shape()).dup('c');
    } catch (IOException e) {
      throw unreadable(name, e);
    }
  }

  @Override
  public BlockWeight readBlocks(String name) {
    Entry entry = entry(name);
    if (entry.shape().length != 2 || !(entry.type() == Type.BF16 || entry.type() == Type.F16)) {
      return null;
    }
    try {
      return BlockWeight.of(
          entry.type() == Type.BF16 ? BlockFormat.BF16 : BlockFormat.F16,
          entry.shape(),
          blocks ->
              new MappedRange(channel, entry.begin(), entry.end(), 2).forEachWindow(blocks::put));
    } catch (IOException e) {
      throw unreadable(name, e);
    }
  }

  private BadInputException unreadable(String name, IOException cause) {
    return new BadFileException(
        cause, "%s: tensor %s cannot be read: %s.", file, name, WeightFile.reason(cause));
  }

  private INDArray decode(Entry entry, int count) throws IOException {
    Elements bytes =
        new Elements(new MappedRange(channel, entry.begin(), entry.end(), entry.type().width));
    switch (entry.type()) {
      case I64 -> {
        long[] values = new long[count];
        bytes.forEach((buffer, i, at) -> values[i] = buffer.getLong(at));
        return Nd4j.createFromArray(values);
      }
      case I32 -> {
        int[] values = new int[count];
        bytes.forEach((buffer, i, at) -> values[i] = buffer.getInt(at));
        return Nd4j.createFromArray(values);
      }
      case I8, U8 -> {
        byte[] values = new byte[count];
        bytes.forEach((buffer, i, at) -> values[i] = buffer.get(at));
        INDArray signed = Nd4j.createFromArray(values);
        return entry.type() == Type.I8 ? signed : signed.castTo(DataType.UINT8);
      }
      case BOOL -> {
        boolean[] values = new boolean[count];
        bytes.forEach((buffer, i, at) -> values[i] = buffer.get(at) != 0);
        return Nd4j.createFromArray(values);
      }
      default -> {
        float[] values = new float[count];
        bytes.forEach((buffer, i, at) -> values[i] = toFloat(entry.type(), buffer, at));
        return Nd4j.createFromArray(values);
      }
    }
  }

  private static float toFloat(Type type, ByteBuffer buffer, int at) {
    return switch (type) {
      case F32 -> buffer.getFloat(at);
      case F64 -> (float) buffer.getDouble(at);
      case BF16 -> HalfPrecision.bfloatToFloat(buffer.getShort(at));
      default -> HalfPrecision.halfToFloat(buffer.getShort(at));
    };
  }

  private Entry entry(String name) {
    return WeightFile.tensor(entries, name, file);
  }

  @Override
  public String origin() {
    return file.toString();
  }

  @Override
  public void close() {
    WeightFile.close(channel);
  }

  /** The elements of a tensor. */
  private record Elements(MappedRange bytes) {

    /** Receives element {@code index}, which is at byte {@code at} of the buffer. */
    interface Reader {
      void read(ByteBuffer buffer, int index, int at);
    }

    void forEach(Reader reader) throws IOException {
      int[] index = {0};
      bytes.forEachWindow(
          window -> {
            for (int at = 0; at < window.limit(); at += bytes.unit()) {
              reader.read(window, index[0]++, at);
            }
          });
    }
  }

  /** Reads and checks the header. */
  private record Header(Path file, FileChannel channel) {

    SafeTensors read() throws IOException {
      long size = channel.size();
      if (size < 8) {
        throw bad("is shorter than 8 bytes");
      }
      long length = bytes(0, 8).getLong();
      if (length < 2 || length > Limits.HEADER_BYTES || length > size - 8) {
        throw bad("claims a header of " + length + " bytes in a file of " + size);
      }
      JsonNode header;
      try {
        header = JSON.readTree(bytes(8, (int) length).array());
      } catch (JsonProcessingException e) {
        throw bad("has a header that is not valid JSON");
      }
      if (!header.isObject()) {
        throw bad("has a header that is not a JSON object");
      }
      Map<String, String> metadata = new LinkedHashMap<>();
      List<Entry> found = new ArrayList<>();
      for (Iterator<Map.Entry<String, JsonNode>> fields = header.fields(); fields.hasNext(); ) {
        Map.Entry<String, JsonNode> field = fields.next();
        if (field.getKey().equals(METADATA)) {
          field
              .getValue()
              .fields()
              .forEachRemaining(f -> metadata.put(f.getKey(), f.getValue().asText()));
        } else {
          found.add(entry(field.getKey(), field.getValue(), 8 + length, size));
        }
      }
      found.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
      long next = 8 + length;
      Map<String, Entry> entries = new LinkedHashMap<>();
      for (Entry entry : found) {
        if (entry.begin() != next) {
          throw bad("has a gap or an overlap before tensor " + entry.name());
        }
        next = entry.end();
        entries.put(entry.name(), entry);
      }
      if (next != size) {
        throw bad("has " + (size - next) + " bytes that belong to no tensor");
      }
      return new SafeTensors(
          file, channel, Collections.unmodifiableMap(entries), Map.copyOf(metadata));
    }

    private ByteBuffer bytes(long position, int count) throws IOException {
      ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, position + buffer.position()) < 0) {
          throw bad("ends early");
        }
      }
      return buffer.flip();
    }

    private Entry entry(String name, JsonNode tensor, long base, long size) {
      String dtype = tensor.path("dtype").asText();
      if (dtype.isEmpty() || dtype.length() > MAX_TYPE_NAME) {
        throw bad("has no type for tensor " + name);
      }
      if (name.length() > Limits.NAME_BYTES) {
        throw bad("has a tensor name of " + name.length() + " characters");
      }
      Type type = type(dtype);
      JsonNode shape = tensor.path("shape");
      JsonNode offsets = tensor.path("data_offsets");
      if (!shape.isArray() || !offsets.isArray() || offsets.size() != 2) {
        throw bad("has no shape or data_offsets for tensor " + name);
      }
      long[] dimensions = new long[shape.size()];
      long bytes = type == null ? 1 : type.width;
      try {
        for (int i = 0; i < dimensions.length; i++) {
          dimensions[i] = number(name, shape.get(i));
          bytes = Math.multiplyExact(bytes, dimensions[i]);
        }
      } catch (ArithmeticException e) {
        throw bad("claims an impossible shape for tensor " + name);
      }
      long begin = number(name, offsets.get(0));
      long end = number(name, offsets.get(1));
      if (begin > end || end > size - base) {
        throw bad("ends before tensor " + name + " does");
      }
      if (type != null && end - begin != bytes) {
        throw bad(
            "has " + (end - begin) + " bytes for tensor " + name + ", whose shape needs " + bytes);
      }
      return new Entry(name, type, dtype, dimensions, base + begin, base + end);
    }

    private static Type type(String dtype) {
      for (Type type : Type.values()) {
        if (type.name().equals(dtype)) {
          return type;
        }
      }
      return null;
    }

    private long number(String name, JsonNode value) {
      if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
        throw bad("has a shape or offset of tensor " + name + " that is not a whole number");
      }
      return value.longValue();
    }

    private BadInputException bad(String what) {
      return new BadFileException(
          "%s %s: it is damaged or not a safetensors file; download it again.", file, what);
    }
  }
}
