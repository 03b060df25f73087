package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.ReduceOp;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
import org.tokentune.ops.ShapeOnlyArray;
import org.tokentune.ops.internal.FusedOp;
import org.tokentune.ops.internal.OpTraits;

/**
 * Infers shapes and types of all values from the placeholders' shapes, and the values themselves if
 * they depend on nothing else (sizes, ranges and values derived from them).
 */
final class Shapes {

  /** A value's shape and type; {@code known} is the value itself, or null. */
  record Info(long[] shape, DataType type, INDArray known) {

    long elements() {
      long elements = 1;
      for (long size : shape) {
        elements *= size;
      }
      return elements;
    }

    long bytes() {
      return elements() * type.width();
    }
  }

  private final OpSchedule schedule;
  private final SameDiff sd;
  private final Map<String, Info> infos = new HashMap<>();
  private final Map<List<Object>, INDArray> shapeOnly = new HashMap<>();
  private final Map<String, Long> memory = new HashMap<>();
  private final List<Node> remaining = new ArrayList<>();

  private Shapes(OpSchedule schedule) {
    this.schedule = schedule;
    sd = schedule.sd();
    for (SDVariable variable : sd.variables()) {
      VariableType type = variable.getVariableType();
      if (type == VariableType.CONSTANT || type == VariableType.VARIABLE) {
        INDArray array = schedule.array(variable.name());
        memory.put(variable.name(), array.isEmpty() ? 0 : address(array));
      }
    }
  }

  /** Address of the first element; a view's buffer is its parent's. */
  private static long address(INDArray array) {
    return array.data().address() + array.offset() * array.dataType().width();
  }

  /** Infers the shapes of a schedule's values. */
  static Shapes of(OpSchedule schedule, Map<String, long[]> placeholders) {
    Shapes shapes = new Shapes(schedule);
    placeholders.forEach(
        (name, shape) -> {
          if (schedule.sd().hasVariable(name)) {
            DataType type = schedule.sd().getVariable(name).dataType();
            shapes.infos.put(name, new Info(shape, type, null));
          }
        });
    for (Node node : schedule.nodes()) {
      shapes.add(node);
    }
    return shapes;
  }

  /** Ops that must run, in order: those whose results are not known in advance. */
  List<Node> remaining() {
    return remaining;
  }

  /** How many ops depend on shapes only, in one line. */
  String report() {
    return "fold constants: "
        + (schedule.nodes().size() - remaining.size())
        + " ops depend on shapes only";
  }

  /** Shape and type of any value, including constants and variables. */
  Info of(String name) {
    Info info = infos.get(name);
    if (info == null) {
      info = source(name);
      infos.put(name, info);
    }
    return info;
  }

  /** Whether a value is a constant or a variable, whose array the graph holds. */
  boolean held(String name) {
    return memory.containsKey(name);
  }

  /** Whether a value is a constant. */
  boolean constant(String name) {
    return held(name) && sd.getVariable(name).getVariableType() == VariableType.CONSTANT;
  }

  /** Address of a constant or variable; names that share memory have the same address. */
  long memory(String name) {
    return memory.get(name);
  }

  /** Strides of a value's own memory: c order, unless the graph's array differs. */
  long[] strides(String name) {
    long[] dense = AliasAnalysis.denseStrides(of(name).shape());
    if (!held(name)) {
      return dense;
    }
    INDArray array = schedule.array(name);
    return ShapeOnlyArray.is(array) ? dense : array.stride();
  }

  /** Adds a value for a pass. */
  void put(String name, long[] shape, DataType type) {
    infos.put(name, new Info(shape, type, null));
  }

  /** Adds a known value for a pass. */
  void putKnown(String name, INDArray value) {
    infos.put(name, new Info(value.shape(), value.dataType(), value));
  }

  /** Adds a value with the shape and type of another. */
  void alias(String name, String other) {
    infos.put(name, of(other));
  }

