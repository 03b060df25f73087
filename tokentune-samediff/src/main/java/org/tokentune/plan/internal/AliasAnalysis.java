package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.tokentune.ops.internal.Aliasing;
import org.tokentune.ops.internal.FusedOp;
import org.tokentune.ops.internal.OpTraits;

/**
 * Finds values that are only views of another buffer: reshapes, permutations, detached values,
 * slices. A matmul whose result is then permuted is written directly in the permuted order, so the
 * permutation is a dense view; values that are only joined by rows are written directly into the
 * joined buffer; rows are written into a table in place.
 */
final class AliasAnalysis implements PlannerPass {

  /**
   * A value's location in its buffer; the offset from the buffer's start and the strides are in
   * elements.
   */
  record View(String buffer, long offset, long[] shape, long[] strides) {

    /** The whole buffer, in c order without gaps. */
    static View whole(String buffer, long[] shape) {
      return new View(buffer, 0, shape, denseStrides(shape));
    }

    /**
     * Whether the value is in c order without gaps; the stride along an axis of size 1 is ignored.
     */
    boolean dense() {
      long[] dense = denseStrides(shape);
      for (int i = 0; i < shape.length; i++) {
        if (shape[i] != 1 && strides[i] != dense[i]) {
          return false;
        }
      }
      return true;
    }
  }

  private final Shapes shapes;
  private final GradientSlices gradients;
  private final Map<String, View> aliases = new HashMap<>();
  private final Map<String, List<Node>> readers = new HashMap<>();
  private final List<Node> running = new ArrayList<>();
  private Set<String> gradientNames = Set.of();

  /**
   * @param gradients must be dense because kernels outside the plan read them
   */
  AliasAnalysis(Shapes shapes, GradientSlices gradients) {
    this.shapes = shapes;
    this.gradients = gradients;
  }

  /** The nodes that compute something. */
  @Override
  public List<Node> apply(List<Node> nodes) {
    gradientNames = gradients.names();
    for (Node node : nodes) {
      for (String input : new HashSet<>(node.inputs())) {
        readers.computeIfAbsent(input, key -> new ArrayList<>()).add(node);
      }
    }
    nodes.stream()
        .filter(node -> node.aliasing() == Aliasing.CONCATENATE_ROWS)
        .forEach(node -> join(node, nodes));
    nodes.forEach(this::add);
    return running;
  }

  @Override
  public Optional<String> report(Layout layout) {
    Set<String> views = new HashSet<>(aliases.keySet());
    views.removeIf(name -> aliases.get(name).buffer().equals(name));
    return Optional.of(
        String.format(
            Locale.ROOT,
            "alias analysis: %d values are views; %,d bytes are not copied",
            views.size(),
            views.stream().mapToLong(name -> shapes.of(name).bytes()).sum()));
  }

  /** Places inputs that nothing else reads directly in the joined buffer. */
  private void join(Node joining, List<Node> nodes) {
    Set<String> computed = new HashSet<>();
    for (Node node : nodes) {
      if (node.aliasing() == Aliasing.NONE || node.aliasing() == Aliasing.SLICE) {
        computed.addAll(node.outputs());
      }
    }
    Set<String> inputs = new HashSet<>(joining.inputs());
    boolean alone =
        inputs.size() == joining.inputs().size()
            && computed.containsAll(inputs)
            && inputs.stream().noneMatch(gradientNames::contains)
            && inputs.stream().allMatch(input -> readers.get(input).size() == 1);
    if (!alone) {
      return;
    }
    String joined = joining.outputs().get(0);
    long offset = 0;
    for (String input : joining.inputs()) {
      long[] shape = shapes.of(input).shape();
      aliases.put(input, new View(joined, offset, shape, denseStrides(shape)));
      offset += shapes.of(input).elements();
    }
    aliases.put(joined, View.whole(joined, shapes.of(joined).shape()));
  }

  View of(String name) {
    return aliases.computeIfAbsent(
        name, key -> new View(key, 0, shapes.of(key).shape(), shapes.strides(key)));
  }

  private void add(Node node) {
    switch (node.aliasing()) {
      case PERMUTE -> permute(node);
      case RESHAPE -> reshape(node);
      case ROW_SLICES -> sliceRows(node);
      case SLICE -> slice(node);
      case FIRST_INPUT -> {
        aliases.put(node.outputs().get(0), of(node.inputs().get(0)));
        running.add(node);
      }
      case CONCATENATE_ROWS -> {
        if (!of(node.inputs().get(0)).buffer().equals(node.outputs().get(0))) {
          compute(node);
        }
      }
      case NONE -> compute(node);
    }
  }

