package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.Quiet;
import org.tokentune.ops.BiasAdd;
import org.tokentune.ops.Detach;
import org.tokentune.ops.GatedLinearUnit;
import org.tokentune.ops.Gelu;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.LayerNormOps;
import org.tokentune.ops.MaskedSoftmax;
import org.tokentune.ops.RmsNormOps;
import org.tokentune.ops.SoftCap;
import org.tokentune.ops.TokenGather;

/**
 * A small random graph with a scalar loss. A seed gives the same graph in both kernel modes, so
 * that one can run on a plan and the other on stock SameDiff.
 *
 * <p>Placeholders have a batch dimension. In a {@link Value}'s shape, a negative size means that
 * many times the batch size.
 */
final class RandomGraph {

  static final String LOSS = "loss";
  private static final int OPS = 14;
  private static final int LARGEST = 400; // elements of a value, for a batch of 1

  private record Value(SDVariable variable, int... shape) {

    int rank() {
      return shape.length;
    }

    int last() {
      return shape[rank() - 1];
    }

    /** Number of elements for a batch of 1. */
    int elements() {
      return Math.abs(product(shape));
    }

    boolean batched() {
      return Arrays.stream(shape).anyMatch(size -> size < 0);
    }
  }

  private final SameDiff sd = SameDiff.create();
  private final Random random;
  private final KernelMode kernelMode;
  private final List<Value> values = new ArrayList<>();
  private final List<Value> variables = new ArrayList<>();
  private final Map<String, int[]> placeholders = new HashMap<>();
  private final List<String> outputs = new ArrayList<>();
  private final List<String> trained = new ArrayList<>();

  RandomGraph(long seed, KernelMode kernelMode) {
    random = new Random(seed);
    this.kernelMode = kernelMode;
    for (int i = 0; i <= random.nextInt(2); i++) {
      int[] shape = {-1, 1 + random.nextInt(4), 2 + random.nextInt(5)};
      shape = random.nextBoolean() ? shape : new int[] {-1, shape[2]};
      String name = "x" + i;
      values.add(new Value(sd.placeHolder(name, DataType.FLOAT, declared(shape)), shape));
      placeholders.put(name, shape);
    }
    values.add(variable(2 + random.nextInt(4), 2 + random.nextInt(4)));
    while (values.size() < OPS) {
      Value value = op();
      if (value != null && value.elements() > 1 && value.elements() <= LARGEST) {
        values.add(value);
      }
    }
    loss();
    Quiet.run(sd::createGradFunction);
    for (Value variable : variables) {
      if (variable.variable().getGradient() != null) {
        trained.add(variable.variable().name());
      }
    }
  }

  SameDiff sd() {
    return sd;
  }

  /** Values to return, including the loss. */
  List<String> outputs() {
    return outputs;
  }

  /** Variables that the loss's gradient reaches. */
  List<String> trained() {
    return trained;
  }

  INDArray array(String variable) {
    return sd.getVariable(variable).getArr();
  }

  /** All ops, including those of the gradient. */
  List<DifferentialFunction> ops() {
    return Arrays.asList(sd.getFunction("grad").ops());
  }

  /** Values of the placeholders. */
  Map<String, INDArray> inputs(int batch, long seed) {
    Random numbers = new Random(seed);
    Map<String, INDArray> inputs = new HashMap<>();
    placeholders.forEach(
        (name, shape) ->
            inputs.put(
                name,
                array(
                    numbers,
                    1,
                    Arrays.stream(shape).map(size -> size < 0 ? -size * batch : size).toArray())));
    return inputs;
  }

  /** A loss over all values that nothing reads, each with its own weight, and a variable. */
  private void loss() {
    SDVariable sum = null;
    for (Value value : values) {
      SDVariable v = value.variable();
      List<String> readers = sd.getVariables().get(v.name()).getInputsForOp();
      if (readers != null && !readers.isEmpty() && !value.equals(variables.get(0))) {
        continue;
      }
      SDVariable part = sd.math().square(sd.math().tanh(v)).mul(1 + random.nextInt(3)).mean();
      sum = sum == null ? part : sum.add(part);
      output(v);
    }
    output(values.get(values.size() / 2).variable());
    sum.rename(LOSS);
    sd.setLossVariables(LOSS);
    outputs.add(LOSS);
  }

