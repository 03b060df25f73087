package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.tokentune.ops.internal.OpTraits;

/**
 * Splits the ops that compute both gradients of a matmul into one matmul for each gradient that is
 * read.
 */
final class MatmulGradients implements PlannerPass {

  private final Set<String> results;
  private int dropped;

  /**
   * @param results values read from outside the plan
   */
  MatmulGradients(Set<String> results) {
    this.results = results;
  }

  @Override
  public List<Node> apply(List<Node> nodes) {
    Set<String> read = new HashSet<>(results);
    nodes.forEach(node -> read.addAll(node.inputs()));
    List<Node> split = new ArrayList<>();
    for (Node node : nodes) {
      if (OpTraits.isMatmulGradients(node.op()) && !Matmuls.transposes(node, 2)) {
        split(node, read, split);
      } else {
        split.add(node);
      }
    }
    return split;
  }

  /** With z = op(x) op(y): dX and dY, each as a matmul of dZ and the other factor. */
  private void split(Node node, Set<String> read, List<Node> split) {
    String x = node.inputs().get(0);
    String y = node.inputs().get(1);
    String dz = node.inputs().get(2);
    boolean tx = Matmuls.transposes(node, 0);
    boolean ty = Matmuls.transposes(node, 1);
    int before = split.size();
    String dx = node.outputs().get(0);
    if (read.contains(dx)) {
      split.add(tx ? Matmuls.of(y, ty, dz, true, dx) : Matmuls.of(dz, false, y, !ty, dx));
    }
    String dy = node.outputs().get(1);
    if (read.contains(dy)) {
      split.add(ty ? Matmuls.of(dz, true, x, tx, dy) : Matmuls.of(x, !tx, dz, false, dy));
    }
    dropped += node.outputs().size() - (split.size() - before);
  }

  @Override
  public Optional<String> report(Layout layout) {
    return Optional.of("drop unread outputs: " + dropped + " matmul gradients");
  }
}
