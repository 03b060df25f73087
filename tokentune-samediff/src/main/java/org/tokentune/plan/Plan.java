package org.tokentune.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A SameDiff graph as a static execution plan for given placeholder shapes: ops in order, every
 * value at a fixed offset in an arena. Planning needs no values; {@link #bind} provides memory.
 */
public final class Plan {

  private final OpSchedule schedule;
  private final Shapes shapes;
  private final AliasAnalysis aliases;
  private final GradientSlices gradients;
  private final List<Node> running;
  private final MemoryPlanner planner;
  private final Map<String, long[]> placeholders;
  private final PlanOptions options;

  Plan(
      OpSchedule schedule,
      Shapes shapes,
      AliasAnalysis aliases,
      GradientSlices gradients,
      List<Node> running,
      MemoryPlanner planner,
      Map<String, long[]> placeholders,
      PlanOptions options) {
    this.schedule = schedule;
    this.shapes = shapes;
    this.aliases = aliases;
    this.gradients = gradients;
    this.running = running;
    this.planner = planner;
    this.placeholders = placeholders;
    this.options = options;
  }

  /**
   * Plans a graph.
   *
   * @param placeholders shapes by name; other names are ignored
   */
  public static Plan of(SameDiff sd, Map<String, long[]> placeholders, PlanOptions options) {
    return of(OpSchedule.of(sd, options.outputs(), options.trained()), placeholders, options);
  }

  static Plan of(OpSchedule schedule, Map<String, long[]> placeholders, PlanOptions options) {
    Map<String, long[]> given = new LinkedHashMap<>();
    Shapes shapes = Shapes.of(schedule, placeholders);
    Set<String> read = wanted(schedule, options);
    List<Node> nodes =
        SelectedMatmuls.apply(MatmulGradients.split(shapes.remaining(), read), read, shapes);
    nodes.forEach(node -> read.addAll(node.inputs()));
    placeholders.forEach(
        (name, shape) -> {
          if (read.contains(name) && schedule.sd().hasVariable(name)) {
            given.put(name, shape);
          }
        });
    CheckpointingPass checkpointingPass =
        new CheckpointingPass(nodes, schedule.forwardValues(), shapes);
    ToLongFunction<List<Node>> live =
        some -> lay(some, schedule, shapes, given, options).planner.liveBytes();
    if (options.budget() == 0) {
      List<Node> chosen =
          checkpointingPass.apply(options.checkpointing(), live, options.checkpoint());
      return lay(chosen, schedule, shapes, given, options).placed();
    }
    Predicate<List<Node>> fits =
        some -> lay(some, schedule, shapes, given, options).placed().bytes() <= options.budget();
    Plan plan =
        lay(
                checkpointingPass.fit(live, fits, options.checkpoint()),
                schedule,
                shapes,
                given,
                options)
            .placed();
    if (plan.bytes() > options.budget()) {
      throw new BudgetException(plan.bytes(), options.budget());
    }
    return plan;
  }

  /** Number of ops executed per run. */
  int steps() {
    return running.size();
  }

  private Plan placed() {
    planner.place();
    return this;
  }

  private static Plan lay(
      List<Node> packed,
      OpSchedule schedule,
      Shapes shapes,
      Map<String, long[]> placeholders,
      PlanOptions options) {
    List<Node> nodes =
        HalfPrecisionActivations.apply(
            DequantiseBeforeUse.late(packed, shapes),
            schedule.forwardValues(),
            wanted(schedule, options),
            shapes,
            options.precision());
    GradientSlices gradients =
        options.slices()
            ? GradientSlices.apart(nodes, schedule.gradients())
            : GradientSlices.whole(nodes, schedule.gradients());
    AliasAnalysis aliases = AliasAnalysis.of(gradients.nodes(), shapes, gradients.names());
    List<Node> running = aliases.running();
    if (options.updates()) {
      running =
          new OptimizerInBackward(running, aliases, shapes)
              .insert(gradients.gradients(), options.outputs());
    }
    Set<String> results = results(schedule, options);
    MemoryPlanner planner =
        new MemoryPlanner(running, aliases, shapes, placeholders.keySet(), results);
    return new Plan(schedule, shapes, aliases, gradients, running, planner, placeholders, options);
  }

  /** Values read after a run. */
  private static Set<String> results(OpSchedule schedule, PlanOptions options) {
    return options.updates() ? new LinkedHashSet<>(options.outputs()) : wanted(schedule, options);
  }

  /** Outputs and gradients. */
  private static Set<String> wanted(OpSchedule schedule, PlanOptions options) {
    Set<String> wanted = new LinkedHashSet<>(options.outputs());
    wanted.addAll(schedule.gradients().values());
    return wanted;
  }

  /** The result of every pass, one line each, in order. */
  private List<String> passes() {
    Set<String> wanted = wanted(schedule, options);
    List<Node> split = MatmulGradients.split(shapes.remaining(), wanted);
    List<Node> nodes = SelectedMatmuls.apply(split, wanted, shapes);
    Plan unchanged = lay(nodes, schedule, shapes, placeholders, options);
    Set<String> results = new LinkedHashSet<>(options.outputs());
    results.addAll(gradients.names());
    MemoryPlanner held =
        new MemoryPlanner(running, aliases, shapes, placeholders.keySet(), results);
    long recomputed = running.stream().filter(CheckpointingPass::again).count();
    return List.of(
        String.format(
            Locale.ROOT,
            "prune: %d of the graph's %d ops are needed",
            schedule.nodes().size(),
            schedule.sd().getOps().size()),
        String.format(
            Locale.ROOT,
            "fold constants: %d ops depend on shapes only",
            schedule.nodes().size() - shapes.remaining().size()),
        String.format(
            Locale.ROOT,
            "drop unread outputs: %d matmul gradients",
            outputs(shapes.remaining()) - outputs(split)),
        String.format(
            Locale.ROOT,
            "selected tokens only: %,d of %,d matmul operations are not needed",
            flops(split) - flops(nodes),
            flops(split)),
        String.format(
            Locale.ROOT,
            "activation checkpointing: %d ops are recomputed; at most %,d bytes live instead of"
                + " %,d",
            recomputed,
            planner.liveBytes(),
            unchanged.planner.liveBytes()),
        String.format(
            Locale.ROOT,
            "alias analysis: %d values are views; %,d bytes are not copied",
            aliases.count(),
            aliases.bytes()),
        String.format(
            Locale.ROOT,
            "optimizer in backward: %s",
            options.updates()
                ? String.format(
                    Locale.ROOT,
                    "at most %,d bytes live instead of %,d",
                    planner.liveBytes(),
                    held.liveBytes())
                : "off; all gradients are stored"),
        String.format(
            Locale.ROOT,
            "in place: %d results, %,d bytes, reuse the memory of an input",
            planner.inPlace(),
            planner.inPlaceBytes()),
        String.format(
            Locale.ROOT,
            "memory planner: an arena of %,d bytes for at most %,d live",
            bytes(),
            planner.liveBytes()));
  }

  private static int outputs(List<Node> nodes) {
    return nodes.stream().mapToInt(node -> node.outputs().size()).sum();
  }

  /** Bytes that a run uses in addition to the graph's own constants and variables. */
  public long bytes() {
    return planner.bytes();
  }

  /** The contents of the arena, op by op and at the peak. */
  public PlanMemory memory() {
    Set<String> inForward = schedule.forwardValues();
    long[] live = planner.timeline();
    int peak = 0;
    for (int i = 0; i < live.length; i++) {
      peak = live[i] > live[peak] ? i : peak;
    }
    Map<String, String> ops = new HashMap<>(); // last writer up to the peak, by buffer
    Map<String, String> near = new HashMap<>();
    Map<String, Integer> lastUse = new HashMap<>();
    String parameter = "";
    int forward = 0;
    for (int i = 0; i < running.size(); i++) {
      Node node = running.get(i);
      for (String input : node.inputs()) {
        lastUse.put(planner.bufferOf(input), i);
        parameter = schedule.isParameter(input) ? input : parameter;
      }
      for (String output : node.outputs()) {
        boolean isForward = inForward.contains(output);
        forward = isForward ? i + 1 : forward;
        if (i <= peak) {
          ops.put(planner.bufferOf(output), node.op().opName());
          near.put(planner.bufferOf(output), isForward ? parameter : "");
        }
      }
    }
    Set<String> ofGradients = new HashSet<>();
    gradients.names().forEach(gradient -> ofGradients.add(planner.bufferOf(gradient)));
    List<PlanMemory.Part> parts = new ArrayList<>();
    for (Map.Entry<String, Long> buffer : planner.live(peak).entrySet()) {
      String name = buffer.getKey();
      PlanMemory.Kind kind = PlanMemory.Kind.WORKSPACE;
      if (planner.first(name) < 0) {
        kind = PlanMemory.Kind.INPUT;
      } else if (ofGradients.contains(name)) {
        kind = PlanMemory.Kind.GRADIENT;
      } else if (planner.first(name) < forward && lastUse.getOrDefault(name, 0) >= forward) {
        kind = PlanMemory.Kind.ACTIVATION;
      }
      String op = ops.getOrDefault(name, "placeholder");
      parts.add(
          new PlanMemory.Part(kind, name, op, near.getOrDefault(name, ""), buffer.getValue()));
    }
    return new PlanMemory(
        bytes(), Arrays.stream(live).boxed().toList(), forward, peak, parts, passes());
  }

  /** Floating-point operations in a step's matmuls, two for each multiplication. */
  public long productFlops() {
    return flops(running);
  }

  private long flops(List<Node> nodes) {
    return nodes.stream().filter(MatmulGradients::isProduct).mapToLong(this::flops).sum();
  }

  /**
   * Work that a step repeats because its results were not stored: floating-point operations of
   * matmuls, and one per number that any other op recomputes.
   */
  public long recomputedWork() {
    return running.stream()
        .filter(CheckpointingPass::again)
        .mapToLong(
            node ->
                MatmulGradients.isProduct(node)
                    ? flops(node)
                    : shapes.of(node.outputs().get(0)).elements())
        .sum();
  }

  private long flops(Node matmul) {
    long[] left = shapes.of(matmul.inputs().get(0)).shape();
    long elements = shapes.of(matmul.outputs().get(0)).elements();
    return 2 * MatmulGradients.multiplications(matmul, left, elements);
  }

  /** Number of ops in a step. */
  public int ops() {
    return running.size();
  }

  /**
   * Binds the plan to an arena, which grows if it is too small.
   *
   * @param optimizerStep updates the variables if the plan does so; otherwise unused
   * @return the bound plan, valid until the arena grows again
   */
  BoundPlan bind(Arena arena, OptimizerStep optimizerStep) {
    arena.reserve(planner.regions());
    Map<String, INDArray> arrays = new HashMap<>();
    List<Step> steps = new ArrayList<>();
    List<Step> matmuls = new ArrayList<>();
    Map<String, INDArray> values = new LinkedHashMap<>();
    options.outputs().forEach(name -> values.put(name, array(name, arena, arrays)));
    OptimizerSteps updates = new OptimizerSteps(optimizerStep, values);
    for (Node node : running) {
      INDArray[] in = arrays(node.inputs(), arena, arrays);
      if (node.op() instanceof OptimizerStepOp update) {
        steps.add(updates.of(update, in[1], in[0]));
      } else {
        Step step = Step.of(node, in, arrays(node.outputs(), arena, arrays));
        steps.add(step);
        if (MatmulGradients.isProduct(node)) {
          matmuls.add(step);
        }
      }
    }
    if (PlanCheck.wanted()) {
      PlanCheck check = new PlanCheck(planner, aliases, shapes, arena);
      steps = check.watch(placeholders.keySet(), running, steps, results(schedule, options));
    }
    Map<String, INDArray> inputs = new LinkedHashMap<>();
    placeholders.keySet().forEach(name -> inputs.put(name, array(name, arena, arrays)));
    Map<String, INDArray> held = new LinkedHashMap<>();
    if (!options.updates()) {
      schedule
          .gradients()
          .forEach((name, gradient) -> held.put(name, array(gradient, arena, arrays)));
    }
    return new BoundPlan(steps, matmuls, inputs, values, held);
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
    AliasAnalysis.View view = aliases.of(name);
    long offset = planner.offset(name);
    if (offset >= 0) {
      return arena.view(info.type(), view.shape(), view.strides(), offset + view.offset());
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