  /** Adds an output under a name that is the same in both kernel modes. */
  private void output(SDVariable value) {
    if (value.getVariableType() == VariableType.ARRAY && !outputs.contains(value.name())) {
      outputs.add(value.rename("output." + outputs.size()).name());
    }
  }

  private Value op() {
    Value x = any();
    return switch (random.nextInt(27)) {
      case 0, 1, 2 -> product(x);
      case 3 -> selfProduct(x);
      case 4, 5 -> pairwise(x, alike(x));
      case 6 -> pairwise(x, broadcast(x));
      case 7 -> scalar(x);
      case 8, 9 -> elementwise(x);
      case 10, 11 -> reshape(x);
      case 12, 13 -> permute(x);
      case 14 -> concat(x);
      case 15, 16 -> slice(x);
      case 17 -> reduce(x);
      case 18 -> softmax(x);
      case 19 -> normalise(x);
      case 20 -> gelu(x);
      case 21 -> gate(x);
      case 22 -> attention(x);
      case 23 -> gather(x);
      case 24 -> mask(x);
      case 25 -> withTranspose(x);
      default -> unit(x);
    };
  }

  private Value any() {
    return values.get(random.nextInt(values.size()));
  }

  /** A value of the same shape: an existing one, or a new variable or constant. */
  private Value alike(Value x) {
    List<Value> same =
        Stream.concat(Stream.of(x), values.stream())
            .filter(value -> Arrays.equals(value.shape(), x.shape()))
            .toList();
    boolean old = x.batched() || random.nextInt(3) > 0;
    return old ? same.get(random.nextInt(same.size())) : parameter(x.shape());
  }

  /** A new variable, one that is already read, or a constant. */
  private Value parameter(int... shape) {
    List<Value> same =
        variables.stream().filter(value -> Arrays.equals(value.shape(), shape)).toList();
    if (random.nextInt(3) == 0) {
      char order = random.nextBoolean() ? 'c' : 'f';
      return offered(new Value(sd.constant(array(random, 0.5, shape).dup(order)), shape));
    }
    Value variable =
        same.isEmpty() || random.nextBoolean()
            ? offered(variable(shape))
            : same.get(random.nextInt(same.size()));
    // Or a constant that shares a variable's memory, as in the frozen stream.
    return random.nextInt(3) > 0
        ? variable
        : new Value(sd.constant(variable.variable().getArr()), shape);
  }

  /** Offers a value to other ops as well. */
  private Value offered(Value value) {
    if (value.elements() > 1 && random.nextBoolean()) {
      values.add(value);
    }
    return value;
  }

  private Value variable(int... shape) {
    SDVariable variable = sd.var("v" + variables.size(), array(random, 0.5, shape));
    Value value = new Value(variable, shape);
    variables.add(value);
    return value;
  }

  /** A matmul with a value or a parameter, in every transposition. */
  private Value product(Value x) {
    if (x.rank() < 2) {
      return null;
    }
    boolean tx = random.nextBoolean();
    boolean ty = random.nextBoolean();
    int inner = x.shape()[x.rank() - (tx ? 2 : 1)];
    int outer = x.shape()[x.rank() - (tx ? 1 : 2)];
    List<Value> fitting =
        values.stream()
            .filter(y -> y.rank() == x.rank() && y.shape()[y.rank() - (ty ? 1 : 2)] == inner)
            .filter(y -> Arrays.equals(leading(y), leading(x)))
            .toList();
    Value y;
    if (!fitting.isEmpty() && random.nextInt(3) > 0) {
      y = fitting.get(random.nextInt(fitting.size()));
    } else if (inner < 0 || Arrays.stream(leading(x)).anyMatch(size -> size < 0)) {
      return null;
    } else {
      int[] shape = x.shape().clone();
      shape[x.rank() - (ty ? 1 : 2)] = inner;
      shape[x.rank() - (ty ? 2 : 1)] = 1 + random.nextInt(5);
      y = parameter(shape);
    }
    int columns = y.shape()[y.rank() - (ty ? 2 : 1)];
    if (outer < 0 && columns < 0) {
      return null;
    }
    int[] shape = x.shape().clone();
    shape[x.rank() - 2] = outer;
    shape[x.rank() - 1] = columns;
    return new Value(
        sd.mmul(x.variable(), y.variable(), tx, ty, false).mul(inner < 0 ? 0.1 : 0.7), shape);
  }

