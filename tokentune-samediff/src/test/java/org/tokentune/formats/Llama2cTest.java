package org.tokentune.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;

class Llama2cTest {

  /** dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len. */
  private static final int[] SIZES = {8, 6, 2, 2, 1, 5, 3};

  /** Token embeddings; two layers' tensors; the final norm; cosines and sines. */
  private static final int FLOATS =
      5 * 8 + 2 * (8 + 8 * 8 + 4 * 8 + 4 * 8 + 8 * 8 + 8 + 3 * 6 * 8) + 8 + 3 * 4;

  @TempDir private Path folder;

  /** A file whose floats are 0, 1, 2 and so on. */
  private static byte[] file(int[] sizes, int floats) {
    ByteBuffer bytes = ByteBuffer.allocate(28 + 4 * floats).order(ByteOrder.LITTLE_ENDIAN);
    for (int size : sizes) {
      bytes.putInt(size);
    }
    for (int i = 0; i < floats; i++) {
      bytes.putFloat(i);
    }
    return bytes.array();
  }

  /** A valid file. */
  static byte[] example() {
    return file(SIZES, FLOATS);
  }

  private Llama2c open(byte[] bytes) throws IOException {
    return Llama2c.open(Files.write(folder.resolve("x.bin"), bytes));
  }

  @Test
  void tensorsAreReadFromTheirPositions() throws IOException {
    try (Llama2c model = open(file(SIZES, FLOATS))) {
      assertEquals(0, model.read("model.embed_tokens.weight").getFloat(0, 0));
      assertEquals(40, model.read("model.layers.0.input_layernorm.weight").getFloat(0));
      assertEquals(48, model.read("model.layers.1.input_layernorm.weight").getFloat(0));
      INDArray keys = model.read("model.layers.1.self_attn.k_proj.weight");
      int begin = 56 + 2 * 64 + 32;
      assertArrayEquals(
          new float[] {begin, begin + 16, begin + 8, begin + 24},
          keys.getColumn(0).toFloatVector());
      int gates = 56 + 2 * (64 + 32 + 32 + 64 + 8);
      assertEquals(gates, model.read("model.layers.0.mlp.gate_proj.weight").getFloat(0, 0));
      assertEquals(gates + 96, model.read("model.layers.0.mlp.down_proj.weight").getFloat(0, 0));
      assertArrayEquals(new long[] {8, 6}, model.shape("model.layers.0.mlp.down_proj.weight"));
      assertEquals(FLOATS - 20, model.read("model.norm.weight").getFloat(0));
      assertTrue(model.config().path("tie_word_embeddings").booleanValue());
    }
    int[] untied = SIZES.clone();
    untied[5] = -5;
    try (Llama2c model = open(file(untied, FLOATS + 40))) {
      assertEquals(FLOATS, model.read("lm_head.weight").getFloat(0, 0));
      assertEquals(5, model.config().path("vocab_size").intValue());
      assertTrue(!model.config().path("tie_word_embeddings").booleanValue());
    }
  }

  @Test
  void rejectsFalseClaims() {
    for (int i = 0; i < SIZES.length; i++) {
      for (int size : new int[] {0, -1, 7, 9_999, 2_000_000_000, Integer.MIN_VALUE}) {
        int[] sizes = SIZES.clone();
        sizes[i] = size;
        String message =
            assertThrows(BadInputException.class, () -> open(file(sizes, FLOATS)).close())
                .getMessage();
        assertTrue(message.contains("x.bin"), message);
      }
    }
    int[] later = SIZES.clone();
    later[0] = 0x616b3432;
    String message =
        assertThrows(BadInputException.class, () -> open(file(later, FLOATS)).close()).getMessage();
    assertTrue(message.contains("later version"), message);
  }

  @Test
  void damagedFilesAreReadOrRejected() throws IOException {
    byte[] whole = file(SIZES, FLOATS);
    for (int length = 0; length < whole.length; length++) {
      byte[] truncated = Arrays.copyOf(whole, length);
      assertThrows(BadInputException.class, () -> open(truncated).close());
    }
    Random random = new Random(1);
    int refused = 0;
    int tries = 2000;
    for (int i = 0; i < tries; i++) {
      byte[] damaged = whole.clone();
      damaged[random.nextInt(i % 4 == 0 ? whole.length : 28)] ^= (byte) (1 << random.nextInt(8));
      damaged[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
      try (Llama2c model = open(damaged)) {
        model.names().forEach(model::read);
      } catch (BadInputException e) {
        refused++;
      }
    }
    System.out.printf(
        "llama2.c: %d truncations refused; of %d files with flipped bits, %d refused and the rest"
            + " read%n",
        whole.length, tries, refused);
    assertTrue(refused > tries / 2);
  }
}
