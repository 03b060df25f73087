package org.tokentune.onnx;

import static org.tokentune.onnx.OnnxBuilder.attribute;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import onnx.Onnx;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseReduceOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.tokentune.BadSettingsException;

/**
 * Translates a graph of ND4J's own ops into ONNX operators of opset 17, op by op.
 *
 * <p>Placeholders of whole numbers become inputs of INT64, as ONNX models of texts have them. All
 * shapes are computed in the graph, so that sizes may vary where they do in SameDiff.
 */
final class GraphTranslation {

  private static final Map<String, String> ELEMENTWISE =
      Map.of(
          "abs", "Abs", "cos", "Cos", "erf", "Erf", "sigmoid", "Sigmoid", "sin", "Sin", "sqrt",
          "Sqrt", "tanh", "Tanh");

  private static final Map<String, String> ARITHMETIC =
      Map.of("add", "Add", "subtract", "Sub", "multiply", "Mul", "divide", "Div", "maximum", "Max");

  private static final Map<String, String> COMPARISONS =
      Map.of(
          "equals", "Equal",
          "not_equals", "Equal",
          "less", "Less",
          "less_equal", "LessOrEqual",
          "greater", "Greater",
          "greater_equal", "GreaterOrEqual",
          "equals_scalar", "Equal",
          "notequals_scalar", "Equal");

  private static final Map<String, String> SCALARS =
      Map.of("add_scalar", "Add", "sub_scalar", "Sub", "mul_scalar", "Mul", "div_scalar", "Div");

  private static final Map<String, String> REVERSED_SCALARS =
      Map.of("rsub_scalar", "Sub", "rdiv_scalar", "Div");

  private static final Map<String, String> REDUCTIONS =
      Map.of(
          "reduce_mean",
          "ReduceMean",
          "reduce_max",
          "ReduceMax",
          "reduce_prod",
          "ReduceProd",
          "reduce_sum",
          "ReduceSum");

  private final SameDiff sd;
  private final OnnxBuilder onnx = new OnnxBuilder();

  /** What variables are called in the file, where that differs. */
  private final Map<String, String> names = new HashMap<>();

  private final Map<String, SameDiffOp> producers = new HashMap<>();

  /** An input, in whose shape other placeholders are 0. */
  private final String first;

  private GraphTranslation(SameDiff sd, String first) {
    this.sd = sd;
    this.first = first;
    for (SameDiffOp op : sd.getOps().values()) {
      op.getOutputsOfOp().forEach(output -> producers.put(output, op));
    }
  }

  /**
   * Translates what the outputs need.
   *
   * @param inputs placeholders; those that no output needs are left out, but for the first. Any
   *     other placeholder is 0 everywhere, in the shape of the first input
   */
  static OnnxBuilder of(SameDiff sd, List<OnnxValue> inputs, List<OnnxValue> outputs) {
    GraphTranslation translation = new GraphTranslation(sd, inputs.get(0).name());
    List<SameDiffOp> needed = translation.needed(outputs);
    Set<String> read = new HashSet<>();
    needed.forEach(op -> read.addAll(inputs(op)));
    inputs.stream()
        .filter(input -> read.contains(input.name()) || input.equals(inputs.get(0)))
        .forEach(translation::input);
    Set<String> results = outputs.stream().map(OnnxValue::name).collect(Collectors.toSet());
    LayerNorms norms = new LayerNorms(sd, needed, results);
    for (SameDiffOp op : needed) {
      if (norms.at(op) != null) {
        translation.normalise(norms.at(op));
      } else if (!norms.isReplaced(op)) {
        inputs(op).forEach(translation::define);
        translation.translate(op);
      }
    }
    for (OnnxValue output : outputs) {
      translation.onnx.output(output, translation.type(output.name()));
    }
    return translation.onnx;
  }

  static List<String> inputs(SameDiffOp op) {
    return op.getInputsToOp() == null ? List.of() : op.getInputsToOp();
  }

  /** SameDiff keeps ops in the order in which they were added, so that inputs come first. */
  private List<SameDiffOp> needed(List<OnnxValue> outputs) {
    Set<String> wanted = new HashSet<>();
    outputs.forEach(output -> wanted.add(output.name()));
    List<SameDiffOp> all = new ArrayList<>(sd.getOps().values());
    List<SameDiffOp> needed = new ArrayList<>();
    for (int i = all.size() - 1; i >= 0; i--) {
      SameDiffOp op = all.get(i);
      if (op.getOutputsOfOp().stream().anyMatch(wanted::contains)) {
        wanted.addAll(inputs(op));
        needed.add(0, op);
      }
    }
    return needed;
  }

  private void input(OnnxValue input) {
    DataType type = type(input.name());
    DataType stored = type == DataType.INT32 ? DataType.INT64 : type;
    onnx.input(input, stored);
    names.put(input.name(), onnx.cast(input.name(), stored, type));
  }