  private Value selfProduct(Value x) {
    if (x.rank() < 2 || x.shape()[x.rank() - 2] < 0) {
      return null;
    }
    int[] shape = x.shape().clone();
    shape[x.rank() - 1] = shape[x.rank() - 2];
    return new Value(sd.mmul(x.variable(), x.variable(), false, true, false).mul(0.5), shape);
  }

  private static int[] leading(Value value) {
    return Arrays.copyOf(value.shape(), value.rank() - 2);
  }

  private Value pairwise(Value x, Value y) {
    SDVariable a = x.variable();
    SDVariable b = y.variable();
    int[] shape = x.shape();
    boolean one = y.elements() == 1; // division by one element: stock SameDiff's gradient is wrong
    return switch (random.nextInt(one ? 5 : 6)) {
      case 0 -> new Value(a.add(b), shape);
      case 1 -> new Value(b.add(a), shape);
      case 2 -> new Value(a.sub(b), shape);
      case 3 -> new Value(b.sub(a), shape);
      case 4 -> new Value(sd.math().tanh(a).mul(b), shape);
      default -> new Value(a.div(sd.math().square(b).add(1)), shape);
    };
  }

  /** A parameter that broadcasts to x: fewer dimensions, or ones among them. */
  private Value broadcast(Value x) {
    int[] shape = x.shape().clone();
    for (int i = 0; i < shape.length; i++) {
      shape[i] = shape[i] < 0 || random.nextInt(3) == 0 ? 1 : shape[i];
    }
    int from = random.nextInt(shape.length + 1);
    return parameter(Arrays.copyOfRange(shape, Math.min(from, shape.length - 1), shape.length));
  }

  private Value scalar(Value x) {
    SDVariable v = x.variable();
    double number = 0.5 + random.nextDouble();
    return new Value(
        switch (random.nextInt(5)) {
          case 0 -> v.add(number);
          case 1 -> v.mul(number);
          case 2 -> v.rsub(number);
          case 3 -> sd.math().neg(v);
          default -> v.div(number);
        },
        x.shape());
  }

  private Value elementwise(Value x) {
    SDVariable v = x.variable();
    return new Value(
        switch (random.nextInt(8)) {
          case 0 -> sd.math().tanh(v);
          case 1 -> sd.nn().relu(v, 0);
          case 2 -> sd.nn().sigmoid(v);
          case 3 -> sd.math().square(sd.math().tanh(v));
          case 4 -> sd.math().exp(sd.math().tanh(v));
          case 5 -> sd.math().sqrt(sd.math().square(v).add(1));
          case 6 -> sd.nn().softplus(v);
          default -> detached(v, x.shape()).add(v.mul(0.5));
        },
        x.shape());
  }

  private SDVariable detached(SDVariable v, int... shape) {
    // Stock SameDiff's bitcast always reads a constant in c order.
    boolean constant = v.getVariableType() == VariableType.CONSTANT;
    return Detach.apply(constant ? sd.reshape(v, declared(shape)) : v);
  }

  /** Splits, merges, adds or drops a dimension. */
  private Value reshape(Value x) {
    List<Integer> shape = new ArrayList<>(Arrays.stream(x.shape()).boxed().toList());
    int axis = random.nextInt(x.rank());
    switch (random.nextInt(4)) {
      case 0 -> {
        if (axis == 0 || (shape.get(axis) < 0 && shape.get(axis - 1) < 0)) {
          return null;
        }
        shape.set(axis - 1, shape.get(axis - 1) * shape.remove(axis));
      }
      case 1 -> {
        int size = shape.get(axis);
        int part = size % 3 == 0 ? 3 : 2;
        if (size % part != 0 || x.rank() > 3) {
          return null;
        }
        shape.set(axis, size / part);
        shape.add(axis + 1, part);
      }
      case 2 -> {
        if (x.rank() > 3) {
          return null;
        }
        shape.add(axis, 1);
        return new Value(sd.expandDims(x.variable(), axis), ints(shape));
      }
      default -> {
        if (x.rank() < 2 || shape.get(axis) != 1) {
          return null;
        }
        shape.remove(axis);
        return new Value(sd.squeeze(x.variable(), axis), ints(shape));
      }
    }
    return shaped(x.variable(), ints(shape));
  }

