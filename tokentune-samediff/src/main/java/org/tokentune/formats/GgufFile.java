package org.tokentune.formats;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.ops.BlockWeight;
import org.tokentune.quantization.BlockFormat;

/**
 * A GGUF file of version 2 or 3, little-endian, memory-mapped tensor by tensor (source: ggml's
 * {@code docs/gguf.md}).
 *
 * <p>Format: "GGUF", version (32 bits), number of tensors and of metadata entries (64 bits each);
 * the metadata, each entry a key, a type and a value; for each tensor its name, dimensions
 * (innermost first), type and offset; then, starting at the next multiple of the alignment, the
 * tensors, each at a multiple of it. A string is its length (64 bits) and its UTF-8 bytes; an array
 * is its element type, its length and its elements.
 */
final class GgufFile implements AutoCloseable {

  static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
  private static final String ALIGNMENT = "general.alignment";
  static final int DEFAULT_ALIGNMENT = 32;
  private static final int MAX_DIMENSIONS = 4;

  /** Bytes of the smallest tensor entry: an empty name and one dimension. */
  private static final int MIN_ENTRY_BYTES = 8 + 4 + 8 + 4 + 8;

  /** Bytes of the smallest metadata entry: an empty key and a one-byte value. */
  private static final int MIN_METADATA_BYTES = 8 + 4 + 1;

  /** Types of metadata values. */
  enum Type {
    UINT8(0, 1),
    INT8(1, 1),
    UINT16(2, 2),
    INT16(3, 2),
    UINT32(4, 4),
    INT32(5, 4),
    FLOAT32(6, 4),
    BOOL(7, 1),
    STRING(8, 8),
    ARRAY(9, 12),
    UINT64(10, 8),
    INT64(11, 8),
    FLOAT64(12, 8);

    /** The type's number in files. */
    final int id;

    /** Minimum size in bytes. */
    final int width;

    Type(int id, int width) {
      this.id = id;
      this.width = width;
    }
  }

  /**
   * A tensor's location.
   *
   * @param type ggml's type number
   * @param format null if the type is not supported
   * @param shape outermost dimension first
   * @param begin offset in the file
   * @param bytes size; if the type is not supported, up to the next tensor
   */
  record Tensor(String name, int type, BlockFormat format, long[] shape, long begin, long bytes) {

    long count() {
      return bytes / format.bytes * format.elements;
    }
  }

  /** A metadata array, whose elements are read on demand. */
  interface Array {

    int length();

    List<Object> elements();
  }

  private final Path file;
  private final FileChannel channel;
  private final GgufMetadata metadata;
  private final Map<String, Tensor> tensors;

