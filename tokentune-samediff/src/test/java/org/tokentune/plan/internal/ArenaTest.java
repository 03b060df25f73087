package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class ArenaTest {

  /** Places of tokens are integers: with others, attention's products would be other ones. */
  @Test
  void fillingLeavesIntegers() {
    try (Arena arena = new Arena()) {
      arena.reserve(Map.of(DataType.FLOAT, 3L, DataType.INT32, 3L));
      INDArray floats = arena.view(DataType.FLOAT, new long[] {3}, new long[] {1}, 0);
      INDArray places = arena.view(DataType.INT32, new long[] {3}, new long[] {1}, 0);
      for (int i = 0; i < 3; i++) {
        places.putScalar(i, i + 5);
      }
      arena.fill(1);
      System.out.println("filled: " + floats + ", left: " + places);
      assertArrayEquals(new float[] {1, 1, 1}, floats.toFloatVector());
      assertArrayEquals(new int[] {5, 6, 7}, places.toIntVector());
    }
  }
}
