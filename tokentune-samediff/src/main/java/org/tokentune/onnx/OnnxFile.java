package org.tokentune.onnx;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.protobuf.CodedOutputStream;
import org.tokentune.BadInputException;
import org.tokentune.formats.FloatType;
import org.tokentune.formats.TensorBytes;

/**
 * Writes SameDiff graphs of ND4J's own ops as ONNX files (opset 17, IR version 8). Weights are
 * 32-bit floats under their names in the graph; those of a model past protobuf's 2 GB are in a
 * second file beside the first, whose name has {@code _data} at its end, as Optimum calls it.
 *
 * <p>Weights are written one after the other from their arrays, so that a file takes little memory.
 */
public final class OnnxFile {

  /** The version of ONNX's operators, which onnxruntime 1.12 and later have. */
  public static final int OPSET = 17;

  private static final int IR_VERSION = 8;
  private static final String PRODUCER = "TokenTune";

  /** Protobuf's limit, less room for the graph. */
  private static final long MOST_BYTES = Integer.MAX_VALUE - (1L << 26);

  /** Smaller weights stay in the file. */
  private static final long LEAST_EXTERNAL_BYTES = 1024;

  private static final int LENGTH_DELIMITED = 2;

  private final Path file;
  private final Path data;
  private final Map<String, Onnx.TensorProto> headers = new LinkedHashMap<>();

  private OnnxFile(Path file, Path data) {
    this.file = file;
    this.data = data;
  }

  /**
   * Writes a graph.
   *
   * @param inputs placeholders, at least one; whole numbers are INT64 in the file. Those that no
   *     output needs are left out, but for the first. Any other placeholder is 0 everywhere, in the
   *     shape of the first input
   * @param outputs in the file's order
   * @throws BadInputException if an op has no translation
   * @throws IOException if a file exists already, or the disk is full
   */
  public static void write(
      Path file, SameDiff graph, List<OnnxValue> inputs, List<OnnxValue> outputs)
      throws IOException {
    required(file, "file");
    required(graph, "graph");
    required(inputs, "inputs");
    required(outputs, "outputs");

    write(file, graph, inputs, outputs, MOST_BYTES);
  }

  /**
   * As above.
   *
   * @param mostBytes of weights in the file itself; more go into a file beside it
   */
  static void write(
      Path file, SameDiff graph, List<OnnxValue> inputs, List<OnnxValue> outputs, long mostBytes)
      throws IOException {
    OnnxBuilder onnx = GraphTranslation.of(graph, inputs, outputs);
    long bytes = onnx.weights().values().stream().mapToLong(OnnxFile::bytes).sum();
    Path data = file.resolveSibling(file.getFileName() + "_data");
    new OnnxFile(file, bytes > mostBytes ? data : null)
        .write(onnx.graph(file.getFileName().toString()), onnx.weights());
  }

  private static long bytes(INDArray array) {
    return array.length() * FloatType.F32.width;
  }

  private boolean isExternal(INDArray array) {
    return data != null && bytes(array) >= LEAST_EXTERNAL_BYTES;
  }

  private void write(Onnx.GraphProto graph, Map<String, INDArray> weights) throws IOException {
    if (data != null) {
      try (FileChannel channel = create(data)) {
        for (Map.Entry<String, INDArray> weight : weights.entrySet()) {
          if (isExternal(weight.getValue())) {
            TensorBytes.write(channel, weight.getKey(), weight.getValue(), FloatType.F32);
          }
        }
      }
    }
    describe(weights);
    long size = graph.getSerializedSize();
    for (Map.Entry<String, INDArray> weight : weights.entrySet()) {
      long length = length(weight.getKey(), weight.getValue());
      size += field(Onnx.GraphProto.INITIALIZER_FIELD_NUMBER, length);
    }
    Onnx.ModelProto model =
        Onnx.ModelProto.newBuilder()
            .setIrVersion(IR_VERSION)
            .setProducerName(PRODUCER)
            .addOpsetImport(Onnx.OperatorSetIdProto.newBuilder().setVersion(OPSET))
            .build();
    try (FileChannel channel = create(file)) {
      CodedOutputStream out = CodedOutputStream.newInstance(Channels.newOutputStream(channel));
      model.writeTo(out);
      begin(out, Onnx.ModelProto.GRAPH_FIELD_NUMBER, size);
      graph.writeTo(out);
      for (Map.Entry<String, INDArray> weight : weights.entrySet()) {
        INDArray array = weight.getValue();
        begin(out, Onnx.GraphProto.INITIALIZER_FIELD_NUMBER, length(weight.getKey(), array));
        headers.get(weight.getKey()).writeTo(out);
        if (!isExternal(array)) {
          begin(out, Onnx.TensorProto.RAW_DATA_FIELD_NUMBER, bytes(array));
          out.flush();
          TensorBytes.write(channel, weight.getKey(), array, FloatType.F32);
        }
      }
      out.flush();
      channel.force(true);
    }
  }

  private static FileChannel create(Path path) throws IOException {
    return FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
  }

  /** What stands of each weight in the file, but for the bytes. */
  private void describe(Map<String, INDArray> weights) {
    long offset = 0;
    for (Map.Entry<String, INDArray> weight : weights.entrySet()) {
      INDArray array = weight.getValue();
      Onnx.TensorProto.Builder header =
          Onnx.TensorProto.newBuilder()
              .setName(weight.getKey())
              .setDataType(OnnxBuilder.number(array.dataType()));
      for (long size : array.shape()) {
        header.addDims(size);
      }
      if (isExternal(array)) {
        header
            .setDataLocation(Onnx.TensorProto.DataLocation.EXTERNAL)
            .addExternalData(entry("location", data.getFileName().toString()))
            .addExternalData(entry("offset", Long.toString(offset)))
            .addExternalData(entry("length", Long.toString(bytes(array))));
        offset += bytes(array);
      }
      headers.put(weight.getKey(), header.build());
    }
  }

  private static Onnx.StringStringEntryProto entry(String key, String value) {
    return Onnx.StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /** The length of a weight in the file. */
  private long length(String name, INDArray array) {
    long header = headers.get(name).getSerializedSize();
    return isExternal(array)
        ? header
        : header + field(Onnx.TensorProto.RAW_DATA_FIELD_NUMBER, bytes(array));
  }

  /** The length of a field whose content has a length. */
  private static long field(int number, long length) {
    return CodedOutputStream.computeTagSize(number)
        + CodedOutputStream.computeUInt64SizeNoTag(length)
        + length;
  }

  private static void begin(CodedOutputStream out, int field, long length) throws IOException {
    out.writeTag(field, LENGTH_DELIMITED);
    out.writeUInt64NoTag(length);
  }
}