  private DataType type(String variable) {
    return sd.getVariable(variable).dataType();
  }

  /** Adds a constant, or a placeholder that is no input, where it is first read. */
  private void define(String variable) {
    if (names.containsKey(variable) || producers.containsKey(variable)) {
      return;
    }
    SDVariable constant = sd.getVariable(variable);
    if (constant.getVariableType() == VariableType.PLACEHOLDER) {
      String shape = onnx.node("Shape", null, List.of(first));
      names.put(
          variable,
          onnx.node(
              "ConstantOfShape",
              null,
              List.of(shape),
              OnnxBuilder.filling(0, constant.dataType())));
      return;
    }
    INDArray array = constant.getArr();
    if (array.dataType() == DataType.FLOAT && array.rank() > 0) {
      onnx.weight(variable, array);
      names.put(variable, variable);
    } else {
      names.put(variable, onnx.constant(array));
    }
  }

  private String name(String variable) {
    return names.getOrDefault(variable, variable);
  }

  private void normalise(LayerNorms.Norm norm) {
    List<String> in = new ArrayList<>(List.of(norm.x(), norm.gain()));
    if (norm.bias() != null) {
      in.add(norm.bias());
    }
    in.forEach(this::define);
    onnx.node(
        "LayerNormalization",
        norm.output(),
        in.stream().map(this::name).toList(),
        attribute("axis", 1),
        attribute("epsilon", (float) norm.epsilon()));
  }

  private void translate(SameDiffOp op) {
    String name = op.getOp().opName();
    List<String> in = inputs(op).stream().map(this::name).toList();
    String out = op.getOutputsOfOp().get(0);
    if (ELEMENTWISE.containsKey(name)) {
      onnx.node(ELEMENTWISE.get(name), out, in);
    } else if (ARITHMETIC.containsKey(name)) {
      onnx.node(ARITHMETIC.get(name), out, cast(op, type(out)));
    } else if (COMPARISONS.containsKey(name)) {
      compare(op, COMPARISONS.get(name), name.startsWith("not"));
    } else if (name.equals("mul_scalar") && (float) number(op) == (float) Math.sqrt(0.5)) {
      // As PyTorch's GELU has it: onnxruntime finds GELU by the division.
      onnx.node("Div", out, List.of(in.get(0), onnx.scalar(Math.sqrt(2), type(out))));
    } else if (SCALARS.containsKey(name)) {
      onnx.node(SCALARS.get(name), out, List.of(cast(op, type(out)).get(0), scalar(op, type(out))));
    } else if (REVERSED_SCALARS.containsKey(name)) {
      onnx.node(
          REVERSED_SCALARS.get(name),
          out,
          List.of(scalar(op, type(out)), cast(op, type(out)).get(0)));
    } else if (REDUCTIONS.containsKey(name)) {
      reduce(op, REDUCTIONS.get(name));
    } else {
      translate(name, op, in, out);
    }
  }

  /** Ops that are unlike all others. */
  private void translate(String name, SameDiffOp op, List<String> in, String out) {
    switch (name) {
      case "rsqrt" -> onnx.node("Reciprocal", out, List.of(onnx.node("Sqrt", null, in)));
      case "relu" -> {
        if (number(op) != 0) {
          throw unsupported(op, "a cutoff of " + number(op));
        }
        onnx.node("Relu", out, in);
      }
      case "matmul" -> matmul(op, in, out);
      case "softmax" -> onnx.node("Softmax", out, in, attribute("axis", arguments(op, -1)[0]));
      case "cast" -> onnx.node("Cast", out, in, attribute("to", OnnxBuilder.number(type(out))));
      case "concat" ->
          onnx.node("Concat", out, cast(op, type(out)), attribute("axis", arguments(op)[0]));
      case "gather", "token_gather" -> gather(op, in, out);
      case "reshape" -> reshape(op, in, out);
      case "permute" -> onnx.node("Transpose", out, in, attribute("perm", permutation(op)));
      case "expand_dims" ->
          onnx.node("Unsqueeze", out, List.of(in.get(0), onnx.longs(arguments(op)[0])));
      case "shape_of" -> {
        String shape = onnx.node("Shape", type(out) == DataType.INT64 ? out : null, in);
        if (type(out) != DataType.INT64) {
          names.put(out, onnx.cast(shape, DataType.INT64, type(out)));
        }
      }
      case "size_at" -> {
        String shape = onnx.node("Shape", null, in);
        String size = onnx.node("Gather", null, List.of(shape, onnx.scalar(arguments(op)[0])));
        names.put(out, onnx.cast(size, DataType.INT64, type(out)));
      }
      case "range" -> onnx.node("Range", out, cast(op, type(out)));
      case "zeroslike", "zeros_as" -> fill(op, 0);
      case "ones_as" -> fill(op, 1);
      case "split" -> split(op);
      case "strided_slice" -> slice(op, in, out);
      case "cumsum" -> cumsum(op, in, out);
      default -> throw unsupported(op, null);
    }
  }

