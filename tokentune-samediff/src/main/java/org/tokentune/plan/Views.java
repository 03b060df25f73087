package org.tokentune.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.tokentune.ops.FusedOp;
import org.tokentune.ops.WriteRows;

/**
 * Which values are only other views of a buffer: reshapes, permutations, detached values, slices
 * from the start, tables after {@link WriteRows}. A product
 * that is permuted afterwards is written in the permuted order at once, so that the permutation is
 * a dense view.
 */
final class Views {

  /** Where a value lies in its buffer, from the buffer's start; strides in elements. */
  record View(String buffer, long[] shape, long[] strides) {

    /** Whether it lies in c order without gaps; the stride along an axis of size 1 says nothing. */
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

  private static final Set<String> RESHAPES =
      Set.of("reshape", "expand_dims", "squeeze", "identity", "token_detach");
  private static final String PERMUTE = "permute";
  static final String PRODUCT = "matmul";

  private final Shapes shapes;
  private final Set<String> rows;
  private final Map<String, View> views = new HashMap<>();
  private final Map<String, List<Node>> readers = new HashMap<>();
  private final List<Node> running = new ArrayList<>();

  private Views(Shapes shapes, Set<String> rows) {
    this.shapes = shapes;
    this.rows = rows;
  }

  /**
   * Finds them.
   *
   * @param rows values that have to be dense, as kernels outside of the plan read them
   */
  static Views of(List<Node> nodes, Shapes shapes, Set<String> rows) {
    Views views = new Views(shapes, rows);
    for (Node node : nodes) {
      for (String input : new HashSet<>(node.inputs())) {
        views.readers.computeIfAbsent(input, key -> new ArrayList<>()).add(node);
      }
    }
    nodes.forEach(views::add);
    return views;
  }

  /** Whether an op only gives its first input another shape, order or name. */
  static boolean isView(Node node) {
    return RESHAPES.contains(node.op().opName()) || node.op().opName().equals(PERMUTE);
  }

  /** The nodes that compute something, in order. */
  List<Node> running() {
    return running;
  }

  /** Number of values that are views of another. */
  long count() {
    return views.entrySet().stream().filter(Views::isAlias).count();
  }

  /** Their bytes, which nothing copies. */
  long bytes() {
    return views.entrySet().stream()
        .filter(Views::isAlias)
        .mapToLong(view -> shapes.of(view.getKey()).bytes())
        .sum();
  }

  private static boolean isAlias(Map.Entry<String, View> view) {
    return !view.getKey().equals(view.getValue().buffer());
  }

  View of(String name) {
    return views.computeIfAbsent(
        name, key -> new View(key, shapes.of(key).shape(), shapes.strides(key)));
  }

  private void add(Node node) {
    String output = node.outputs().get(0);
    if (node.op().opName().equals(PERMUTE)) {
      View in = of(node.inputs().get(0));
      int[] order = order(node);
      View view = new View(in.buffer(), pick(in.shape(), order), pick(in.strides(), order));
      if (rows.contains(output) && !view.dense()) {
        String permuted = output + "#permuted";
        shapes.alias(permuted, output);
        views.put(permuted, view);
        copy(permuted, output);
      } else {
        views.put(output, view);
      }
    } else if (RESHAPES.contains(node.op().opName())) {
      long[] shape = shapes.of(output).shape();
      String in = dense(node.inputs().get(0));
      views.put(output, new View(of(in).buffer(), shape, denseStrides(shape)));
    } else if (startsAtOrigin(node)) {
      View in = of(node.inputs().get(0));
      views.put(output, new View(in.buffer(), shapes.of(output).shape(), in.strides()));
    } else if (node.op().opName().equals(WriteRows.NAME)) {
      views.put(output, of(node.inputs().get(0)));
      running.add(node);
    } else {
      if (node.op().opName().equals(PRODUCT) && !rows.contains(output)) {
        layOut(output);
      }
      // A kernel reads dense rows.
      running.add(node.op() instanceof FusedOp ? node.renamed(this::dense, name -> name) : node);
    }
  }

  /** Whether a node is a slice that begins with the first element. */
  private boolean startsAtOrigin(Node node) {
    if (!node.op().opName().equals("slice") || node.inputs().size() < 2) {
      return false;
    }
    INDArray start = shapes.of(node.inputs().get(1)).known();
    return start != null && Arrays.stream(start.toLongVector()).allMatch(first -> first == 0);
  }

  /** The value itself or a dense copy of it. */
  private String dense(String value) {
    if (of(value).dense()) {
      return value;
    }
    String copy = value + "#dense";
    if (!views.containsKey(copy)) {
      shapes.alias(copy, value);
      of(copy);
      copy(value, copy);
    }
    return copy;
  }

  private void copy(String from, String to) {
    running.add(new Node(DynamicCustomOp.builder("identity").build(), List.of(from), List.of(to)));
  }

  /** A product whose readers permute it is laid out as they want it. */
  private void layOut(String product) {
    int[] wanted = null;
    for (Node reader : readers.getOrDefault(product, List.of())) {
      if (reader.op().opName().equals(PERMUTE)) {
        int[] order = order(reader);
        if (wanted != null && !Arrays.equals(wanted, order)) {
          return;
        }
        wanted = order;
      } else if (!reader.op().opName().equals(PRODUCT)) {
        return;
      }
    }
    if (wanted != null) {
      long[] shape = shapes.of(product).shape();
      long[] dense = denseStrides(pick(shape, wanted));
      long[] strides = new long[shape.length];
      for (int i = 0; i < wanted.length; i++) {
        strides[wanted[i]] = dense[i];
      }
      views.put(product, new View(product, shape, strides));
    }
  }

  private int[] order(Node permute) {
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