  private Value shaped(SDVariable v, int... shape) {
    if (Arrays.stream(shape).filter(size -> size < 0).count() > 1) {
      return null;
    }
    return new Value(sd.reshape(v, declared(shape)), shape);
  }

  private Value permute(Value x) {
    if (x.rank() < 2) {
      return null;
    }
    List<Integer> order = new ArrayList<>(IntStream.range(0, x.rank()).boxed().toList());
    Collections.shuffle(order, random);
    return new Value(
        x.variable().permute(ints(order)), order.stream().mapToInt(i -> x.shape()[i]).toArray());
  }

  /** A square matrix with its own transpose, which is the same memory read in another order. */
  private Value withTranspose(Value x) {
    if (x.rank() != 2 || x.last() < 0 || x.shape()[0] < 0) {
      return null;
    }
    SDVariable factor = parameter(x.last(), x.shape()[0]).variable();
    SDVariable square = sd.math().tanh(x.variable().mmul(factor));
    return new Value(square.permute(1, 0).add(square), x.shape()[0], x.shape()[0]);
  }

  private Value concat(Value x) {
    int axis = random.nextInt(x.rank());
    List<Value> fitting = values.stream().filter(y -> joins(x, y, axis)).toList();
    Value y = fitting.get(random.nextInt(fitting.size()));
    int[] shape = x.shape().clone();
    shape[axis] += y.shape()[axis];
    return new Value(sd.concat(axis, x.variable(), y.variable()), shape);
  }

  private static boolean joins(Value x, Value y, int axis) {
    return x.rank() == y.rank()
        && IntStream.range(0, x.rank())
            .allMatch(
                i ->
                    i == axis
                        ? (x.shape()[i] < 0) == (y.shape()[i] < 0)
                        : x.shape()[i] == y.shape()[i]);
  }

  private Value slice(Value x) {
    int axis = random.nextInt(x.rank());
    int size = x.shape()[axis];
    if (size < 2) {
      return null;
    }
    int from = random.nextInt(size);
    int to = from + 1 + random.nextInt(size - Math.max(1, from)); // never the whole range
    int[] shape = x.shape().clone();
    shape[axis] = to - from;
    boolean row = x.rank() == 2 && x.shape()[0] == 1; // stock SameDiff's gradient of a column fails
    if (row || random.nextBoolean()) {
      int[] begin = new int[x.rank()];
      int[] sizes = new int[x.rank()];
      Arrays.fill(sizes, -1);
      begin[axis] = from;
      sizes[axis] = to - from;
      return new Value(sd.slice(x.variable(), begin, sizes), shape);
    }
    SDIndex[] indices = new SDIndex[x.rank()];
    Arrays.fill(indices, SDIndex.all());
    indices[axis] = SDIndex.interval(from, to);
    return new Value(x.variable().get(indices), shape);
  }

  private Value reduce(Value x) {
    if (x.rank() < 2) {
      return null;
    }
    int axis = random.nextInt(x.rank());
    if (x.shape()[axis] == 1) {
      return null; // stock SameDiff fails if there is nothing to sum
    }
    boolean keep = random.nextBoolean();
    List<Integer> shape = new ArrayList<>(Arrays.stream(x.shape()).boxed().toList());
    if (keep) {
      shape.set(axis, 1);
    } else {
      shape.remove(axis);
    }
    SDVariable v = x.variable();
    return new Value(
        switch (random.nextInt(3)) {
          case 0 -> v.sum(keep, axis).mul(0.3);
          case 1 -> v.mean(keep, axis);
          default -> v.max(keep, axis);
        },
        ints(shape));
  }

  private Value softmax(Value x) {
    return new Value(sd.nn().softmax(x.variable(), random.nextInt(x.rank())), x.shape());
  }

