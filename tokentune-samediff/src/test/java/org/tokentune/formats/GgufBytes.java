package org.tokentune.formats;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.tokentune.quantization.BlockFormat;

/** Builds GGUF files for tests; nothing is checked, so invalid files can be built. */
final class GgufBytes {

  private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
  private final ByteArrayOutputStream entries = new ByteArrayOutputStream();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private int metadataCount;
  private int tensorCount;

  private static void put(ByteArrayOutputStream to, int size, long value) {
    to.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array(), 0, size);
  }

  private static void put(ByteArrayOutputStream to, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    put(to, 8, bytes.length);
    to.writeBytes(bytes);
  }

  private void key(String key, int type) {
    metadataCount++;
    put(metadata, key);
    put(metadata, 4, type);
  }

  GgufBytes with(String key, String value) {
    key(key, 8);
    put(metadata, value);
    return this;
  }

  GgufBytes with(String key, int value) {
    key(key, 4);
    put(metadata, 4, value);
    return this;
  }

  GgufBytes with(String key, float value) {
    key(key, 6);
    put(metadata, 4, Float.floatToIntBits(value));
    return this;
  }

  GgufBytes with(String key, boolean value) {
    key(key, 7);
    put(metadata, 1, value ? 1 : 0);
    return this;
  }

  GgufBytes withTexts(String key, List<String> values) {
    array(key, 8, values.size());
    values.forEach(value -> put(metadata, value));
    return this;
  }

  GgufBytes withInts(String key, List<Integer> values) {
    array(key, 5, values.size());
    values.forEach(value -> put(metadata, 4, value));
    return this;
  }

  GgufBytes withFloats(String key, List<Float> values) {
    array(key, 6, values.size());
    values.forEach(value -> put(metadata, 4, Float.floatToIntBits(value)));
    return this;
  }

  /** Only an array's header. */
  GgufBytes array(String key, int type, long length) {
    key(key, 9);
    put(metadata, 4, type);
    put(metadata, 8, length);
    return this;
  }

  /** Only a tensor's entry; dimensions innermost first. */
  GgufBytes entry(String name, int type, long offset, long... dimensions) {
    tensorCount++;
    put(entries, name);
    put(entries, 4, dimensions.length);
    for (long dimension : dimensions) {
      put(entries, 8, dimension);
    }
    put(entries, 4, type);
    put(entries, 8, offset);
    return this;
  }

  /** A tensor at the end of the data. */
  GgufBytes tensor(String name, BlockFormat format, byte[] blocks, long... dimensions) {
    align(data, 32);
    entry(name, format.id, data.size(), dimensions);
    data.writeBytes(blocks);
    return this;
  }

  private static void align(ByteArrayOutputStream to, int alignment) {
    while (to.size() % alignment != 0) {
      to.write(0);
    }
  }

  /** The file, with these bytes appended to the tensor data. */
  byte[] build(byte[] more) {
    data.writeBytes(more);
    return build();
  }

  byte[] build() {
    return build(3, tensorCount, metadataCount);
  }

  byte[] build(int version, long tensors, long metadataClaimed) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    put(all, 4, version);
    put(all, 8, tensors);
    put(all, 8, metadataClaimed);
    all.writeBytes(metadata.toByteArray());
    all.writeBytes(entries.toByteArray());
    align(all, 32);
    all.writeBytes(data.toByteArray());
    return all.toByteArray();
  }
}
