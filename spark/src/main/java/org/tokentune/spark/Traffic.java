package org.tokentune.spark;

/**
 * What a training has sent, in bytes, without the frames of Spark's protocols.
 *
 * @param steps made
 * @param model frozen weights, sent once to every executor
 * @param values of what trains, sent with every step, or stretch of steps, to every executor
 * @param inputs of all batches, each to one task
 * @param gradients returned to the driver by all tasks; with averages or direct exchange, values
 *     and the optimizer's state
 * @param exchanged gradients that went from task to task
 * @param repeated attempts at steps that failed and were made again
 */
public record Traffic(
    int steps,
    long model,
    long values,
    long inputs,
    long gradients,
    long exchanged,
    int repeated) {}
