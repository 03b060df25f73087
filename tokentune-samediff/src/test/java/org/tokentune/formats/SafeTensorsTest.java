package org.tokentune.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;

class SafeTensorsTest {

  @TempDir Path folder;

  private static byte[] file(String header, byte... data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }

  private SafeTensors open(byte[] bytes) throws IOException {
    Path file = folder.resolve("x.safetensors");
    Files.write(file, bytes);
    return SafeTensors.open(file);
  }

  private static byte[] oneTensor(String type, String shape, byte... data) {
    return file(
        "{\"__metadata__\":{\"by\":\"test\"},\"t\":{\"dtype\":\""
            + type
            + "\",\"shape\":"
            + shape
            + ",\"data_offsets\":[0,"
            + data.length
            + "]}}",
        data);
  }

  private INDArray read(String type, String shape, byte... data) throws IOException {
    try (SafeTensors source = open(oneTensor(type, shape, data))) {
      assertEquals("test", source.metadata().get("by"));
      return source.read("t");
    }
  }

  @Test
  void readsEveryType() throws IOException {
    byte[] half = {0x00, 0x3c, 0x00, (byte) 0xc0, 0x01, 0x00, (byte) 0xff, 0x7b};
    assertArrayEquals(
        new float[] {1, -2, 0x1p-24f, 65504}, read("F16", "[4]", half).toFloatVector());
    assertArrayEquals(
        new float[] {1, -2},
        read("BF16", "[2]", (byte) 0x80, (byte) 0x3f, (byte) 0, (byte) 0xc0).toFloatVector());
    byte[] one = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(0.5).array();
    assertEquals(0.5f, read("F64", "[1,1]", one).getFloat(0, 0));
    byte[] big = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(-1L << 40).array();
    assertEquals(-1L << 40, read("I64", "[1]", big).getLong(0));
    assertEquals(258, read("I32", "[]", (byte) 2, (byte) 1, (byte) 0, (byte) 0).getInt(0));
    assertEquals(200, read("U8", "[1]", (byte) 200).getInt(0));
    assertEquals(DataType.BOOL, read("BOOL", "[1]", (byte) 1).dataType());
    assertFalse(read("F32", "[2,1]", new byte[8]).isView());
    assertTrue(read("F32", "[0,3]").isEmpty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"F8_E4M3", "F8_E5M2", "F4", "I16", "U64", "F99"})
  void unsupportedTypeFailsOnlyWhenRead(String type) throws IOException {
    String header =
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"u\":{\"dtype\":\""
            + type
            + "\",\"shape\":[8],\"data_offsets\":[4,8]}}";
    try (SafeTensors tensors = open(file(header, new byte[8]))) {
      assertEquals(0, tensors.read("t").getFloat(0));
      assertEquals(8, tensors.shape("u")[0]);
      String message = assertThrows(BadInputException.class, () -> tensors.read("u")).getMessage();
      System.out.println(message);
      assertTrue(message.contains("tensor u as " + type + ", which is not supported"), message);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2500000000],\"data_offsets\":[0,10000000000]}}; ends before",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}; impossible shape",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}; not a whole number",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}; not a whole number",
        "{\"t\":{\"dtype\":\"\",\"shape\":[1],\"data_offsets\":[0,4]}}; no type",
        "{\"t\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,5]}}; ends before",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}; whose shape needs 8",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}; no shape or data_offsets",
        "{\"t\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"u\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}; overlap",
        "{\"t\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}; belong to no tensor",
        "[]; not a JSON object",
        "{\"t\"; not valid JSON"
      })
  void rejectsFalseClaims(String header, String expected) throws IOException {
    BadInputException refused =
        assertThrows(BadInputException.class, () -> open(file(header, new byte[4])));
    assertTrue(refused.getMessage().contains(expected), refused.getMessage());
    assertTrue(refused.getMessage().contains("x.safetensors"), refused.getMessage());
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 0, 1, 1000, Long.MAX_VALUE})
  void rejectsFalseHeaderLengths(long length) {
    byte[] bytes = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
    assertThrows(BadInputException.class, () -> open(bytes));
  }

  @Test
  void missingFileIsNamed() {
    Path file = folder.resolve("absent");
    BadInputException refused = assertThrows(BadInputException.class, () -> SafeTensors.open(file));
    assertTrue(refused.getMessage().contains("absent"));
  }

  @Test
  void damagedFilesAreReadOrRejected() throws IOException {
    byte[] whole =
        file(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                + "\"b\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[16,24]}}",
            new byte[24]);
    for (int length = 0; length < whole.length; length++) {
      byte[] truncated = java.util.Arrays.copyOf(whole, length);
      assertThrows(BadInputException.class, () -> open(truncated), "at " + length);
    }
    Random random = new Random(1);
    int refused = 0;
    int tries = 5000;
    for (int i = 0; i < tries; i++) {
      byte[] damaged = whole.clone();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try (SafeTensors source = open(damaged)) {
        source.names().forEach(source::read);
      } catch (BadInputException e) {
        refused++;
      }
    }
    System.out.printf(
        "safetensors: %d truncations refused; of %d files with flipped bits, %d refused and the"
            + " rest read%n",
        whole.length, tries, refused);
    assertTrue(refused > tries / 2);
  }
}
