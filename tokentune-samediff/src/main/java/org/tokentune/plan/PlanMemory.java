package org.tokentune.plan;

import java.util.List;

/**
 * What lies in a plan's arena.
 *
 * @param arena bytes of the arena: what a run uses above the graph's constants and variables
 * @param live bytes that are live while each op runs
 * @param forward number of ops of the forward pass; the rest is the backward pass
 * @param peak number of the op at which most is live
 * @param parts what is live at the peak; its sum is at most {@code arena}, as buffers start at
 *     multiples of 64 bytes and cannot always fill every gap
 * @param passes what every pass over the graph came to, a line each
 */
public record PlanMemory(
    long arena, List<Long> live, int forward, int peak, List<Part> parts, List<String> passes) {

  /** Why a buffer is live. */
  public enum Kind {
    /** A placeholder's value. */
    INPUT,
    /** Written in the forward pass and read in the backward pass. */
    ACTIVATION,
    /** Of a variable, held for an update or to be returned. */
    GRADIENT,
    /** Anything else, for as long as the ops around it run. */
    WORKSPACE
  }

  /**
   * A buffer that is live at the peak.
   *
   * @param value name of the first value that it holds
   * @param op name of the op that wrote what it holds at the peak
   * @param near of a value of the forward pass, the parameter that was read last before that op
   *     wrote it: tells where in a model it is; otherwise empty
   */
  public record Part(Kind kind, String value, String op, String near, long bytes) {}

  /** Bytes of a kind at the peak. */
  public long bytes(Kind kind) {
    return parts.stream().filter(part -> part.kind() == kind).mapToLong(Part::bytes).sum();
  }
}
