package org.tokentune.plan.internal;

import java.util.List;
import java.util.Optional;

/**
 * A pass over the ops of a plan, which changes what runs or when. An object is applied once, and
 * then knows what it did.
 */
interface PlannerPass {

  /** The ops after this pass, in execution order. */
  List<Node> apply(List<Node> nodes);

  /**
   * What the pass did, in one line; empty for a pass that is not reported.
   *
   * @param layout the finished plan's
   */
  default Optional<String> report(Layout layout) {
    return Optional.empty();
  }

  /** The ops after several passes. */
  static List<Node> applyAll(List<? extends PlannerPass> passes, List<Node> nodes) {
    List<Node> result = nodes;
    for (PlannerPass pass : passes) {
      result = pass.apply(result);
    }
    return result;
  }
}
