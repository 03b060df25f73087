package org.tokentune.plan;

import java.util.List;

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
 * @param buffers all buffers of the arena, in the order in which they are first written
 * @param ops what each op computes, as reports call it
 * @param passes the result of every pass over the graph, one line each
 */
public record PlanMemory(
    long arena,
    List<Long> live,
    int forward,
    int peak,
    List<Part> parts,
    List<Buffer> buffers,
    List<String> ops,
    List<String> passes) {

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
   * @param near the parameter whose gradient it is, or for a value of the forward pass the last
   *     parameter read before it was written, which locates it in the model; otherwise empty
   */
  public record Part(Kind kind, String value, String content, String near, long bytes) {}

  /**
   * A buffer: a place in the arena for a time.
   *
   * @param value name of the first value in the buffer
   * @param content what it holds, one after the other, as reports call the results of ops
   * @param near the parameter whose gradient it is, or the last one read before it was first
   *     written; empty before any
   * @param address of its first byte; the arena has a region for each data type, one after the
   *     other
   * @param first index of the op that writes it first; 0 for a placeholder too
   * @param last index of the last op that reads it; that of the last op if it is a result
   */
  public record Buffer(
      Kind kind,
      String value,
      String content,
      String near,
      long address,
      long bytes,
      int first,
      int last) {}

  /** Bytes of one kind at the peak. */
  public long bytes(Kind kind) {
    return parts.stream().filter(part -> part.kind() == kind).mapToLong(Part::bytes).sum();
  }
}
