package org.tokentune.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/**
 * Splits {@code matmul_bp}, which always computes both gradients, into one matmul for each gradient
 * that is read.
 */
final class MatmulGradients {

  private MatmulGradients() {}

  /**
   * Splits nodes whose factors have the same rank; other nodes are unchanged.
   *
   * @param results values read from outside the plan
   */
  static List<Node> split(List<Node> nodes, Set<String> results) {
    Set<String> read = new HashSet<>(results);
    nodes.forEach(node -> read.addAll(node.inputs()));
    List<Node> split = new ArrayList<>();
    for (Node node : nodes) {
      if (node.op().opName().equals("matmul_bp") && !transposed(node, 2)) {
        add(split, node, read);
      } else {
        split.add(node);
      }
    }
    return split;
  }

  static boolean isProduct(Node node) {
    return node.op().opName().equals(AliasAnalysis.PRODUCT);
  }

  static boolean transposed(Node product, int factor) {
    long[] arguments = ((DynamicCustomOp) product.op()).iArgs();
    return arguments.length > factor && arguments[factor] != 0;
  }

  /**
   * Multiplications of [..., n, inner] x [..., inner, m] = [..., n, m].
   *
   * @param left shape of the first factor, before the op transposes it
   * @param elements number of elements of the result
   */
  static long multiplications(Node product, long[] left, long elements) {
    return elements * left[left.length - (transposed(product, 0) ? 2 : 1)];
  }

  /** With z = op(x) op(y): dX and dY, each as a matmul of dZ and the other factor. */
  private static void add(List<Node> split, Node node, Set<String> read) {
    String x = node.inputs().get(0);
    String y = node.inputs().get(1);
    String dz = node.inputs().get(2);
    boolean tx = transposed(node, 0);
    boolean ty = transposed(node, 1);
    String dx = node.outputs().get(0);
    if (read.contains(dx)) {
      split.add(tx ? product(y, ty, dz, true, dx) : product(dz, false, y, !ty, dx));
    }
    String dy = node.outputs().get(1);
    if (read.contains(dy)) {
      split.add(ty ? product(dz, true, x, tx, dy) : product(x, !tx, dz, false, dy));
    }
  }

  private static Node product(String a, boolean ta, String b, boolean tb, String out) {
    DynamicCustomOp op =
        DynamicCustomOp.builder("matmul").addIntegerArguments(ta ? 1 : 0, tb ? 1 : 0, 0).build();
    return new Node(op, Arrays.asList(a, b), List.of(out));
  }
}
