package org.tokentune.datasets;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;

/**
 * SentencePiece's map of characters, the {@code precompiled_charsmap} of a {@code Precompiled}
 * normalizer: a length in bytes, a trie of that length in a double array (by darts-clone), and
 * texts, each ended by a zero. A search from the root of the trie must stay within the array, and
 * each value must be a position in the texts.
 */
final class CharacterMap {

  private static final int MOST_BYTES = 1 << 24;

  /** The maximal number of bytes in a replacement text. */
  private static final int MOST_TEXT = 1_000;

  private final int[] units;
  private final byte[] texts;

  private CharacterMap(int[] units, byte[] texts) {
    this.units = units;
    this.texts = texts;
  }

  /** Whether no text can lead outside the array. */
  static boolean isWhole(byte[] bytes) {
    if (bytes.length < 8 || bytes.length > MOST_BYTES) {
      return false;
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int size = buffer.getInt();
    if (size < 4 || size % 4 != 0 || size > buffer.remaining()) {
      return false;
    }
    int[] units = new int[size / 4];
    buffer.asIntBuffer().get(units);
    byte[] texts = new byte[buffer.remaining() - size];
    buffer.position(buffer.position() + size).get(texts);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
    } catch (CharacterCodingException e) {
      return false;
    }
    return new CharacterMap(units, texts).isWhole();
  }

  private boolean isWhole() {
    BitSet seen = new BitSet(units.length);
    Deque<Integer> nodes = new ArrayDeque<>();
    nodes.add(offset(units[0]));
    while (!nodes.isEmpty()) {
      int node = nodes.remove();
      if (node >= units.length) {
        return false;
      }
      if (seen.get(node)) {
        continue;
      }
      seen.set(node);
      for (int next = 1; next < 256; next++) {
        int at = node ^ next;
        if (at >= units.length) {
          return false;
        }
        if (label(units[at]) == next) {
          int child = at ^ offset(units[at]);
          if (hasValue(units[at]) && (child >= units.length || !isText(value(units[child])))) {
            return false;
          }
          nodes.add(child);
        }
      }
    }
    return true;
  }

  /**
   * Whether a text that is not too long begins at this position, with the first byte of a
   * character.
   */
  private boolean isText(int start) {
    if (start > texts.length || (start < texts.length && (texts[start] & 0xC0) == 0x80)) {
      return false;
    }
    int end = start;
    while (end < texts.length && texts[end] != 0) {
      end++;
    }
    return end - start <= MOST_TEXT;
  }

  private static boolean hasValue(int unit) {
    return (unit >>> 8 & 1) == 1;
  }

  private static int value(int unit) {
    return unit & Integer.MAX_VALUE;
  }

  private static int label(int unit) {
    return unit & (Integer.MIN_VALUE | 0xFF);
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }
}
