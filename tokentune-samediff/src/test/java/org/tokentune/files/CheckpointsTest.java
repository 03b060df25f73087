package org.tokentune.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.SafeTensorsWriter;

class CheckpointsTest {

  @TempDir private Path folder;

  private static ObjectNode state(int number) {
    return new ObjectMapper().createObjectNode().put("number", number);
  }

  private static void write(Checkpoints checkpoints, int... steps) {
    for (int step : steps) {
      checkpoints.write(
          step, state(step), Map.of("weights", Map.of("w", Nd4j.createFromArray(1f, step))));
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void keepsTheNewest() throws IOException {
    Checkpoints checkpoints = new Checkpoints(folder, 2);
    assertTrue(checkpoints.newest().isEmpty());
    write(checkpoints, 5, 10, 15);
    assertEquals(List.of("step-00000010", "step-00000015"), names());
    Path newest = checkpoints.newest().orElseThrow();
    assertEquals(15, Checkpoints.state(newest).path("number").asInt());
    INDArray weights = Checkpoints.tensors(newest, "weights").orElseThrow().get("w");
    assertSameBits(Nd4j.createFromArray(1f, 15f), weights);
    assertTrue(Checkpoints.tensors(newest, "best").isEmpty());
    write(checkpoints, 10); // a run that resumed from the previous one
    assertEquals(List.of("step-00000010"), names());
  }

  @Test
  void failedWriteLeavesOnlyTheExistingCheckpoints() throws IOException {
    Checkpoints checkpoints = new Checkpoints(folder, 1);
    write(checkpoints, 5);
    Map<String, INDArray> weights = Map.of("w", Nd4j.createFromArray(2f));
    String message =
        assertThrows(
                BadInputException.class,
                () -> checkpoints.write(10, state(10), Map.of("no/folder", weights)))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("the last complete one is step-00000005"), message);
    assertEquals(List.of("step-00000005"), names());
  }

  @Test
  void otherVersionsAreRejected() throws IOException {
    Checkpoints checkpoints = new Checkpoints(folder, 1);
    write(checkpoints, 5);
    Path newest = checkpoints.newest().orElseThrow();
    Path state = newest.resolve("state.json");
    String text = Files.readString(state);
    assertTrue(text.contains("\"format\" : 3"), text);
    for (String other : List.of("\"format\" : 2", "\"older\" : 2")) {
      Files.writeString(state, text.replace("\"format\" : 3", other));
      String message =
          assertThrows(BadInputException.class, () -> Checkpoints.state(newest)).getMessage();
      System.out.println(message);
      assertTrue(
          message.contains("training checkpoint format, but only version 3 can be read"), message);
    }
  }

  @Test
  void bytesAreStoredUnchanged() throws IOException {
    byte[] numbers = {-128, -1, 0, 1, 127};
    INDArray signed = Nd4j.createFromArray(numbers);
    Path file = folder.resolve("x.safetensors");
    SafeTensorsWriter.write(
        file,
        Map.of(
            "signed",
            signed,
            "unsigned",
            signed.castTo(DataType.UINT8).reshape(1, 5),
            "number",
            Nd4j.scalar(-0.0f)));
    try (SafeTensors tensors = SafeTensors.open(file)) {
      assertSameBits(signed, tensors.read("signed"));
      assertEquals(DataType.INT8, tensors.read("signed").dataType());
      INDArray unsigned = tensors.read("unsigned");
      assertEquals(DataType.UINT8, unsigned.dataType());
      assertEquals(List.of(128L, 255L, 0L, 1L, 127L), longs(unsigned));
      assertEquals(
          Float.floatToRawIntBits(-0.0f),
          Float.floatToRawIntBits(tensors.read("number").getFloat(0)));
    }
  }

  private static List<Long> longs(INDArray array) {
    return Stream.of(0, 1, 2, 3, 4).map(i -> array.getLong(0, i)).toList();
  }
}
