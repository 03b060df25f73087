package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.Aliasing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.quantization.BlockFormat;

/**
 * Stores activations in 16 bits: each is rounded after its last use in the forward pass and
 * converted back to floats right before its uses in the backward pass. The forward pass is
 * unchanged.
 */
final class HalfPrecisionActivations implements PlannerPass {

  private static final String HALF = "#half";

  /**
   * Narrower rows are sums, scales and similar, where rounding would cost accuracy and save little.
   */
  private static final int MIN_WIDTH = 16;

  private final Set<String> inForward;
  private final Set<String> results;
  private final Shapes shapes;
  private final ActivationPrecision precision;
  private final Map<String, Node> producers = new HashMap<>(); // in the forward pass
  private final Map<String, List<Node>> readers = new HashMap<>(); // in the forward pass
  private final Map<String, Integer> lastUse = new HashMap<>(); // in the forward pass, by root
  private final Map<String, Node> restoring = new HashMap<>(); // in the backward pass
  private List<Node> nodes = List.of();
  private int forward;

  /**
   * @param inForward values computed in the forward pass
   * @param results values read after the run, which are not rounded
   */
  HalfPrecisionActivations(
      Set<String> inForward, Set<String> results, Shapes shapes, ActivationPrecision precision) {
    this.inForward = inForward;
    this.results = results;
    this.shapes = shapes;
    this.precision = precision;
  }

  /** The nodes, with nodes that round and restore activations. */
  @Override
  public List<Node> apply(List<Node> all) {
    nodes = all;
    for (int i = 0; i < nodes.size(); i++) {
      forward = inForward.contains(nodes.get(i).outputs().get(0)) ? i + 1 : forward;
    }
    if (precision == ActivationPrecision.FLOAT32 || forward == nodes.size()) {
      return nodes;
    }
    for (int i = 0; i < forward; i++) {
      Node node = nodes.get(i);
      node.outputs().forEach(output -> producers.put(output, node));
      for (String value : node.inputs()) {
        readers.computeIfAbsent(value, key -> new ArrayList<>()).add(node);
        lastUse.put(root(value), i);
      }
      for (String value : node.outputs()) {
        lastUse.put(root(value), i);
      }
    }
    BlockFormat format = precision == ActivationPrecision.BF16 ? BlockFormat.BF16 : BlockFormat.F16;
    return round(new HalfOps(format, KernelMode.preferred()));
  }

  private List<Node> round(HalfOps ops) {
    Map<Integer, List<Node>> rounding = new HashMap<>(); // by the op it follows
    for (String root : stored()) {
      String dense = dense(root);
      String half = dense + HALF;
      long[] shape = shapes.of(dense).shape();
      shapes.put(half, ops.shape(shape), ops.type());
      restoring.put(dense, new Node(ops.restore(), List.of(half), List.of(dense)));
      rounding
          .computeIfAbsent(lastUse.get(root), key -> new ArrayList<>())
          .add(new Node(ops.round(), List.of(dense), List.of(half)));
    }
    for (int i = 0; i < forward; i++) {
      Node node = nodes.get(i);
      if (node.isView() && restoring.containsKey(node.inputs().get(0))) {
        node.outputs().forEach(output -> restoring.putIfAbsent(output, node));
      }
    }
    Rematerialisation rematerialised = new Rematerialisation(restoring, "#restored", shapes);
    for (int i = 0; i < nodes.size(); i++) {
      if (i < forward) {
        rematerialised.add(nodes.get(i));
        rounding.getOrDefault(i, List.of()).forEach(rematerialised::add);
      } else {
        rematerialised.addReader(nodes.get(i));
      }
    }
    return rematerialised.nodes();
  }

  /**
   * Computed values of the forward pass that the backward pass reads, directly or through views.
   */
  private Set<String> stored() {
    Set<String> stored = new LinkedHashSet<>();
    Set<String> excluded = new HashSet<>();
    results.forEach(result -> excluded.add(root(result)));
    for (Node node : nodes.subList(forward, nodes.size())) {
      for (String value : node.inputs()) {
        String root = root(value);
        if (producers.containsKey(root) && wide(root)) {
          stored.add(root);
          if (!derives(value, dense(root))) {
            excluded.add(root);
          }
        }
      }
    }
    stored.removeAll(excluded);
    return stored;
  }

  private boolean wide(String value) {
    long[] shape = shapes.of(value).shape();
    return shapes.of(value).type() == DataType.FLOAT
        && shape.length > 1
        && shape[shape.length - 1] >= MIN_WIDTH;
  }

  /** The value that a view is derived from. */
  private String root(String value) {
    String root = value;
    while (producers.containsKey(root) && producers.get(root).isView()) {
      root = producers.get(root).inputs().get(0);
    }
    return root;
  }

  private boolean derives(String value, String from) {
    String at = value;
    while (!at.equals(from)) {
      if (!producers.containsKey(at) || !producers.get(at).isView()) {
        return false;
      }
      at = producers.get(at).inputs().get(0);
    }
    return true;
  }

  /**
   * The value, or its permutation that is dense in memory, as {@link AliasAnalysis} writes matmuls.
   */
  private String dense(String root) {
    List<Node> reading = readers.getOrDefault(root, List.of());
    boolean permuted =
        producers.get(root).isMatmul()
            && reading.size() == 1
            && reading.get(0).aliasing() == Aliasing.PERMUTE;
    return permuted ? reading.get(0).outputs().get(0) : root;
  }
}
