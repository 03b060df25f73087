package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.ObjectMapper;
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

/** Writes a {@code .safetensors} file (format: {@link SafeTensors}) of floats and bytes. */
public final class SafeTensorsWriter {

  private static final int ALIGNMENT = 8;

  private SafeTensorsWriter() {}

  /** Writes 32-bit floats, and bytes as they are. */
  public static void write(Path file, Map<String, INDArray> tensors) throws IOException {
    write(file, tensors, FloatType.F32);
  }

  /**
   * Writes all tensors in the map's order, with the metadata that transformers requires.
   *
   * @param type type of all tensors except INT8 and UINT8, which are unchanged
   * @throws IOException if the file exists already, or the disk is full
   */
  public static void write(Path file, Map<String, INDArray> tensors, FloatType type)
      throws IOException {
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
      for (INDArray tensor : tensors.values()) {
        if (isBytes(tensor)) {
          TensorBytes.write(channel, ByteBuffer.wrap(tensor.dup('c').data().asBytes()));
        } else {
          TensorBytes.write(channel, tensor, type);
        }
      }
      channel.force(true);
    }
  }

  private static byte[] header(Map<String, INDArray> tensors, FloatType type) {
    ObjectNode header = new ObjectMapper().createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (Map.Entry<String, INDArray> tensor : tensors.entrySet()) {
      ObjectNode entry = header.putObject(tensor.getKey());
      entry.put("dtype", dtype(tensor.getValue(), type));
      for (long size : tensor.getValue().shape()) {
        entry.withArray("shape").add(size);
      }
      if (tensor.getValue().rank() == 0) {
        entry.putArray("shape");
      }
      entry.putArray("data_offsets").add(offset);
      offset += tensor.getValue().length() * (isBytes(tensor.getValue()) ? 1 : type.width);
      entry.withArray("data_offsets").add(offset);
    }
    StringBuilder text = new StringBuilder(header.toString());
    while (text.toString().getBytes(StandardCharsets.UTF_8).length % ALIGNMENT != 0) {
      text.append(' ');
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static boolean isBytes(INDArray tensor) {
    return tensor.dataType() == DataType.INT8 || tensor.dataType() == DataType.UINT8;
  }

  private static String dtype(INDArray tensor, FloatType type) {
    return switch (tensor.dataType()) {
      case BYTE -> "I8";
      case UBYTE -> "U8";
      default -> type.name();
    };
  }
}
