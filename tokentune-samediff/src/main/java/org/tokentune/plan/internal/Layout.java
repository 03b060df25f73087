package org.tokentune.plan.internal;

import java.util.List;
import java.util.Set;

/**
 * Ops and their values in memory: what the passes after checkpointing and the memory planner make
 * of a list of ops.
 *
 * @param passes the passes after checkpointing, applied
 * @param gradients the gradients, possibly in slices
 * @param home the gradients, where they are returned
 * @param aliases which values share memory
 * @param nodes the ops that run, in execution order
 * @param memory lifetimes and offsets
 * @param placeholders placeholders that the ops read
 * @param results values read after a run
 */
record Layout(
    List<PlannerPass> passes,
    GradientSlices gradients,
    GradientsAtHome home,
    AliasAnalysis aliases,
    List<Node> nodes,
    MemoryPlanner memory,
    Set<String> placeholders,
    Set<String> results) {}