  private GgufFile(
      Path file, FileChannel channel, GgufMetadata metadata, Map<String, Tensor> tensors) {
    this.file = file;
    this.channel = channel;
    this.metadata = metadata;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws BadInputException if it is missing, truncated or malformed
   */
  static GgufFile open(Path file) {
    return WeightFile.open(file, channel -> new Header(file, channel).read());
  }

  GgufMetadata metadata() {
    return metadata;
  }

  /** Tensors by name, in the order of the data. */
  Map<String, Tensor> tensors() {
    return tensors;
  }

  /** A tensor's values in row-major order. */
  float[] read(Tensor tensor) {
    require(tensor);
    if (tensor.count() > Integer.MAX_VALUE - 8) {
      throw new BadFileException(
          "%s: tensor %s has %d elements, more than the 2,147,483,639 supported.",
          file, tensor.name(), tensor.count());
    }
    BlockFormat format = tensor.format();
    float[] values = new float[(int) tensor.count()];
    byte[] blocks = new byte[Math.toIntExact(Math.min(tensor.bytes(), format.bytes * 4096L))];
    int[] next = {0};
    try {
      new MappedRange(channel, tensor.begin(), tensor.begin() + tensor.bytes(), format.bytes)
          .forEachWindow(
              window -> {
                while (window.hasRemaining()) {
                  int size = Math.min(window.remaining(), blocks.length);
                  window.get(blocks, 0, size);
                  for (int at = 0; at < size; at += format.bytes) {
                    format.decode(blocks, at, values, next[0]);
                    next[0] += format.elements;
                  }
                }
              });
    } catch (IOException e) {
      throw unreadable(tensor, e);
    }
    return values;
  }

  /**
   * A matrix in its stored block format.
   *
   * @param places destination of each of the file's rows
   */
  BlockWeight readBlocks(Tensor tensor, int[] places) {
    require(tensor);
    int rowBytes = Math.toIntExact(tensor.format().rowBytes(tensor.shape()[1]));
    MappedRange range =
        new MappedRange(channel, tensor.begin(), tensor.begin() + tensor.bytes(), rowBytes);
    int[] row = {0};
    try {
      return BlockWeight.of(
          tensor.format(),
          tensor.shape(),
          blocks ->
              range.forEachWindow(
                  window -> {
                    for (int at = 0; at < window.limit(); at += rowBytes) {
                      blocks.put(places[row[0]++] * rowBytes, window, at, rowBytes);
                    }
                  }));
    } catch (IOException e) {
      throw unreadable(tensor, e);
    }
  }

  private void require(Tensor tensor) {
    if (tensor.format() == null) {
      throw new BadFileException(
          "%s stores tensor %s in ggml's type %d, which is not supported; use the model in one of"
              + " %s.",
          file, tensor.name(), tensor.type(), Arrays.toString(BlockFormat.values()));
    }
  }

  private BadInputException unreadable(Tensor tensor, IOException cause) {
    return new BadFileException(
        cause, "%s: tensor %s cannot be read: %s.", file, tensor.name(), WeightFile.reason(cause));
  }

  @Override
  public void close() {
    WeightFile.close(channel);
  }

  /** Reads and checks everything before the data. */
  private static final class Header {

    private final Path file;
    private final FileChannel channel;
    private final long size;
    private final ByteBuffer in;

    Header(Path file, FileChannel channel) throws IOException {
      this.file = file;
      this.channel = channel;
      size = channel.size();
      in =
          channel
              .map(FileChannel.MapMode.READ_ONLY, 0, Math.min(size, Limits.GGUF_HEADER_BYTES))
              .order(ByteOrder.LITTLE_ENDIAN);
    }

    GgufFile read() {
      if (int32("the magic number") != MAGIC) {
        throw bad("does not begin with GGUF");
      }
      int version = int32("the version");
      if (version != 2 && version != 3) {
        throw new BadFileException(
            "%s is GGUF version %d, or big-endian; little-endian versions 2 and 3 are supported.",
            file, version);
      }
      long tensorCount = count("tensors", MIN_ENTRY_BYTES);
      long metadataCount = count("metadata", MIN_METADATA_BYTES);
      Map<String, Object> values = new LinkedHashMap<>();
      for (long i = 0; i < metadataCount; i++) {
        String key = name("a metadata key");
        if (values.put(key, value(type(key), key)) != null) {
          throw bad("has metadata " + key + " twice");
        }
      }
      GgufMetadata metadata = new GgufMetadata(file, values);
      int alignment = metadata.count(ALIGNMENT, DEFAULT_ALIGNMENT);
      if (alignment < 1 || Integer.bitCount(alignment) != 1) {
        throw bad("has the alignment " + alignment + ", which is not a power of 2");
      }
      List<Tensor> tensors = new ArrayList<>();
      for (long i = 0; i < tensorCount; i++) {
        tensors.add(tensor(alignment));
      }
      long data = (in.position() + alignment - 1L) / alignment * alignment;
      return new GgufFile(file, channel, metadata, placed(tensors, data, alignment));
    }

    /** A tensor with its offset relative to the start of the data. */
    private Tensor tensor(int alignment) {
      String name = name("a tensor's name");
      int dimensions = int32("the dimensions of tensor " + name);
      if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
        throw bad("claims " + dimensions + " dimensions for tensor " + name);
      }
      long[] shape = new long[dimensions];
      for (int i = dimensions - 1; i >= 0; i--) {
        shape[i] = int64("the shape of tensor " + name);
      }
      int type = int32("the type of tensor " + name);
      BlockFormat format = BlockFormat.of(type).orElse(null);
      long offset = int64("the offset of tensor " + name);
      if (offset < 0 || offset % alignment != 0) {
        throw bad("has tensor " + name + " at " + offset + ", not a multiple of " + alignment);
      }
      if (format == null) {
        return new Tensor(name, type, null, shape, offset, 0);
      }
      long row = shape[dimensions - 1];
      if (row % format.elements != 0) {
        throw bad(
            "has tensor "
                + name
                + " with rows of "
                + row
                + " values, not whole blocks of "
                + format);
      }
      long bytes = row / format.elements;
      try {
        bytes = Math.multiplyExact(bytes, (long) format.bytes);
        for (int i = 0; i < dimensions - 1; i++) {
          bytes = shape[i] < 1 ? -1 : Math.multiplyExact(bytes, shape[i]);
        }
      } catch (ArithmeticException e) {
        bytes = -1;
      }
      if (bytes < 1) {
        throw bad("claims the impossible shape " + Arrays.toString(shape) + " for tensor " + name);
      }
      return new Tensor(name, type, format, shape, offset, bytes);
    }

    /**
     * Tensors with absolute file offsets. Each must follow the one before, padded to the alignment:
     * a gap means that a type or a shape is corrupt.
     */
    private Map<String, Tensor> placed(List<Tensor> tensors, long data, long alignment) {
      Map<String, Tensor> placed = new LinkedHashMap<>();
      long next = 0;
      for (int i = 0; i < tensors.size(); i++) {
        Tensor tensor = tensors.get(i);
        if (tensor.begin() != next) {
          throw bad(
              "has tensor " + tensor.name() + " at " + tensor.begin() + " instead of " + next);
        }
        long end = i + 1 < tensors.size() ? tensors.get(i + 1).begin() : size - data;
        long bytes = tensor.format() == null ? end - tensor.begin() : tensor.bytes();
        if (bytes < 0 || tensor.begin() > size - data || bytes > size - data - tensor.begin()) {
          throw bad("ends before tensor " + tensor.name() + " does");
        }
        next = (tensor.begin() + bytes + alignment - 1) / alignment * alignment;
        Tensor inFile =
            new Tensor(
                tensor.name(),
                tensor.type(),
                tensor.format(),
                tensor.shape(),
                data + tensor.begin(),
                bytes);
        if (placed.put(tensor.name(), inFile) != null) {
          throw bad("has tensor " + tensor.name() + " twice");
        }
      }
      return placed;
    }

    private Type type(String key) {
      int id = int32("the type of metadata " + key);
      for (Type type : Type.values()) {
        if (type.id == id) {
          return type;
        }
      }
      throw bad("has metadata " + key + " of the unknown type " + id);
    }

    private Object value(Type type, String key) {
      need(type.width, "metadata " + key);
      return switch (type) {
        case UINT8 -> in.get() & 0xffL;
        case INT8 -> (long) in.get();
        case UINT16 -> in.getShort() & 0xffffL;
        case INT16 -> (long) in.getShort();
        case UINT32 -> in.getInt() & 0xffffffffL;
        case INT32 -> (long) in.getInt();
        case UINT64, INT64 -> in.getLong();
        case FLOAT32 -> Double.valueOf(Float.toString(in.getFloat()));
        case FLOAT64 -> in.getDouble();
        case BOOL -> in.get() != 0;
        case STRING -> string("metadata " + key);
        case ARRAY -> array(key);
      };
    }

    /** Skips the elements and remembers their position. */
    private Array array(String key) {
      Type type = type(key);
      if (type == Type.ARRAY) {
        throw bad("has an array of arrays as metadata " + key);
      }
      int length = (int) count("elements of " + key, type.width);
      int from = in.position();
      if (type == Type.STRING) {
        for (int i = 0; i < length; i++) {
          int bytes = textLength("metadata " + key);
          in.position(in.position() + bytes);
        }
      } else {
        in.position(from + length * type.width);
      }
      return new Elements(key, type, length, from);
    }

    private final class Elements implements Array {

      private final String key;
      private final Type type;
      private final int length;
      private final int from;

      Elements(String key, Type type, int length, int from) {
        this.key = key;
        this.type = type;
        this.length = length;
        this.from = from;
      }

      @Override
      public int length() {
        return length;
      }

      @Override
      public List<Object> elements() {
        in.position(from);
        List<Object> elements = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
          elements.add(value(type, key));
        }
        return Collections.unmodifiableList(elements);
      }

      @Override
      public String toString() {
        return "an array of " + length;
      }
    }

