package org.tokentune.files;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A shortened SHA-256 of the added values, to detect differences. */
public final class Digest {

  private static final int BYTES = 8;
  private static final int CHUNK = 1 << 14;

  private final MessageDigest digest;

  public Digest() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Adds a text. */
  public Digest add(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
    digest.update(bytes);
    return this;
  }

  /** Adds numbers. */
  public Digest add(int[] numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (numbers.length + 1));
    bytes.putInt(numbers.length).asIntBuffer().put(numbers);
    digest.update(bytes.rewind());
    return this;
  }

  /** Adds numbers by their exact bits. */
  public Digest add(float[] numbers) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, numbers.length));
    for (int from = 0; from < numbers.length; from += CHUNK) {
      int count = Math.min(CHUNK, numbers.length - from);
      ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * count);
      bytes.asFloatBuffer().put(numbers, from, count);
      digest.update(bytes);
    }
    return this;
  }

  /** Adds an array of floats or bytes: its values, not its shape. */
  public Digest add(INDArray array) {
    DataBuffer values = array.dup('c').data();
    if (array.dataType() == DataType.FLOAT) {
      return add(values.asFloat());
    }
    digest.update(values.asBytes());
    return this;
  }

  /** The digest in hexadecimal; nothing can be added afterwards. */
  public String hex() {
    return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
  }
}