  private void permute(Node node) {
    String output = node.outputs().get(0);
    View in = of(node.inputs().get(0));
    int[] order = order(node, shapes);
    View view =
        new View(in.buffer(), in.offset(), pick(in.shape(), order), pick(in.strides(), order));
    if (gradientNames.contains(output) && !view.dense()) {
      String permuted = output + "#permuted";
      shapes.alias(permuted, output);
      aliases.put(permuted, view);
      copy(permuted, output);
    } else {
      aliases.put(output, view);
    }
  }

  private void reshape(Node node) {
    String output = node.outputs().get(0);
    long[] shape = shapes.of(output).shape();
    View in = of(dense(node.inputs().get(0)));
    aliases.put(output, new View(in.buffer(), in.offset(), shape, denseStrides(shape)));
  }

  private void sliceRows(Node node) {
    View in = of(dense(node.inputs().get(0)));
    long offset = in.offset();
    for (String slice : node.outputs()) {
      long[] shape = shapes.of(slice).shape();
      aliases.put(slice, new View(in.buffer(), offset, shape, denseStrides(shape)));
      offset += shapes.of(slice).elements();
    }
  }

  private void slice(Node node) {
    String output = node.outputs().get(0);
    if (startsAtOrigin(node) && !aliases.containsKey(output)) {
      View in = of(node.inputs().get(0));
      aliases.put(
          output, new View(in.buffer(), in.offset(), shapes.of(output).shape(), in.strides()));
    } else {
      compute(node);
    }
  }

  private void compute(Node node) {
    String output = node.outputs().get(0);
    if (node.isMatmul() && !gradientNames.contains(output)) {
      layOut(output);
    }
    // A kernel reads dense rows.
    running.add(node.op() instanceof FusedOp ? node.renamed(this::dense, name -> name) : node);
  }

  /** Whether a slice starts at the first element. */
  private boolean startsAtOrigin(Node slice) {
    if (slice.inputs().size() < 2) {
      return false;
    }
    INDArray start = shapes.of(slice.inputs().get(1)).known();
    return start != null && Arrays.stream(start.toLongVector()).allMatch(first -> first == 0);
  }

  /** The value itself if it is dense, otherwise a dense copy. */
  private String dense(String value) {
    if (of(value).dense()) {
      return value;
    }
    String copy = value + "#dense";
    if (!aliases.containsKey(copy)) {
      shapes.alias(copy, value);
      of(copy);
      copy(value, copy);
    }
    return copy;
  }

  private void copy(String from, String to) {
    running.add(new Node(OpTraits.copy(), List.of(from), List.of(to)));
  }

  /** Lays out a matmul result in the order into which its readers permute it. */
  private void layOut(String matmul) {
    int[] wanted = null;
    for (Node reader : readers.getOrDefault(matmul, List.of())) {
      if (reader.aliasing() == Aliasing.PERMUTE) {
        int[] order = order(reader, shapes);
        if (wanted != null && !Arrays.equals(wanted, order)) {
          return;
        }
        wanted = order;
      } else if (!reader.isMatmul()) {
        return;
      }
    }
    if (wanted != null) {
      long[] shape = shapes.of(matmul).shape();
      long[] dense = denseStrides(pick(shape, wanted));
      long[] strides = new long[shape.length];
      for (int i = 0; i < wanted.length; i++) {
        strides[wanted[i]] = dense[i];
      }
      aliases.put(matmul, new View(matmul, 0, shape, strides));
    }
  }

  /** A permutation's input axes in output order. */
  static int[] order(Node permute, Shapes shapes) {
    int rank = shapes.of(permute.inputs().get(0)).shape().length;
    long[] order = ((DynamicCustomOp) permute.op()).iArgs();
    if (order.length == 0 && permute.inputs().size() > 1) {
      order = shapes.of(permute.inputs().get(1)).known().toLongVector();
    }
    int[] axes = new int[rank];
    for (int i = 0; i < rank; i++) {
      axes[i] = order.length == 0 ? rank - 1 - i : Math.floorMod((int) order[i], rank);
    }
    return axes;
  }

  private static long[] pick(long[] values, int[] order) {
    return Arrays.stream(order).mapToLong(i -> values[i]).toArray();
  }

  static long[] denseStrides(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return strides;
  }
}