    private String name(String what) {
      int start = in.position();
      int length = textLength(what);
      if (length > Limits.NAME_BYTES) {
        throw bad("has " + what + " of " + length + " bytes");
      }
      in.position(start);
      return string(what);
    }

    private int textLength(String what) {
      long length = int64(what);
      if (length < 0 || length > in.remaining()) {
        throw tooShort(what);
      }
      return (int) length;
    }

    private String string(String what) {
      byte[] bytes = new byte[textLength(what)];
      in.get(bytes);
      return new String(bytes, StandardCharsets.UTF_8);
    }

    /** A count of items, each at least {@code width} bytes. */
    private long count(String what, int width) {
      long count = int64("the number of " + what);
      if (count < 0 || count > in.remaining() / width) {
        throw bad("claims " + Long.toUnsignedString(count) + " " + what + " in " + size + " bytes");
      }
      return count;
    }

    private int int32(String what) {
      need(4, what);
      return in.getInt();
    }

    private long int64(String what) {
      need(8, what);
      return in.getLong();
    }

    private void need(int bytes, String what) {
      if (in.remaining() < bytes) {
        throw tooShort(what);
      }
    }

    private BadInputException tooShort(String what) {
      return in.limit() < size
          ? new BadFileException(
              "%s has a header of more than the %d bytes supported.", file, in.limit())
          : bad("ends before " + what + " does");
    }

    private BadInputException bad(String what) {
      return new BadFileException(
          "%s %s: it is damaged or not a GGUF file; download it again.", file, what);
    }
  }
}
