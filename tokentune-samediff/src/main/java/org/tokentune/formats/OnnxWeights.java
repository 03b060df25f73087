package org.tokentune.formats;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import onnx.Onnx;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * The float initialisers of an ONNX file exported from PyTorch, under Hugging Face's names.
 *
 * <p>Initialisers named after a parameter keep that name. The weights of linear layers are
 * anonymous ({@code onnx::MatMul_787}) and stored as [in, out]: they are named after the node that
 * uses them ({@code /encoder/layer.0/attention/self/query/MatMul}), and read transposed, as [out,
 * in].
 */
public final class OnnxWeights implements WeightSource {

  private static final String ANONYMOUS = "onnx::MatMul_";

  private final String origin;
  private final Map<String, Tensor> tensors;

  /** A checked initialiser; {@code transposed} means that the file stores it as [in, out]. */
  private record Tensor(Onnx.TensorProto proto, boolean transposed) {}

  private OnnxWeights(String origin, Map<String, Tensor> tensors) {
    this.origin = origin;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Reads a whole model; the stream is not closed.
   *
   * @param origin the stream's source, for messages
   * @throws BadInputException if it is not an ONNX file or an initialiser is malformed
   */
  public static OnnxWeights read(InputStream in, String origin) {
    Onnx.ModelProto model;
    try {
      model = Onnx.ModelProto.parseFrom(in);
    } catch (IOException | IllegalStateException e) { // protobuf throws either
      throw new BadFileException(
          e, "%s is damaged or not an ONNX file; download it again.", origin);
    }
    Map<String, String> users = new LinkedHashMap<>();
    for (Onnx.NodeProto node : model.getGraph().getNodeList()) {
      if (node.getOpType().equals("MatMul") && node.getInputCount() == 2) {
        users.put(node.getInput(1), node.getName());
      }
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Onnx.TensorProto proto : model.getGraph().getInitializerList()) {
      if (proto.getDataType() != Onnx.TensorProto.DataType.FLOAT_VALUE) {
        continue; // shapes and other constants of the exported graph
      }
      String name = proto.getName();
      check(proto, origin);
      if (!name.startsWith(ANONYMOUS)) {
        tensors.put(name, new Tensor(proto, false));
      } else if (users.containsKey(name) && proto.getDimsCount() == 2) {
        tensors.put(parameter(users.get(name)), new Tensor(proto, true));
      }
    }
    if (tensors.isEmpty()) {
      throw new BadFileException("%s holds no float weights; name an exported encoder.", origin);
    }
    return new OnnxWeights(origin, tensors);
  }

  /**
   * {@code /encoder/layer.0/output/dense/MatMul} to {@code encoder.layer.0.output.dense.weight}.
   */
  private static String parameter(String node) {
    return node.replaceFirst("^/", "").replaceFirst("MatMul$", "weight").replace('/', '.');
  }

  private static boolean isRaw(Onnx.TensorProto proto) {
    return !proto.getRawData().isEmpty();
  }

  private static void check(Onnx.TensorProto proto, String origin) {
    if (proto.getExternalDataCount() > 0) {
      throw new BadFileException(
          "%s keeps tensor %s in another file, which is not supported; export the model to a single file.",
          origin, proto.getName());
    }
    long count = 1;
    try {
      for (long size : proto.getDimsList()) {
        count = size < 1 ? -1 : Math.multiplyExact(count, size);
        if (count < 0) {
          break;
        }
      }
    } catch (ArithmeticException e) {
      count = -1;
    }
    long held = isRaw(proto) ? proto.getRawData().size() / 4 : (long) proto.getFloatDataCount();
    if (count != held || (isRaw(proto) && proto.getRawData().size() % 4 != 0)) {
      throw new BadFileException(
          "%s: tensor %s holds %d values, which does not match its shape %s; download the file"
              + " again.",
          origin, proto.getName(), held, proto.getDimsList());
    }
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public long[] shape(String name) {
    Tensor tensor = tensor(name);
    long[] dims = dims(tensor.proto());
    return tensor.transposed() ? new long[] {dims[1], dims[0]} : dims;
  }

  private static long[] dims(Onnx.TensorProto proto) {
    return proto.getDimsList().stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public INDArray read(String name) {
    Tensor tensor = tensor(name);
    Onnx.TensorProto proto = tensor.proto();
    float[] values;
    if (isRaw(proto)) {
      FloatBuffer raw =
          proto.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      values = new float[raw.remaining()];
      raw.get(values);
    } else {
      values = new float[proto.getFloatDataCount()];
      for (int i = 0; i < values.length; i++) {
        values[i] = proto.getFloatData(i);
      }
    }
    INDArray array = Nd4j.createFromArray(values).reshape('c', dims(proto));
    // Copied in either case: a reshaped or transposed array is a view.
    return (tensor.transposed() ? array.transpose() : array).dup('c');
  }

  private Tensor tensor(String name) {
    return WeightFile.tensor(tensors, name, origin);
  }

  @Override
  public String origin() {
    return origin;
  }

  @Override
  public void close() {
    // The file was read completely, so nothing is open.
  }
}
