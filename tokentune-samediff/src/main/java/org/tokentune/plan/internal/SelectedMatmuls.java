package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.Aliasing;
import org.tokentune.ops.internal.OpTraits;
import org.tokentune.ops.internal.SelectedRows;

/**
 * Restricts gradients of keys and values to the selected tokens. The backward pass of attention
 * computes them for all tokens, by a matmul {@code dScores^T query} or {@code weights^T dContext},
 * but only the selected tokens' gradients are read: these come first, so the first columns of the
 * matmul's first factor suffice.
 */
final class SelectedMatmuls implements PlannerPass {

  /** From [b, heads, length, size] to [b, length, heads, size]. */
  private static final int[] BY_TOKEN = {0, 2, 1, 3};

  private final Set<String> results;
  private final Shapes shapes;
  private final Map<String, Node> producers = new HashMap<>();
  private final Map<String, Integer> readers = new HashMap<>();
  private final Map<Node, List<Node>> replacements = new HashMap<>();
  private long flops; // before
  private long saved;

  /**
   * @param results values read from outside the plan
   * @param shapes receives the shapes of new values
   */
  SelectedMatmuls(Set<String> results, Shapes shapes) {
    this.results = results;
    this.shapes = shapes;
  }

  @Override
  public List<Node> apply(List<Node> nodes) {
    results.forEach(result -> readers.put(result, 1));
    for (Node node : nodes) {
      node.outputs().forEach(output -> producers.put(output, node));
      node.inputs().forEach(input -> readers.merge(input, 1, Integer::sum));
    }
    nodes.stream().filter(node -> node.op() instanceof SelectedRows).forEach(this::find);
    List<Node> restricted =
        nodes.stream()
            .flatMap(node -> replacements.getOrDefault(node, List.of(node)).stream())
            .toList();
    flops = Matmuls.flops(nodes, shapes);
    saved = flops - Matmuls.flops(restricted, shapes);
    return restricted;
  }

  @Override
  public Optional<String> report(Layout layout) {
    return Optional.of(
        String.format(
            Locale.ROOT,
            "selected tokens only: %,d of %,d matmul operations are not needed",
            saved,
            flops));
  }

  /** Traces the rows that are read back to the matmul that computes them. */
  private void find(Node rows) {
    Node reshape = producer(rows, node -> node.aliasing() == Aliasing.RESHAPE);
    Node permute =
        reshape == null ? null : producer(reshape, node -> node.aliasing() == Aliasing.PERMUTE);
    Node matmul = permute == null ? null : producer(permute, Node::isMatmul);
    if (matmul != null
        && Matmuls.transposes(matmul, 0)
        && !Matmuls.transposes(matmul, 2)
        && bySequence(matmul, permute, rows)) {
      restrict(matmul, permute, reshape, rows);
    }
  }

  /** The producer of a node's first input, if it is of a kind and nothing else reads the input. */
  private Node producer(Node node, Predicate<Node> kind) {
    String input = node.inputs().get(0);
    Node before = producers.get(input);
    boolean found = before != null && kind.test(before) && readers.get(input) == 1;
    return found ? before : null;
  }

  /**
   * Whether [b, heads, length, size] is turned via [b, length, heads, size] into [b * length, ...].
   */
  private boolean bySequence(Node matmul, Node permute, Node rows) {
    long[] made = shape(matmul.outputs().get(0));
    long[] read = shape(rows.inputs().get(0));
    return made.length == 4
        && Arrays.equals(AliasAnalysis.order(permute, shapes), BY_TOKEN)
        && Arrays.equals(read, new long[] {made[0] * made[2], made[1] * made[3]})
        && shape(rows.inputs().get(1))[0] == made[0];
  }

  private void restrict(Node matmul, Node permute, Node reshape, Node rows) {
    String factor = matmul.inputs().get(0);
    String columns = rows.outputs().get(0) + "#columns";
    String gradient = rows.outputs().get(0) + "#gradient";
    String permuted = rows.outputs().get(0) + "#permuted";
    long k = shape(rows.inputs().get(1))[1];
    long[] first = shape(factor).clone();
    first[3] = k;
    put(columns, first, factor);
    put(gradient, withLength(matmul, 2, k), factor);
    put(permuted, withLength(permute, 1, k), factor);
    String start = columns + "#start";
    String size = columns + "#size";
    shapes.putKnown(start, Nd4j.createFromArray(new long[4]));
    shapes.putKnown(size, Nd4j.createFromArray(first));
    replacements.put(
        matmul,
        List.of(
            new Node(OpTraits.slice(), List.of(factor, start, size), List.of(columns)),
            withFirstInput(matmul, columns, gradient)));
    replacements.put(permute, List.of(withFirstInput(permute, gradient, permuted)));
    replacements.put(reshape, List.of());
    replacements.put(rows, List.of(withFirstInput(reshape, permuted, rows.outputs().get(0))));
  }

  /** The same op with another first input. */
  private static Node withFirstInput(Node node, String input, String output) {
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
