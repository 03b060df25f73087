package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.FusedProducts;

/** Binds a plan to an arena: creates the array of every value, and a step for every op. */
final class PlanBinder {

  private final OpSchedule schedule;
  private final Shapes shapes;
  private final Layout layout;
  private final PlanOptions options;
  private final Arena arena;
  private final PlanSpace space;
  private final Map<String, INDArray> arrays = new HashMap<>();

  PlanBinder(OpSchedule schedule, Shapes shapes, Layout layout, PlanOptions options, Arena arena) {
    this.schedule = schedule;
    this.shapes = shapes;
    this.layout = layout;
    this.options = options;
    this.arena = arena;
    space = new PlanSpace(arena, options.home());
  }

  BoundPlan bind(OptimizerStep optimizerStep) {
    arena.reserve(layout.memory().regions());
    List<Step> steps = new ArrayList<>();
    List<Step> matmuls = new ArrayList<>();
    Map<String, INDArray> outputs = byName(options.outputs());
    OptimizerSteps updates = new OptimizerSteps(optimizerStep, outputs);
    for (Node node : layout.nodes()) {
      INDArray[] in = arrays(node.inputs());
      if (node.op() instanceof OptimizerStepOp update) {
        steps.add(updates.of(update, in[1], in[0]));
      } else {
        Step step = Step.of(node, in, arrays(node.outputs()));
        steps.add(step);
        if (node.isMatmul()) {
          matmuls.add(step);
        } else if (node.op() instanceof FusedProducts fused) {
          List<INDArray> out = List.of(arrays(node.outputs()));
          matmuls.add(() -> fused.runProducts(List.of(in), out));
        }
      }
    }
    if (PlanCheck.isEnabled()) {
      steps = new PlanCheck(layout, shapes, space).watch(steps);
    }
    Map<String, INDArray> gradients = new LinkedHashMap<>();
    if (!options.updates()) {
      layout.home().names().forEach((name, gradient) -> gradients.put(name, array(gradient)));
    }
    return new BoundPlan(steps, matmuls, byName(layout.placeholders()), outputs, gradients);
  }

  private Map<String, INDArray> byName(Collection<String> names) {
    Map<String, INDArray> named = new LinkedHashMap<>();
    names.forEach(name -> named.put(name, array(name)));
    return named;
  }

  private INDArray[] arrays(List<String> names) {
    return names.stream().map(this::array).toArray(INDArray[]::new);
  }

  private INDArray array(String name) {
    return arrays.computeIfAbsent(name, this::create);
  }

  private INDArray create(String name) {
    Shapes.Info info = shapes.of(name);
    if (info.known() != null) {
      return info.known();
    }
    AliasAnalysis.View view = layout.aliases().of(name);
    long offset = layout.memory().offset(name);
    if (offset >= 0) {
      return space.view(info.type(), view.shape(), view.strides(), offset + view.offset());
    }
    INDArray held = schedule.array(view.buffer());
    return view.buffer().equals(name)
        ? held
        : Nd4j.create(
            held.data(),
            view.shape(),
            view.strides(),
            held.offset() + view.offset(),
            'c',
            held.dataType());
  }
}
