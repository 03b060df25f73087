package org.tokentune.plan;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A SameDiff graph as a static execution plan for placeholders of given shapes: ops in order, every
 * value at a fixed place of an arena. Making one needs no values; {@link #bind} gives it memory.
 */
public final class Plan {

  private final SameDiff origin;
  private final OpList list;
  private final Shapes shapes;
  private final Views views;
  private final Layout layout;
  private final Map<String, long[]> placeholders;
  private final List<String> outputs;

  private Plan(
      SameDiff origin,
      OpList list,
      Shapes shapes,
      Views views,
      Layout layout,
      Map<String, long[]> placeholders,
      List<String> outputs) {
    this.origin = origin;
    this.list = list;
    this.shapes = shapes;
    this.views = views;
    this.layout = layout;
    this.placeholders = placeholders;
    this.outputs = outputs;
  }

  /**
   * Plans.
   *
   * @param placeholders shapes by name; further names are ignored
   * @param outputs values to return
   * @param trained variables whose gradients to return; none for a forward pass only
   * @param checkpoint values that {@link Recompute#BLOCKS} keeps
   */
  public static Plan of(
      SameDiff sd,
      Map<String, long[]> placeholders,
      Collection<String> outputs,
      Collection<String> trained,
      Recompute recompute,
      Predicate<String> checkpoint) {
    return of(sd, OpList.of(sd, outputs, trained), placeholders, outputs, recompute, checkpoint);
  }

  static Plan of(
      SameDiff sd,
      OpList list,
      Map<String, long[]> placeholders,
      Collection<String> outputs,
      Recompute recompute,
      Predicate<String> checkpoint) {
    Map<String, long[]> given = new LinkedHashMap<>();
    Shapes shapes = Shapes.of(list, placeholders);
    Set<String> results = new LinkedHashSet<>(outputs);
    results.addAll(list.gradients().values());
    Set<String> forward = new HashSet<>();
    list.nodes().subList(0, list.forward()).forEach(node -> forward.addAll(node.outputs()));
    List<Node> nodes = Products.split(shapes.remaining(), results);
    Set<String> read = new HashSet<>(results);
    nodes.forEach(node -> read.addAll(node.inputs()));
    placeholders.forEach(
        (name, shape) -> {
          if (read.contains(name) && list.sd().hasVariable(name)) {
            given.put(name, shape);
          }
        });
    List<Node> chosen =
        new Recomputation(nodes, forward, shapes)
            .apply(
                recompute,
                some ->
                    new Layout(Views.of(some, shapes), shapes, given.keySet(), results).liveBytes(),
                checkpoint);
    Views views = Views.of(chosen, shapes);
    Layout layout = new Layout(views, shapes, given.keySet(), results);
    layout.place();
    return new Plan(sd, list, shapes, views, layout, given, List.copyOf(outputs));
  }

  /** Bytes that a run uses above the graph's own constants and variables. */
  public long bytes() {
    return layout.bytes();
  }

  /** Ops that run in a step. */
  public int ops() {
    return views.running().size();
  }

  /**
   * Binds the plan to an arena, which grows where it is too small.
   *
   * @return what runs; it stays good until the arena grows again
   */
  BoundPlan bind(Arena arena) {
    arena.reserve(layout.regions());
    Map<String, INDArray> arrays = new HashMap<>();
    List<Step> steps = new ArrayList<>();
    for (Node node : views.running()) {
      steps.add(
          Step.of(
              node, arrays(node.inputs(), arena, arrays), arrays(node.outputs(), arena, arrays)));
    }
    Map<String, INDArray> inputs = new LinkedHashMap<>();
    placeholders.keySet().forEach(name -> inputs.put(name, array(name, arena, arrays)));
    Map<String, INDArray> values = new LinkedHashMap<>();
    outputs.forEach(name -> values.put(name, array(name, arena, arrays)));
    Map<String, INDArray> gradients = new LinkedHashMap<>();
    list.gradients()
        .forEach((name, gradient) -> gradients.put(name, array(gradient, arena, arrays)));
    return new BoundPlan(steps, inputs, values, gradients);
  }

  private INDArray[] arrays(List<String> names, Arena arena, Map<String, INDArray> arrays) {
    return names.stream().map(name -> array(name, arena, arrays)).toArray(INDArray[]::new);
  }

  private INDArray array(String name, Arena arena, Map<String, INDArray> arrays) {
    return arrays.computeIfAbsent(name, key -> create(key, arena));
  }

  private INDArray create(String name, Arena arena) {
    Shapes.Info info = shapes.of(name);
    if (info.known() != null) {
      return info.known();
    }
    Views.View view = views.of(name);
    long offset = layout.offset(name);
    if (offset >= 0) {
      return arena.view(info.type(), view.shape(), view.strides(), offset);
    }
    // The gradient function has constants of its own; the arrays that training changes are ours.
    SameDiff holder = origin.hasVariable(view.buffer()) ? origin : list.sd();
    INDArray held = holder.getVariable(view.buffer()).getArr();
    return view.buffer().equals(name)
        ? held
        : Nd4j.create(
            held.data(), view.shape(), view.strides(), held.offset(), 'c', held.dataType());
  }
}
