package org.tokentune.objectives;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.tokentune.Arguments.required;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * What the loss and the scores of vectors need to know of a text, as floats.
 *
 * @param column in its row, from 0
 * @param key of the text: equal texts have equal keys
 * @param score of its row; 0 if it has none
 */
public record EmbeddingLabel(int column, long key, float score) {

  /** Floats of a label. */
  public static final int SIZE = 4;

  static final int COLUMN = 0;
  static final int KEY = 1;
  static final int SCORE = 3;

  /** A float holds whole numbers of 24 bits. */
  private static final int HALF = 24;

  /** A text's key, of 48 bits. */
  public static long keyOf(String text) {
    required(text, "text");

    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
      return ByteBuffer.wrap(digest).getLong() >>> (Long.SIZE - 2 * HALF);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  /** The two floats that hold a key. */
  public static float[] halves(long key) {
    return new float[] {highHalf(key), lowHalf(key)};
  }

  /** As a row of labels. */
  public float[] encode() {
    return new float[] {column, highHalf(key), lowHalf(key), score};
  }

  static float highHalf(long key) {
    return key >>> HALF;
  }

  static float lowHalf(long key) {
    return key & ((1 << HALF) - 1);
  }

  /** The key of a text with these labels. */
  public static long keyIn(float[] label) {
    required(label, "label");

    return key(label[KEY], label[KEY + 1]);
  }

  /** The key that two floats hold. */
  static long key(float high, float low) {
    return ((long) high << HALF) | (long) low;
  }
}