  private Info source(String name) {
    SDVariable variable = sd.getVariable(name);
    if (!held(name)) {
      throw BadSettingsException.of("inputs", "must hold %s, which the graph reads.", name);
    }
    INDArray array = schedule.array(name);
    // Byte constants are quantised weights, which are dequantised only where they are used.
    boolean bytes = array.dataType() == DataType.UINT8;
    boolean number = array.length() == 1 || !(array.dataType().isFPType() || bytes);
    boolean constant = variable.getVariableType() == VariableType.CONSTANT;
    return new Info(array.shape(), array.dataType(), constant && number ? array : null);
  }

  private void add(Node node) {
    List<Info> inputs = node.inputs().stream().map(this::of).toList();
    List<Info> outputs = infer(node, inputs);
    boolean number = !outputs.get(0).type().isFPType();
    boolean known =
        !(node.op() instanceof FusedOp)
            && ((OpTraits.readsShapesOnly(node.op()) && number)
                || inputs.stream().allMatch(info -> info.known() != null));
    if (known) {
      INDArray[] in = inputs.stream().map(this::array).toArray(INDArray[]::new);
      INDArray[] out =
          outputs.stream()
              .map(info -> Nd4j.create(info.type(), info.shape()))
              .toArray(INDArray[]::new);
      try (Step step = Step.of(node, in, out)) {
        step.run();
      }
      for (int i = 0; i < out.length; i++) {
        Info info = outputs.get(i);
        infos.put(node.outputs().get(i), new Info(info.shape(), info.type(), out[i]));
      }
    } else {
      for (int i = 0; i < outputs.size(); i++) {
        infos.put(node.outputs().get(i), outputs.get(i));
      }
      remaining.add(node);
    }
  }

  private List<Info> infer(Node node, List<Info> inputs) {
    if (node.op() instanceof FusedOp fused) {
      List<long[]> shapes = fused.outputShapes(inputs.stream().map(Info::shape).toList());
      List<DataType> types =
          fused.calculateOutputDataTypes(inputs.stream().map(Info::type).toList());
      List<Info> outputs = new ArrayList<>();
      for (int i = 0; i < shapes.size(); i++) {
        outputs.add(new Info(shapes.get(i), types.get(i), null));
      }
      return outputs;
    }
    List<LongShapeDescriptor> shapes;
    OpContext context = Nd4j.getExecutioner().buildContext();
    try {
      context.setInputArrays(inputs.stream().map(this::array).toArray(INDArray[]::new));
      if (node.op() instanceof CustomOp custom) {
        setArguments(context, custom);
        shapes = ((DynamicCustomOp) custom).calculateOutputShape(context);
      } else {
        if (node.op() instanceof ReduceOp && inputs.size() == 2) {
          node.op().setDimensions(inputs.get(1).known().toIntVector());
        }
        shapes = ((BaseOp) node.op()).calculateOutputShape(context);
      }
    } finally {
      Step.close(context);
    }
    List<Info> outputs = new ArrayList<>();
    for (int i = 0; i < node.outputs().size(); i++) {
      DataType type = sd.getVariable(node.outputs().get(i)).dataType();
      outputs.add(new Info(shapes.get(i).getShape(), type, null));
    }
    return outputs;
  }

  @SuppressWarnings("unchecked") // the scope's constructor takes an array of a generic type
  static void setArguments(OpContext context, CustomOp op) {
    // The context copies the arguments, so their temporary container is freed immediately.
    PointerScope scope = new PointerScope();
    try {
      context.setIArguments(op.iArgs());
      context.setTArguments(op.tArgs());
      context.setBArguments(op.bArgs());
      context.setDArguments(op.dArgs());
    } finally {
      scope.close();
    }
  }

  /** The known value, or a shape-only array. */
  private INDArray array(Info info) {
    if (info.known() != null) {
      return info.known();
    }
    List<Object> key = List.of(info.type(), Arrays.toString(info.shape()));
    return shapeOnly.computeIfAbsent(key, unused -> ShapeOnlyArray.of(info.type(), info.shape()));
  }
}
