package org.tokentune.plan.internal;

import java.util.List;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.tokentune.ops.internal.OpTraits;

/** Matmuls among the ops of a plan. */
final class Matmuls {

  private Matmuls() {}

  /** The matmul {@code out = a b}, with a or b transposed. */
  static Node of(String a, boolean transposeA, String b, boolean transposeB, String out) {
    return new Node(OpTraits.matmul(transposeA, transposeB), List.of(a, b), List.of(out));
  }

  /** Whether a matmul transposes a factor, 0 or 1, or its result, 2. */
  static boolean transposes(Node matmul, int which) {
    long[] arguments = ((DynamicCustomOp) matmul.op()).iArgs();
    return arguments.length > which && arguments[which] != 0;
  }

  /**
   * Multiplications of [..., n, inner] x [..., inner, m] = [..., n, m].
   *
   * @param left shape of the first factor, before the op transposes it
   * @param elements number of elements of the result
   */
  static long multiplications(Node matmul, long[] left, long elements) {
    return elements * left[left.length - (transposes(matmul, 0) ? 2 : 1)];
  }

  /** Floating-point operations of a matmul, two for each multiplication. */
  static long flops(Node matmul, Shapes shapes) {
    long[] left = shapes.of(matmul.inputs().get(0)).shape();
    long elements = shapes.of(matmul.outputs().get(0)).elements();
    return 2 * multiplications(matmul, left, elements);
  }

  /** Floating-point operations of all matmuls in a list of ops. */
  static long flops(List<Node> nodes, Shapes shapes) {
    return nodes.stream().filter(Node::isMatmul).mapToLong(node -> flops(node, shapes)).sum();
  }
}
