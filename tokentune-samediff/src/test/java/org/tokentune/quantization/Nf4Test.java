package org.tokentune.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.formats.SafeTensors;

/** Compares NF4 with bitsandbytes. */
class Nf4Test {

  private static final Path GOLDEN = Path.of("src/test/resources/golden/nf4/nf4.safetensors");

  @Test
  void equalsBitsandbytes() {
    try (SafeTensors golden = SafeTensors.open(GOLDEN)) {
      assertArrayEquals(golden.read("nf4").toFloatVector(), Nf4.levels());
      assertArrayEquals(
          golden.read("double.levels").toFloatVector(), DynamicMap.SIGNED.levels(), 1e-7f);
      check(golden, "weight", "codes", "double.");
      check(golden, "large.weight", "large.codes", "large.");
    }
  }

  private static void check(SafeTensors golden, String weight, String codes, String prefix) {
    Nf4 nf4 = Nf4.quantize(golden.read(weight).reshape(-1).toFloatVector());
    assertArrayEquals(bytes(golden.read(codes)), nf4.codes());
    assertArrayEquals(bytes(golden.read(prefix + "absmax_codes")), nf4.scaleCodes());
    float offset = golden.read(prefix + "offset").getFloat(0);
    assertEquals(offset, nf4.offset(), 1e-6f * offset);
    float[] scales = golden.read(prefix + "absmax2").toFloatVector();
    assertArrayEquals(scales, nf4.scaleScales(), 1e-6f * scales[0]);
    System.out.printf(
        "%s: %d bytes of codes and %d codes of scales equal bitsandbytes'%n",
        weight, nf4.codes().length, nf4.scaleCodes().length);
  }

  private static byte[] bytes(INDArray array) {
    int[] values = array.toIntVector();
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }
}
