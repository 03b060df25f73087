package org.tokentune.train;

import java.util.List;
import java.util.Map;
import org.tokentune.objectives.Metric;

/**
 * The result of a step.
 *
 * @param step from 1 to {@code steps}, over all epochs
 * @param epoch from 1
 * @param tokens in its batches, without padding
 * @param seconds that it took; of steps that were made at once, each has its part
 * @param broken names of the rows whose loss or gradients were not finite, so that nothing was
 *     updated; normally empty
 * @param metrics of its batches before the update; none for most tasks
 */
public record StepReport(
    int step,
    int steps,
    int epoch,
    double loss,
    double learningRate,
    long tokens,
    double seconds,
    List<String> broken,
    Map<Metric, Double> metrics) {}
