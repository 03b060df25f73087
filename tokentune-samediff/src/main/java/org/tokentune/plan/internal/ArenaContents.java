package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.tokentune.ops.internal.OpTraits;
import org.tokentune.plan.PlanMemory;
import org.tokentune.plan.PlanMemory.Buffer;
import org.tokentune.plan.PlanMemory.Kind;
import org.tokentune.plan.PlanMemory.Part;

/** Finds out what a plan's arena holds. */
final class ArenaContents {

  private static final String PLACEHOLDER = "placeholder";

  /**
   * An op that writes a buffer.
   *
   * @param content what its result is called
   * @param parameter the last one read before
   * @param forward whether it belongs to the forward pass
   * @param view whether it only names what was there
   */
  private record Write(int op, String content, String parameter, boolean forward, boolean view) {}

  private final MemoryPlanner memory;
  private final int ops;
  private final Map<String, List<Write>> writes = new HashMap<>(); // by buffer
  private final Map<String, Integer> lastUse = new HashMap<>(); // by buffer
  private final Map<String, String> variables = new HashMap<>(); // by buffer of a gradient
  private int forward;

  private ArenaContents(OpSchedule schedule, Layout layout) {
    memory = layout.memory();
    ops = layout.nodes().size();
    Set<String> inForward = schedule.forwardValues();
    String parameter = "";
    for (int i = 0; i < ops; i++) {
      Node node = layout.nodes().get(i);
      for (String input : node.inputs()) {
        lastUse.put(memory.bufferOf(input), i);
        parameter = schedule.isParameter(input) ? input : parameter;
      }
      for (String output : node.outputs()) {
        boolean isForward = inForward.contains(output);
        forward = isForward ? i + 1 : forward;
        writes
            .computeIfAbsent(memory.bufferOf(output), buffer -> new ArrayList<>())
            .add(new Write(i, OpTraits.resultName(node.op()), parameter, isForward, node.isView()));
      }
    }
    layout
        .gradients()
        .slices()
        .forEach(
            (variable, slices) ->
                slices.forEach(slice -> variables.put(memory.bufferOf(slice), variable)));
  }

  /**
   * The contents of a plan's arena.
   *
   * @param passes the result of every pass
   */
  static PlanMemory of(OpSchedule schedule, Layout layout, List<String> passes) {
    ArenaContents contents = new ArenaContents(schedule, layout);
    MemoryPlanner memory = layout.memory();
    long[] live = memory.timeline();
    int peak = 0;
    for (int i = 0; i < live.length; i++) {
      peak = live[i] > live[peak] ? i : peak;
    }
    int at = peak;
    return new PlanMemory(
        memory.bytes(),
        Arrays.stream(live).boxed().toList(),
        contents.forward,
        peak,
        memory.live(peak).keySet().stream().map(name -> contents.part(name, at)).toList(),
        memory.buffers().stream()
            .filter(name -> memory.address(name) >= 0)
            .map(contents::buffer)
            .toList(),
        layout.nodes().stream().map(node -> OpTraits.resultName(node.op())).toList(),
        passes);
  }

  /** A buffer as it is during an op. */
  private Part part(String name, int op) {
    String content = PLACEHOLDER;
    String near = "";
    for (Write write : writes.getOrDefault(name, List.of())) {
      if (write.op() <= op) {
        content = write.content();
        near = write.forward() ? write.parameter() : "";
      }
    }
    return new Part(
        kind(name), label(name), content, variables.getOrDefault(name, near), memory.bytes(name));
  }

  private Buffer buffer(String name) {
    List<Write> all = writes.getOrDefault(name, List.of());
    String content =
        all.stream()
            .filter(write -> !write.view() || all.size() == 1)
            .map(Write::content)
            .distinct()
            .collect(Collectors.joining(", then "));
    return new Buffer(
        kind(name),
        label(name),
        content.isEmpty() ? PLACEHOLDER : content,
        variables.getOrDefault(name, all.isEmpty() ? "" : all.get(0).parameter()),
        memory.address(name),
        memory.bytes(name),
        Math.max(0, memory.first(name)),
        Math.min(ops - 1, memory.last(name)));
  }

  /** A gradient is called after its variable. */
  private String label(String buffer) {
    String variable = variables.get(buffer);
    return variable == null ? buffer : variable + "-grad";
  }

  private Kind kind(String name) {
    if (memory.first(name) < 0) {
      return Kind.INPUT;
    }
    if (variables.containsKey(name)) {
      return Kind.GRADIENT;
    }
    return memory.first(name) < forward && lastUse.getOrDefault(name, 0) >= forward
        ? Kind.ACTIVATION
        : Kind.WORKSPACE;
  }
}
