package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Writes a {@code .safetensors} file (format: {@link SafeTensors}) of floats and whole numbers. */
public final class SafeTensorsWriter {

  private static final int ALIGNMENT = 8;

  private SafeTensorsWriter() {}

  /** Writes 32-bit floats, and whole numbers as they are. */
  public static void write(Path file, Map<String, INDArray> tensors) throws IOException {
    write(file, tensors, FloatType.F32);
  }

  /** As {@link #write(Path, StoredTensors, FloatType)}, in the map's order. */
  public static void write(Path file, Map<String, INDArray> tensors, FloatType type)
      throws IOException {
    write(file, StoredTensors.of(tensors), type);
  }

  /**
   * Writes tensors with the metadata that transformers requires.
   *
   * @param type type of all floats; whole numbers are unchanged
   * @throws IOException if the file exists already, or the disk is full
   */
  public static void write(Path file, StoredTensors tensors, FloatType type) throws IOException {
    required(file, "file");
    required(tensors, "tensors");
    required(type, "type");

    byte[] header = header(tensors, type);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      ByteBuffer start =
          ByteBuffer.allocate(8 + header.length)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(header.length)
              .put(header)
              .flip();
      TensorBytes.write(channel, start);
      for (String name : tensors.names()) {
        tensors.read(name, array -> TensorBytes.write(channel, name, array, type));
      }
      channel.force(true);
    }
  }

  private static byte[] header(StoredTensors tensors, FloatType type) {
    ObjectNode header = new ObjectMapper().createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (String name : tensors.names()) {
      ObjectNode entry = header.putObject(name);
      entry.put("dtype", dtype(tensors.type(name), type));
      ArrayNode shape = entry.putArray("shape");
      for (long size : tensors.shape(name)) {
        shape.add(size);
      }
      ArrayNode offsets = entry.putArray("data_offsets").add(offset);
      offset += tensors.bytes(name, type);
      offsets.add(offset);
    }
    StringBuilder text = new StringBuilder(header.toString());
    while (text.toString().getBytes(StandardCharsets.UTF_8).length % ALIGNMENT != 0) {
      text.append(' ');
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String dtype(DataType own, FloatType type) {
    return switch (own) {
      case BYTE -> "I8";
      case UBYTE -> "U8";
      case INT -> "I32";
      case LONG -> "I64";
      case BOOL -> "BOOL";
      default -> type.name();
    };
  }
}
