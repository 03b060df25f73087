package org.tokentune.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Compares arrays to the last bit. ND4J's own {@code equals}, and so {@code assertEquals}, means
 * "within 1e-5".
 */
public final class SameBits {

  private SameBits() {}

  /**
   * Asserts equal type, shape and bits: NaN equals a NaN with the same bits, and 0 does not equal
   * -0.
   */
  public static void assertSameBits(INDArray expected, INDArray actual) {
    assertSameBits(expected, actual, "array");
  }

  /**
   * Asserts equal arrays.
   *
   * @param name of the array, for messages
   */
  public static void assertSameBits(INDArray expected, INDArray actual, String name) {
    if (expected == null || actual == null) {
      fail(name + ": " + (expected == null ? "expected" : "actual") + " is null");
    }
    assertEquals(expected.dataType(), actual.dataType(), name);
    assertArrayEquals(expected.shape(), actual.shape(), name);
    // A linear index counts in the order of the array, which is Fortran's for a permuted one.
    INDArray wanted = expected.dup('c');
    INDArray found = actual.dup('c');
    for (long i = 0; i < wanted.length(); i++) {
      if (bits(wanted, i) != bits(found, i)) {
        fail(
            String.format(
                Locale.ROOT,
                "%s: element %d is %s instead of %s",
                name,
                i,
                found.getDouble(i),
                wanted.getDouble(i)));
      }
    }
  }

  /** Asserts equal names with equal arrays. */
  public static void assertSameBits(Map<String, INDArray> expected, Map<String, INDArray> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((name, array) -> assertSameBits(array, actual.get(name), name));
  }

  /** Whether arrays are equal to the last bit. */
  public static boolean areSame(INDArray a, INDArray b) {
    try {
      assertSameBits(a, b);
      return true;
    } catch (AssertionError e) {
      return false;
    }
  }

  private static long bits(INDArray array, long index) {
    return switch (array.dataType()) {
      case DOUBLE -> Double.doubleToRawLongBits(array.getDouble(index));
      case FLOAT, HALF, BFLOAT16 -> Float.floatToRawIntBits(array.getFloat(index));
      default -> array.getLong(index);
    };
  }
}