  /** A matrix of rows: all dimensions except the last are merged. */
  private Value rows(Value x) {
    if (x.rank() == 2) {
      return x;
    }
    int rows = product(Arrays.copyOf(x.shape(), x.rank() - 1));
    return x.last() < 0 ? null : shaped(x.variable(), rows, x.last());
  }

  private Value normalise(Value x) {
    Value rows = rows(x);
    if (rows == null || rows.last() < 3) {
      return null;
    }
    SDVariable gain = parameter(rows.last()).variable();
    SDVariable bias = parameter(rows.last()).variable();
    Value other = alike(rows);
    SDVariable residual = random.nextBoolean() ? null : other.variable();
    return new Value(
        random.nextBoolean()
            ? LayerNormOps.apply(rows.variable(), residual, gain, bias, 0.1, kernelMode)
            : RmsNormOps.apply(rows.variable(), residual, gain, 0.1, kernelMode),
        rows.shape());
  }

  private Value gelu(Value x) {
    Value rows = rows(x);
    if (rows == null || rows.last() < 0) {
      return null;
    }
    SDVariable bias = parameter(rows.last()).variable();
    SDVariable sum = BiasAdd.apply(rows.variable(), bias, kernelMode);
    return new Value(
        random.nextBoolean() ? Gelu.exact(sum, kernelMode) : Gelu.tanh(sum, kernelMode),
        rows.shape());
  }

  private Value gate(Value x) {
    Value rows = rows(x);
    if (rows == null) {
      return null;
    }
    SDVariable up = alike(rows).variable();
    SDVariable gated =
        random.nextBoolean()
            ? GatedLinearUnit.swiGlu(rows.variable(), up, kernelMode)
            : GatedLinearUnit.geGluTanh(
                SoftCap.apply(rows.variable(), 0.9, 2, kernelMode), up, kernelMode);
    return new Value(gated.mul(0.7), rows.shape());
  }

  /** Softmax of scores [batch, heads, queries, keys] with a bias that has no gradient. */
  private Value attention(Value x) {
    if (x.rank() != 4 || Arrays.stream(x.shape(), 1, 4).anyMatch(size -> size < 0)) {
      return null;
    }
    INDArray bias = array(random, 1, 1, 1, 1, x.last());
    SDVariable zeros = sd.math().sign(x.variable().sum(true, 1, 2, 3)).mul(0);
    SDVariable perBatch = Detach.apply(zeros.add(sd.constant(bias)));
    return new Value(MaskedSoftmax.apply(x.variable(), 0.8, perBatch, kernelMode), x.shape());
  }

  private Value gather(Value x) {
    if (x.rank() < 2 || x.shape()[0] < 0) {
      return null;
    }
    int[] ids = random.ints(1 + random.nextInt(6), 0, x.shape()[0]).toArray();
    int[] shape = x.shape().clone();
    shape[0] = ids.length;
    SDVariable rows = sd.constant(Nd4j.createFromArray(ids));
    return new Value(TokenGather.rows(x.variable(), rows, kernelMode), shape);
  }

  /** A mask computed via booleans, or via integers. */
  private Value mask(Value x) {
    SDVariable positive = sd.gt(x.variable(), 0.1);
    SDVariable mask =
        random.nextBoolean()
            ? positive.castTo(DataType.FLOAT)
            : positive.castTo(DataType.INT32).add(1).castTo(DataType.FLOAT);
    return new Value(x.variable().mul(mask), x.shape());
  }

  private Value unit(Value x) {
    return new Value(sd.identity(x.variable()), x.shape());
  }

  private static long[] declared(int... shape) {
    return Arrays.stream(shape).mapToLong(size -> Math.max(-1, size)).toArray();
  }

  private static int product(int... sizes) {
    return Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
  }

  private static int[] ints(List<Integer> list) {
    return list.stream().mapToInt(i -> i).toArray();
  }

  private static INDArray array(Random numbers, double scale, int... shape) {
    float[] data = new float[product(shape)];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) (scale * numbers.nextGaussian());
    }
    return Nd4j.create(data, Arrays.stream(shape).asLongStream().toArray(), 'c');
  }
}
