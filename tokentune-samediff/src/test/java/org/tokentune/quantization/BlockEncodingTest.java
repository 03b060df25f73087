package org.tokentune.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.formats.SafeTensors;

/** Blocks are those of llama.cpp and of gguf: made by {@code acceptance/gguf_blocks.py}. */
class BlockEncodingTest {

  private static final Path FILE = Path.of("src/test/resources/golden/gguf/encoded.safetensors");

  @ParameterizedTest
  @CsvSource({
    "F16, gguf",
    "BF16, gguf",
    "Q8_0, gguf",
    "Q8_0, llama",
    "Q5_0, llama",
    "Q4_K, llama",
    "Q6_K, llama"
  })
  void blocksAreThoseOfOthers(BlockFormat format, String of) {
    try (SafeTensors file = SafeTensors.open(FILE)) {
      INDArray numbers = file.read("values");
      float[] values = numbers.data().asFloat();
      byte[] expected = file.read(of + "." + format).data().asBytes();
      byte[] actual = new byte[expected.length];
      for (int block = 0; block < values.length / format.elements; block++) {
        format.encode(values, block * format.elements, actual, block * format.bytes);
      }
      int equal = 0;
      for (int i = 0; i < actual.length; i++) {
        equal += actual[i] == expected[i] ? 1 : 0;
      }
      System.out.printf("%s: %d of %d bytes are those of %s%n", format, equal, actual.length, of);
      assertArrayEquals(expected, actual);
    }
  }

  @Test
  void formatsThatAreOnlyReadSaySo() {
    assertThrows(
        UnsupportedOperationException.class,
        () -> BlockFormat.Q4_0.encode(new float[32], 0, new byte[18], 0));
  }
}
