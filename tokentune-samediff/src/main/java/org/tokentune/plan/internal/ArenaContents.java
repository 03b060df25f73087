package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.ops.internal.OpTraits;
import org.tokentune.plan.PlanMemory;
import org.tokentune.plan.PlanMemory.Kind;
import org.tokentune.plan.PlanMemory.Part;

/** Finds out what a plan's arena holds. */
final class ArenaContents {

  private ArenaContents() {}

  /**
   * The contents of a plan's arena.
   *
   * @param passes the result of every pass
   */
  static PlanMemory of(OpSchedule schedule, Layout layout, List<String> passes) {
    Set<String> inForward = schedule.forwardValues();
    MemoryPlanner memory = layout.memory();
    long[] live = memory.timeline();
    int peak = 0;
    for (int i = 0; i < live.length; i++) {
      peak = live[i] > live[peak] ? i : peak;
    }
    Map<String, String> contents = new HashMap<>(); // by the last writer up to the peak, by buffer
    Map<String, String> near = new HashMap<>();
    Map<String, Integer> lastUse = new HashMap<>();
    String parameter = "";
    int forward = 0;
    for (int i = 0; i < layout.nodes().size(); i++) {
      Node node = layout.nodes().get(i);
      for (String input : node.inputs()) {
        lastUse.put(memory.bufferOf(input), i);
        parameter = schedule.isParameter(input) ? input : parameter;
      }
      for (String output : node.outputs()) {
        boolean isForward = inForward.contains(output);
        forward = isForward ? i + 1 : forward;
        if (i <= peak) {
          contents.put(memory.bufferOf(output), OpTraits.resultName(node.op()));
          near.put(memory.bufferOf(output), isForward ? parameter : "");
        }
      }
    }
    Set<String> ofGradients = new HashSet<>();
    layout.gradients().names().forEach(gradient -> ofGradients.add(memory.bufferOf(gradient)));
    List<Part> parts = new ArrayList<>();
    for (Map.Entry<String, Long> buffer : memory.live(peak).entrySet()) {
      String name = buffer.getKey();
      Kind kind = Kind.WORKSPACE;
      if (memory.first(name) < 0) {
        kind = Kind.INPUT;
      } else if (ofGradients.contains(name)) {
        kind = Kind.GRADIENT;
      } else if (memory.first(name) < forward && lastUse.getOrDefault(name, 0) >= forward) {
        kind = Kind.ACTIVATION;
      }
      String content = contents.getOrDefault(name, "placeholder");
      parts.add(new Part(kind, name, content, near.getOrDefault(name, ""), buffer.getValue()));
    }
    return new PlanMemory(
        memory.bytes(), Arrays.stream(live).boxed().toList(), forward, peak, parts, passes);
  }
}
