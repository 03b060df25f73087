package org.tokentune.train;

import java.util.List;

/**
 * What a step came to.
 *
 * @param step from 1 to {@code steps}, over all epochs
 * @param epoch from 1
 * @param tokens unpadded ones of its batches
 * @param broken names of the rows whose loss or gradients were not finite, so that nothing was
 *     updated; of a good step none
 */
public record StepReport(
    int step,
    int steps,
    int epoch,
    double loss,
    double learningRate,
    long tokens,
    List<String> broken) {}
