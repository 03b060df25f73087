/**
 * Deeplearning4j's own conventions: a pretrained encoder as a vertex of a {@code ComputationGraph}
 * ({@link org.tokentune.dl4j.EncoderVertex}).
 *
 * <p>The only module that depends on {@code deeplearning4j-nn}. Imports the core; nothing imports
 * it.
 */
package org.tokentune.dl4j;
