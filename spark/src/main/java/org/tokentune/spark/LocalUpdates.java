package org.tokentune.spark;

import java.io.Serializable;
import org.tokentune.train.OptimizerSettings;

/**
 * Updates that tasks make themselves between two averages.
 *
 * @param clip the largest norm of a task's gradients; infinite: they are not clipped
 */
record LocalUpdates(OptimizerSettings optimizer, double clip) implements Serializable {}