  /** The inputs as values of a type. */
  private List<String> cast(SameDiffOp op, DataType type) {
    return inputs(op).stream().map(input -> onnx.cast(name(input), type(input), type)).toList();
  }

  private static double number(SameDiffOp op) {
    return ((ScalarOp) op.getOp()).scalar().getDouble(0);
  }

  private String scalar(SameDiffOp op, DataType type) {
    return onnx.scalar(number(op), type);
  }

  private void compare(SameDiffOp op, String comparison, boolean not) {
    String out = op.getOutputsOfOp().get(0);
    DataType type =
        inputs(op).stream()
            .map(this::type)
            .reduce((a, b) -> a == b || a.isFPType() ? a : b.isFPType() ? b : DataType.INT64)
            .orElseThrow();
    List<String> in = new ArrayList<>(cast(op, type));
    if (in.size() == 1) {
      in.add(scalar(op, type));
    }
    String result = onnx.node(comparison, not ? null : out, in);
    if (not) {
      onnx.node("Not", out, List.of(result));
    }
  }

  private void reduce(SameDiffOp op, String reduction) {
    BaseReduceOp reduced = (BaseReduceOp) op.getOp();
    int[] dimensions = reduced.getDimensions();
    String out = op.getOutputsOfOp().get(0);
    List<String> in = new ArrayList<>(cast(op, type(out)).subList(0, 1));
    boolean all =
        dimensions == null || dimensions.length == 0 || dimensions[0] == Integer.MAX_VALUE;
    List<Onnx.AttributeProto> attributes = new ArrayList<>();
    attributes.add(attribute("keepdims", reduced.isKeepDims() ? 1 : 0));
    if (!all) {
      long[] axes = Arrays.stream(dimensions).asLongStream().toArray();
      if (reduction.equals("ReduceSum")) { // the first whose axes are an input
        in.add(onnx.longs(axes));
      } else {
        attributes.add(attribute("axes", axes));
      }
    }
    onnx.node(reduction, out, in, attributes.toArray(Onnx.AttributeProto[]::new));
  }

  private void matmul(SameDiffOp op, List<String> in, String out) {
    long[] transposes = arguments(op, 0, 0, 0);
    if (transposes[2] != 0) {
      throw unsupported(op, "a transposed result");
    }
    boolean weights =
        sd.getVariable(inputs(op).get(1)).getArr() != null
            && sd.getVariable(inputs(op).get(1)).getArr().rank() == 2;
    if (transposes[0] == 0 && transposes[1] == 0) {
      onnx.node("MatMul", out, in);
    } else if (weights) { // so that both are of rank 2: ND4J's matmul takes equal ranks
      onnx.node(
          "Gemm", out, in, attribute("transA", transposes[0]), attribute("transB", transposes[1]));
    } else {
      String x = transposes[0] == 0 ? in.get(0) : transposed(op, 0);
      String y = transposes[1] == 0 ? in.get(1) : transposed(op, 1);
      onnx.node("MatMul", out, List.of(x, y));
    }
  }

  /** An input with its last two dimensions exchanged. */
  private String transposed(SameDiffOp op, int input) {
    SameDiffOp producer = producers.get(inputs(op).get(input));
    if (producer == null || !producer.getOp().opName().equals("permute")) {
      throw unsupported(op, "a transposed input of unknown rank");
    }
    long[] permutation = permutation(producer);
    int last = permutation.length - 1;
    long swapped = permutation[last];
    permutation[last] = permutation[last - 1];
    permutation[last - 1] = swapped;
    return onnx.node(
        "Transpose", null, List.of(name(inputs(producer).get(0))), attribute("perm", permutation));
  }

  private long[] permutation(SameDiffOp op) {
    return inputs(op).size() == 1 ? arguments(op) : longs(op, 1);
  }

  /**
   * A negative index counts from the end in ONNX, which would read a table of constants at a wrong
   * place in silence: it becomes one that onnxruntime refuses.
   */
  private void gather(SameDiffOp op, List<String> in, String out) {
    String table = inputs(op).get(0);
    String indices = in.get(1);
    if (isTable(table)) {
      DataType type = type(inputs(op).get(1));
      String negative = onnx.node("Less", null, List.of(indices, onnx.scalar(0, type)));
      indices =
          onnx.node(
              "Where", null, List.of(negative, onnx.scalar(Integer.MAX_VALUE, type), indices));
    }
    onnx.node("Gather", out, List.of(in.get(0), indices), attribute("axis", arguments(op, 0)[0]));
  }

