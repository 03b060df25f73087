package org.tokentune.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.same.Sum;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.ops.internal.FusedOp;

/**
 * Builds a graph in both kernel modes and compares the value and all gradients: the native graph in
 * double precision, run by stock SameDiff, and the fused graph run by a small interpreter on views
 * at odd offsets, once in place and once not.
 */
final class FusedCheck {

  interface Builder {
    SDVariable build(SameDiff sd, Map<String, SDVariable> inputs, KernelMode kernelMode);
  }

  private final String name;
  private final Map<String, INDArray> variables = new LinkedHashMap<>();
  private final Map<String, INDArray> constants = new LinkedHashMap<>();
  private double tolerance = 2e-6;
  private long[] outputShape;

  FusedCheck(String name) {
    this.name = name;
  }

  /** Adds a variable of normal FLOAT numbers. */
  FusedCheck variable(String key, long... shape) {
    return variable(key, normal(key.hashCode(), shape));
  }

  FusedCheck variable(String key, INDArray value) {
    variables.put(key, value);
    return this;
  }

  FusedCheck constant(String key, INDArray value) {
    constants.put(key, value);
    return this;
  }

  FusedCheck tolerance(double relative) {
    tolerance = relative;
    return this;
  }

  /** Sets the output shape when the native form cannot be used. */
  FusedCheck outputShape(long... shape) {
    outputShape = shape;
    return this;
  }

  static INDArray normal(long seed, long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    Random random = new Random(seed);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Nd4j.createFromArray(values).reshape(shape);
  }

  /** Value and gradients of the fused graph (by "output" and the variables' names). */
  Map<String, INDArray> run(Builder builder) {
    SameDiff reference = SameDiff.create();
    build(reference, builder, KernelMode.NATIVE, DataType.DOUBLE);
    Map<String, INDArray> expected =
        new HashMap<>(
            reference.calculateGradients(Map.of(), variables.keySet().toArray(new String[0])));
    expected.put("output", reference.outputSingle(Map.of(), "output"));

    Map<String, INDArray> results = fused(builder);
    double worst = 0;
    for (String key : expected.keySet()) {
      INDArray value = results.get(key);
      INDArray wanted = expected.get(key);
      assertArrayEquals(wanted.shape(), value.shape(), name + ": shape of " + key);
      double scale = Math.max(1e-30, wanted.amaxNumber().doubleValue());
      double error = wanted.sub(value.castTo(DataType.DOUBLE)).amaxNumber().doubleValue() / scale;
      assertTrue(error <= tolerance, name + ": error of " + key + " " + error);
      worst = Math.max(worst, error);
    }
    System.out.printf("%-50s largest relative error %.1e%n", name, worst);
    return results;
  }

  /** As {@link #run}, without a native graph to compare with. */
  Map<String, INDArray> fused(Builder builder) {
    SameDiff fused = SameDiff.create();
    build(fused, builder, KernelMode.FUSED, DataType.FLOAT);
    fused.createGradFunction();
    SameDiff grad = fused.getFunction("grad");
    Map<String, INDArray> results = interpret(grad, false);
    interpret(grad, true)
        .forEach(
            (key, value) -> assertSameBits(results.get(key), value, name + " in place: " + key));
    return results;
  }

  private void build(SameDiff sd, Builder builder, KernelMode kernelMode, DataType type) {
    Map<String, SDVariable> inputs = new HashMap<>();
    variables.forEach((key, value) -> inputs.put(key, sd.var(key, value.castTo(type))));
    constants.forEach(
        (key, value) -> {
          DataType own = value.dataType().isFPType() ? type : value.dataType();
          inputs.put(key, sd.constant(key, value.castTo(own)));
        });
    SDVariable output = builder.build(sd, inputs, kernelMode).rename("output");
    long[] shape = outputShape == null ? outputShape(inputs, builder) : outputShape;
    SDVariable weights = sd.constant("check_weights", normal(99, shape).castTo(type));
    output.mul(weights).sum().rename("loss");
    sd.setLossVariables("loss");
  }

  /** Determines the output shape with the native form. */
  private static long[] outputShape(Map<String, SDVariable> inputs, Builder builder) {
    SameDiff sd = SameDiff.create();
    Map<String, SDVariable> copies = new HashMap<>();
    inputs.forEach((key, value) -> copies.put(key, sd.constant(key, value.getArr())));
    return builder.build(sd, copies, KernelMode.NATIVE).eval().shape();
  }

