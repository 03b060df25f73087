package org.tokentune.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.ops.internal.OpTraits;

/**
 * The contents of a plan's arena.
 *
 * @param arena bytes of the arena: what a run uses in addition to the graph's constants and
 *     variables
 * @param live live bytes during each op
 * @param forward number of ops in the forward pass; the rest are the backward pass
 * @param peak index of the op with the most live bytes
 * @param parts buffers live at the peak; their sum is at most {@code arena}, as buffers start at
 *     multiples of 64 bytes and cannot always fill every gap
 * @param passes the result of every pass over the graph, one line each
 */
public record PlanMemory(
    long arena, List<Long> live, int forward, int peak, List<Part> parts, List<String> passes) {

  /** Why a buffer is live. */
  public enum Kind {
    /** A placeholder's value. */
    INPUT,
    /** Written in the forward pass and read in the backward pass. */
    ACTIVATION,
    /** A variable's gradient, stored for an optimizer step or to be returned. */
    GRADIENT,
    /** Anything else, live only while nearby ops run. */
    WORKSPACE
  }

  /**
   * A buffer that is live at the peak.
   *
   * @param value name of the first value in the buffer
   * @param content what the buffer holds at the peak, as reports call the results of an op
   * @param near for a value of the forward pass, the last parameter read before it was written,
   *     which locates it in the model; otherwise empty
   */
  public record Part(Kind kind, String value, String content, String near, long bytes) {}

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

  /** Bytes of one kind at the peak. */
  public long bytes(Kind kind) {
    return parts.stream().filter(part -> part.kind() == kind).mapToLong(Part::bytes).sum();
  }
}