  /** Whether a variable holds constants of whole numbers, maybe in another shape. */
  private boolean isTable(String variable) {
    SameDiffOp producer = producers.get(variable);
    if (producer != null) {
      return producer.getOp().opName().equals("reshape") && isTable(inputs(producer).get(0));
    }
    SDVariable source = sd.getVariable(variable);
    return source.getVariableType() == VariableType.CONSTANT && !source.dataType().isFPType();
  }

  private void reshape(SameDiffOp op, List<String> in, String out) {
    if (in.size() > 1) {
      String shape = onnx.cast(in.get(1), type(inputs(op).get(1)), DataType.INT64);
      onnx.node("Reshape", out, List.of(in.get(0), shape));
      return;
    }
    long[] arguments = arguments(op);
    boolean ordered = arguments.length > 0 && arguments[0] < -1; // 'c', as a negative number
    if (ordered && arguments[0] != -'c') {
      throw unsupported(op, "another order than C's");
    }
    long[] shape = ordered ? Arrays.copyOfRange(arguments, 1, arguments.length) : arguments;
    onnx.node("Reshape", out, List.of(in.get(0), onnx.longs(shape)));
  }

  private void fill(SameDiffOp op, double value) {
    String out = op.getOutputsOfOp().get(0);
    String shape = onnx.node("Shape", null, List.of(name(inputs(op).get(0))));
    onnx.node("ConstantOfShape", out, List.of(shape), OnnxBuilder.filling(value, type(out)));
  }

  private void split(SameDiffOp op) {
    long[] arguments = arguments(op);
    if (inputs(op).size() != 1 || arguments[0] != op.getOutputsOfOp().size()) {
      throw unsupported(op, "unequal parts");
    }
    onnx.nodes(
        "Split",
        op.getOutputsOfOp(),
        List.of(name(inputs(op).get(0))),
        attribute("axis", arguments[1]));
  }

  private void slice(SameDiffOp op, List<String> in, String out) {
    long[] arguments = arguments(op);
    if (in.size() != 1 || arguments[1] != 0 || arguments[3] != 0) {
      throw unsupported(op, "computed bounds, an ellipsis or a new axis");
    }
    int rank = (arguments.length - 5) / 3;
    long[] begins = new long[rank];
    long[] ends = new long[rank];
    long[] axes = new long[rank];
    long[] strides = new long[rank];
    List<Long> shrunk = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      axes[i] = i;
      strides[i] = arguments[5 + 2 * rank + i];
      if (strides[i] < 1) {
        throw unsupported(op, "a stride of " + strides[i]);
      }
      begins[i] = (arguments[0] >> i & 1) == 1 ? 0 : arguments[5 + i];
      ends[i] = (arguments[2] >> i & 1) == 1 ? Long.MAX_VALUE : arguments[5 + rank + i];
      if ((arguments[4] >> i & 1) == 1) {
        shrunk.add((long) i);
        ends[i] = begins[i] == -1 ? Long.MAX_VALUE : begins[i] + 1;
      }
    }
    String part =
        onnx.node(
            "Slice",
            shrunk.isEmpty() ? out : null,
            List.of(
                in.get(0),
                onnx.longs(begins),
                onnx.longs(ends),
                onnx.longs(axes),
                onnx.longs(strides)));
    if (!shrunk.isEmpty()) {
      long[] removed = shrunk.stream().mapToLong(Long::longValue).toArray();
      onnx.node("Squeeze", out, List.of(part, onnx.longs(removed)));
    }
  }

  private void cumsum(SameDiffOp op, List<String> in, String out) {
    long[] arguments = arguments(op);
    if (arguments.length != 3) {
      throw unsupported(op, "other than one axis");
    }
    onnx.node(
        "CumSum",
        out,
        List.of(in.get(0), onnx.scalar(arguments[2])),
        attribute("exclusive", arguments[0]),
        attribute("reverse", arguments[1]));
  }

  /** An op's arguments of whole numbers; if it has none, the usual ones. */
  private static long[] arguments(SameDiffOp op, long... usual) {
    long[] arguments = ((DynamicCustomOp) op.getOp()).iArgs();
    return arguments.length == 0 ? usual : arguments;
  }

  /** The constant that is one of an op's inputs. */
  private long[] longs(SameDiffOp op, int input) {
    INDArray array = sd.getVariable(inputs(op).get(input)).getArr();
    if (array == null) {
      throw unsupported(op, "computed arguments");
    }
    return array.dup('c').data().asLong();
  }

  private static BadSettingsException unsupported(SameDiffOp op, String with) {
    return new BadSettingsException(
        "The op %s%s (%s) has no translation to ONNX; this model cannot be exported so.",
        op.getOp().opName(), with == null ? "" : " with " + with, op.getName());
  }
}