  private Map<String, INDArray> interpret(SameDiff grad, boolean inPlace) {
    Map<String, String> wanted = new HashMap<>(Map.of("output", "output"));
    for (String key : variables.keySet()) {
      wanted.put(key, grad.getVariable(key).gradient().name());
    }
    List<SameDiffOp> ops = needed(grad, new HashSet<>(wanted.values()));
    Map<String, INDArray> arrays = new HashMap<>();
    List<INDArray> buffers = new ArrayList<>();
    for (SDVariable v : grad.variables()) {
      if (v.getVariableType() == VariableType.VARIABLE
          || v.getVariableType() == VariableType.CONSTANT) {
        arrays.put(v.name(), v.getArr());
      }
    }
    for (SameDiffOp op : ops) {
      List<INDArray> in = op.getInputsToOp().stream().map(arrays::get).toList();
      List<String> names = op.getOutputsOfOp();
      if (op.getOp() instanceof FusedOp fused) {
        in = in.stream().map(array -> odd(array, buffers)).toList();
        List<long[]> shapes = fused.outputShapes(in.stream().map(INDArray::shape).toList());
        assertEquals(names.size(), shapes.size(), "outputs of " + fused.opName());
        List<INDArray> out = new ArrayList<>();
        for (int i = 0; i < shapes.size(); i++) {
          int taken = fused.inPlaceOf(i);
          boolean takes = inPlace && taken >= 0;
          if (takes) {
            assertArrayEquals(in.get(taken).shape(), shapes.get(i), fused.opName());
          }
          // The arrays in `in` are copies that nothing else reads.
          out.add(takes ? in.get(taken) : odd(Nd4j.create(DataType.FLOAT, shapes.get(i)), buffers));
        }
        fused.run(in, out);
        for (int i = 0; i < names.size(); i++) {
          arrays.put(names.get(i), out.get(i).dup('c'));
        }
      } else if (op.getOp() instanceof Sum) {
        arrays.put(names.get(0), in.get(0).sum());
      } else {
        DynamicCustomOp stock = (DynamicCustomOp) op.getOp();
        stock.setInputArguments(in.toArray(new INDArray[0]));
        stock.outputArguments().clear();
        INDArray[] out = Nd4j.exec(stock);
        for (int i = 0; i < names.size(); i++) {
          arrays.put(names.get(i), out[i].dup('c'));
        }
        stock.clearArrays();
      }
    }
    for (INDArray buffer : buffers) { // nothing was written outside the views
      assertTrue(buffer.getFloat(0) == 77 && buffer.getFloat(2) == 77);
      assertEquals(77, buffer.getFloat(buffer.length() - 1), name);
    }
    Map<String, INDArray> results = new HashMap<>();
    wanted.forEach((key, value) -> results.put(key, arrays.get(value)));
    return results;
  }

  /** The ops that the requested variables depend on, in order. */
  private static List<SameDiffOp> needed(SameDiff sd, Set<String> wanted) {
    List<SameDiffOp> ops = new ArrayList<>(sd.getOps().values());
    List<SameDiffOp> needed = new ArrayList<>();
    for (int i = ops.size() - 1; i >= 0; i--) {
      SameDiffOp op = ops.get(i);
      if (op.getOutputsOfOp().stream().anyMatch(wanted::contains)) {
        wanted.addAll(op.getInputsToOp());
        needed.add(0, op);
      }
    }
    return needed;
  }

  /** A copy as a view three elements into a larger buffer filled with 77. */
  private static INDArray odd(INDArray array, List<INDArray> buffers) {
    INDArray buffer = Nd4j.valueArrayOf(new long[] {array.length() + 7}, 77, array.dataType());
    buffers.add(buffer);
    INDArray view = buffer.get(NDArrayIndex.interval(3, 3 + array.length()));
    view = array.rank() == 0 ? scalarView(view) : view.reshape('c', array.shape());
    view.assign(array);
    assertEquals(buffer.getDouble(3), array.getDouble(0), "not a view");
    return view;
  }

  private static INDArray scalarView(INDArray one) {
    return Nd4j.create(one.data(), new long[0], new long[0], one.offset(), 'c');
  }
}
