package org.tokentune.train;

import java.util.List;

/**
 * The result of a step.
 *
 * @param step from 1 to {@code steps}, over all epochs
 * @param epoch from 1
 * @param tokens in its batches, without padding
 * @param broken names of the rows whose loss or gradients were not finite, so that nothing was
 *     updated; normally empty
 */
public record StepReport(
    int step,
    int steps,
    int epoch,
    double loss,
    double learningRate,
    long tokens,
    List<String> broken) {}
