package org.tokentune.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadSettingsException;

/** An ONNX graph under construction: nodes, small constants among them, and weights. */
final class OnnxBuilder {

  private final Onnx.GraphProto.Builder graph = Onnx.GraphProto.newBuilder();
  private final Map<String, INDArray> weights = new LinkedHashMap<>();
  private final Map<Onnx.TensorProto, String> constants = new HashMap<>();
  private int nodes;

  /** The graph without its weights. */
  Onnx.GraphProto graph(String name) {
    return graph.setName(name).build();
  }

  /** Weights by their names, in the order of their use. */
  Map<String, INDArray> weights() {
    return weights;
  }

  void input(OnnxValue value, DataType type) {
    graph.addInput(info(value, type));
  }

  void output(OnnxValue value, DataType type) {
    graph.addOutput(info(value, type));
  }

  private static Onnx.ValueInfoProto info(OnnxValue value, DataType type) {
    Onnx.TensorShapeProto.Builder shape = Onnx.TensorShapeProto.newBuilder();
    for (String size : value.shape()) {
      Onnx.TensorShapeProto.Dimension.Builder dimension =
          Onnx.TensorShapeProto.Dimension.newBuilder();
      shape.addDim(
          size.matches("\\d+")
              ? dimension.setDimValue(Long.parseLong(size))
              : dimension.setDimParam(size));
    }
    return Onnx.ValueInfoProto.newBuilder()
        .setName(value.name())
        .setType(
            Onnx.TypeProto.newBuilder()
                .setTensorType(
                    Onnx.TypeProto.Tensor.newBuilder().setElemType(number(type)).setShape(shape)))
        .build();
  }

  /** Adds a weight, which the file stores under its name. */
  void weight(String name, INDArray array) {
    weights.put(name, array);
  }

  /** Adds a node with one output, and returns its name: {@code output}, or a new one if null. */
  String node(String op, String output, List<String> inputs, Onnx.AttributeProto... attributes) {
    String result = output == null ? op + "_" + nodes : output;
    nodes(op, List.of(result), inputs, attributes);
    return result;
  }

  /** Adds a node. */
  void nodes(
      String op, List<String> outputs, List<String> inputs, Onnx.AttributeProto... attributes) {
    graph.addNode(
        Onnx.NodeProto.newBuilder()
            .setOpType(op)
            .setName(op + "/" + nodes++)
            .addAllInput(inputs)
            .addAllOutput(outputs)
            .addAllAttribute(List.of(attributes)));
  }

  /** A cast, or the value itself if it has the type already. */
  String cast(String value, DataType from, DataType to) {
    return from == to ? value : node("Cast", null, List.of(value), attribute("to", number(to)));
  }

  /** A constant of rank 0. */
  String scalar(double value, DataType type) {
    return constant(type, List.of(), new double[] {value});
  }

  /** INT64 of rank 0. */
  String scalar(long value) {
    return constant(tensor(DataType.INT64, List.of(), value));
  }

  /** INT64 of rank 1. */
  String longs(long... values) {
    return constant(tensor(DataType.INT64, List.of((long) values.length), values));
  }

  /** A small array. */
  String constant(INDArray array) {
    List<Long> shape = new ArrayList<>();
    for (long size : array.shape()) {
      shape.add(size);
    }
    INDArray values = array.dup('c');
    return array.dataType().isFPType()
        ? constant(array.dataType(), shape, values.data().asDouble())
        : constant(tensor(array.dataType(), shape, values.data().asLong()));
  }

  private String constant(DataType type, List<Long> shape, double[] values) {
    if (!type.isFPType()) {
      long[] whole = new long[values.length];
      for (int i = 0; i < whole.length; i++) {
        whole[i] = (long) values[i];
        if (whole[i] != values[i]) {
          throw new IllegalArgumentException(values[i] + " is not a whole number");
        }
      }
      return constant(tensor(type, shape, whole));
    }
    Onnx.TensorProto.Builder tensor = tensor(type, shape);
    for (double value : values) {
      if (type == DataType.FLOAT) {
        tensor.addFloatData((float) value);
      } else {
        tensor.addDoubleData(value);
      }
    }
    return constant(tensor.build());
  }

  /** Equal constants are one. */
  private String constant(Onnx.TensorProto tensor) {
    return constants.computeIfAbsent(
        tensor, key -> node("Constant", null, List.of(), attribute("value", key)));
  }

  private static Onnx.TensorProto.Builder tensor(DataType type, List<Long> shape) {
    return Onnx.TensorProto.newBuilder().setDataType(number(type)).addAllDims(shape);
  }

  private static Onnx.TensorProto tensor(DataType type, List<Long> shape, long... values) {
    Onnx.TensorProto.Builder tensor = tensor(type, shape);
    for (long value : values) {
      if (type == DataType.INT64) {
        tensor.addInt64Data(value);
      } else {
        tensor.addInt32Data(Math.toIntExact(value));
      }
    }
    return tensor.build();
  }

  static Onnx.AttributeProto attribute(String name, long value) {
    return named(name, Onnx.AttributeProto.AttributeType.INT).setI(value).build();
  }

  static Onnx.AttributeProto attribute(String name, float value) {
    return named(name, Onnx.AttributeProto.AttributeType.FLOAT).setF(value).build();
  }

  static Onnx.AttributeProto attribute(String name, long[] values) {
    Onnx.AttributeProto.Builder attribute = named(name, Onnx.AttributeProto.AttributeType.INTS);
    for (long value : values) {
      attribute.addInts(value);
    }
    return attribute.build();
  }

  static Onnx.AttributeProto attribute(String name, Onnx.TensorProto value) {
    return named(name, Onnx.AttributeProto.AttributeType.TENSOR).setT(value).build();
  }

  /** The value of {@code ConstantOfShape}. */
  static Onnx.AttributeProto filling(double value, DataType type) {
    Onnx.TensorProto.Builder one = tensor(type, List.of(1L));
    if (type == DataType.FLOAT) {
      one.addFloatData((float) value);
    } else if (type == DataType.INT64) {
      one.addInt64Data((long) value);
    } else if (type == DataType.INT32) {
      one.addInt32Data((int) value);
    } else {
      throw unsupported(type);
    }
    return attribute("value", one.build());
  }

  private static Onnx.AttributeProto.Builder named(
      String name, Onnx.AttributeProto.AttributeType type) {
    return Onnx.AttributeProto.newBuilder().setName(name).setType(type);
  }

  /** The number of a type in ONNX. */
  static int number(DataType type) {
    return switch (type) {
      case FLOAT -> Onnx.TensorProto.DataType.FLOAT_VALUE;
      case DOUBLE -> Onnx.TensorProto.DataType.DOUBLE_VALUE;
      case INT -> Onnx.TensorProto.DataType.INT32_VALUE;
      case LONG -> Onnx.TensorProto.DataType.INT64_VALUE;
      case BOOL -> Onnx.TensorProto.DataType.BOOL_VALUE;
      default -> throw unsupported(type);
    };
  }

  private static BadSettingsException unsupported(DataType type) {
    return new BadSettingsException(
        "Values of type %s cannot be written as ONNX; float32 and whole numbers can.", type);
  }
}
