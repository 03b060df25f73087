package org.tokentune.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.SelectedRows;

/**
 * Restricts gradients of keys and values to the selected tokens. The backward pass of attention
 * computes them for all tokens, by a matmul {@code dScores^T query} or {@code weights^T dContext},
 * but only the selected tokens' gradients are read: these come first, so the first columns of the
 * matmul's first factor suffice.
 */
final class SelectedMatmuls {

  /** From [b, heads, length, size] to [b, length, heads, size]. */
  private static final int[] BY_TOKEN = {0, 2, 1, 3};

  private final Shapes shapes;
  private final Map<String, Node> producers = new HashMap<>();
  private final Map<String, Integer> readers = new HashMap<>();
  private final Map<Node, List<Node>> instead = new HashMap<>();

  private SelectedMatmuls(List<Node> nodes, Set<String> results, Shapes shapes) {
    this.shapes = shapes;
    results.forEach(result -> readers.put(result, 1));
    for (Node node : nodes) {
      node.outputs().forEach(output -> producers.put(output, node));
      node.inputs().forEach(input -> readers.merge(input, 1, Integer::sum));
    }
  }

  /**
   * Shrinks the matmuls.
   *
   * @param results values read from outside the plan
   * @param shapes receives the shapes of new values
   */
  static List<Node> apply(List<Node> nodes, Set<String> results, Shapes shapes) {
    SelectedMatmuls products = new SelectedMatmuls(nodes, results, shapes);
    nodes.stream().filter(node -> node.op() instanceof SelectedRows).forEach(products::find);
    return nodes.stream()
        .flatMap(node -> products.instead.getOrDefault(node, List.of(node)).stream())
        .toList();
  }

  /** Traces the rows that are read back to the matmul that computes them. */
  private void find(Node rows) {
    Node reshape = before(rows, "reshape");
    Node permute = reshape == null ? null : before(reshape, AliasAnalysis.PERMUTE);
    Node product = permute == null ? null : before(permute, AliasAnalysis.PRODUCT);
    if (product != null
        && MatmulGradients.transposed(product, 0)
        && !MatmulGradients.transposed(product, 2)
        && bySequence(product, permute, rows)) {
      narrow(product, permute, reshape, rows);
    }
  }

  /**
   * The producer of a node's first input, if it has the given op name and nothing else reads the
   * input.
   */
  private Node before(Node node, String name) {
    String input = node.inputs().get(0);
    Node before = producers.get(input);
    boolean found = before != null && before.op().opName().equals(name) && readers.get(input) == 1;
    return found ? before : null;
  }

  /**
   * Whether [b, heads, length, size] is turned via [b, length, heads, size] into [b * length, ...].
   */
  private boolean bySequence(Node product, Node permute, Node rows) {
    long[] made = shape(product.outputs().get(0));
    long[] read = shape(rows.inputs().get(0));
    return made.length == 4
        && Arrays.equals(AliasAnalysis.order(permute, shapes), BY_TOKEN)
        && Arrays.equals(read, new long[] {made[0] * made[2], made[1] * made[3]})
        && shape(rows.inputs().get(1))[0] == made[0];
  }

  private void narrow(Node product, Node permute, Node reshape, Node rows) {
    String factor = product.inputs().get(0);
    String columns = rows.outputs().get(0) + "#columns";
    String gradient = rows.outputs().get(0) + "#gradient";
    String permuted = rows.outputs().get(0) + "#permuted";
    long k = shape(rows.inputs().get(1))[1];
    long[] first = shape(factor).clone();
    first[3] = k;
    put(columns, first, factor);
    put(gradient, withLength(product, 2, k), factor);
    put(permuted, withLength(permute, 1, k), factor);
    String start = columns + "#start";
    String size = columns + "#size";
    shapes.know(start, Nd4j.createFromArray(new long[4]));
    shapes.know(size, Nd4j.createFromArray(first));
    DynamicCustomOp slice =
        DynamicCustomOp.builder("slice").build(); // a view, which copies nothing
    instead.put(
        product,
        List.of(
            new Node(slice, List.of(factor, start, size), List.of(columns)),
            between(product, columns, gradient)));
    instead.put(permute, List.of(between(permute, gradient, permuted)));
    instead.put(reshape, List.of());
    instead.put(rows, List.of(between(reshape, permuted, rows.outputs().get(0))));
  }

  /** The same op with another first input. */
  private static Node between(Node node, String input, String output) {
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, input);
    return new Node(node.op(), inputs, List.of(output));
  }

  private long[] withLength(Node node, int axis, long length) {
    long[] shape = shape(node.outputs().get(0)).clone();
    shape[axis] = length;
    return shape;
  }

  private void put(String name, long[] shape, String like) {
    shapes.put(name, shape, shapes.of(like).type());
  }

  private long[] shape(String value) {
    return shapes.of(value).shape();
  }
}
