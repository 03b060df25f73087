package org.tokentune.onnx;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseReduceOp;
import org.nd4j.linalg.api.ops.ScalarOp;

/**
 * Finds layer normalisation, which {@link org.tokentune.ops.LayerNormOps} composes of eight ops, in
 * a graph: ONNX has one operator for it, which onnxruntime runs in one pass.
 */
final class LayerNorms {

  /**
   * A layer normalisation of rows [n, width].
   *
   * @param bias null for none
   * @param output its result
   */
  record Norm(String x, String gain, String bias, double epsilon, String output) {}

  private final SameDiff sd;
  private final Set<String> results;
  private final Map<String, SameDiffOp> producers = new HashMap<>();

  /** Who reads a variable; ops are named by their results. */
  private final Map<String, Set<String>> readers = new HashMap<>();

  private final Map<String, Norm> found = new HashMap<>();
  private final Set<String> replaced = new HashSet<>();

  /**
   * @param ops of the graph that are needed
   * @param results that must stay
   */
  LayerNorms(SameDiff sd, List<SameDiffOp> ops, Set<String> results) {
    this.sd = sd;
    this.results = results;
    for (SameDiffOp op : ops) {
      op.getOutputsOfOp().forEach(output -> producers.put(output, op));
      for (String input : GraphTranslation.inputs(op)) {
        readers.computeIfAbsent(input, key -> new HashSet<>()).add(output(op));
      }
    }
    ops.forEach(this::find);
  }

  /** The layer normalisation whose result is an op's; null if there is none. */
  Norm at(SameDiffOp op) {
    return found.get(output(op));
  }

  /** Whether an op is a part of a layer normalisation, and not its result. */
  boolean isReplaced(SameDiffOp op) {
    return replaced.contains(output(op));
  }

  /** Begins at the inverse deviation. */
  private void find(SameDiffOp inverse) {
    if (!is(inverse, "rsqrt")) {
      return;
    }
    SameDiffOp shifted = producer(inverse, 0, "add_scalar");
    SameDiffOp variance = producer(shifted, 0, "reduce_mean");
    SameDiffOp squares = producer(variance, 0, "multiply");
    SameDiffOp centred = producer(squares, 0, "subtract");
    SameDiffOp mean = producer(centred, 1, "reduce_mean");
    if (mean == null
        || !sameInputs(squares)
        || !input(mean).equals(input(centred))
        || !ofRows(mean)
        || !ofRows(variance)) {
      return;
    }
    SameDiffOp scaled = onlyReader(inverse, "multiply");
    SameDiffOp gained = onlyReader(scaled, "multiply");
    if (gained == null || !input(scaled).equals(output(centred))) {
      return;
    }
    String gain = GraphTranslation.inputs(gained).get(1);
    boolean within =
        Stream.of(shifted, variance, squares, mean).allMatch(this::hasOneReader)
            && readers.get(output(centred)).equals(Set.of(output(squares), output(scaled)))
            && !results.contains(output(centred));
    if (!within || !isVector(gain)) {
      return;
    }
    SameDiffOp biased = onlyReader(gained, "add");
    String bias = biased == null ? null : GraphTranslation.inputs(biased).get(1);
    boolean hasBias = bias != null && isVector(bias) && input(biased).equals(output(gained));
    SameDiffOp last = hasBias ? biased : gained;
    double epsilon = ((ScalarOp) shifted.getOp()).scalar().getDouble(0);
    found.put(
        output(last), new Norm(input(centred), gain, hasBias ? bias : null, epsilon, output(last)));
    Stream.of(inverse, shifted, variance, squares, centred, mean, scaled)
        .forEach(op -> replaced.add(output(op)));
    if (hasBias) {
      replaced.add(output(gained));
    }
  }

  private static boolean sameInputs(SameDiffOp op) {
    return input(op).equals(GraphTranslation.inputs(op).get(1));
  }

  private static boolean is(SameDiffOp op, String name) {
    return op.getOp().opName().equals(name);
  }

  private static String input(SameDiffOp op) {
    return GraphTranslation.inputs(op).get(0);
  }

  private static String output(SameDiffOp op) {
    return op.getOutputsOfOp().get(0);
  }

  /** The op that gives one of another's inputs, if it has this name; otherwise null. */
  private SameDiffOp producer(SameDiffOp op, int input, String name) {
    if (op == null || GraphTranslation.inputs(op).size() <= input) {
      return null;
    }
    SameDiffOp producer = producers.get(GraphTranslation.inputs(op).get(input));
    return producer != null && is(producer, name) ? producer : null;
  }

  private boolean hasOneReader(SameDiffOp op) {
    return readers.getOrDefault(output(op), Set.of()).size() == 1 && !results.contains(output(op));
  }

  private SameDiffOp onlyReader(SameDiffOp op, String name) {
    if (op == null || !hasOneReader(op)) {
      return null;
    }
    SameDiffOp reader = producers.get(readers.get(output(op)).iterator().next());
    return is(reader, name) ? reader : null;
  }

  /** Whether it is the mean of each row, which stays a matrix of one column. */
  private static boolean ofRows(SameDiffOp op) {
    BaseReduceOp mean = (BaseReduceOp) op.getOp();
    return mean.isKeepDims() && Arrays.equals(mean.getDimensions(), new int[] {1});
  }

  private boolean isVector(String variable) {
    INDArray array = producers.containsKey(variable) ? null : sd.getVariable(variable).getArr();
    return array != null && array.rank() == 1;
  }
}
