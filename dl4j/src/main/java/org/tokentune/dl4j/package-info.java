/**
 * Deeplearning4j's own conventions: a pretrained encoder as a vertex of a {@code ComputationGraph}
 * ({@link org.tokentune.dl4j.EncoderVertex}), a whole classifier by its name in the zoo ({@link
 * org.tokentune.dl4j.ZooClassifier}), and OmniHub's folder ({@link org.tokentune.dl4j.OmniHub}).
 *
 * <p>{@code deeplearning4j-zoo} is not depended on: its {@code PretrainedModel} is deprecated,
 * bound to data sets of images, and downloads from a host that is gone.
 *
 * <p>The only module that depends on {@code deeplearning4j-nn}. Imports the core and the zoo;
 * nothing imports it.
 */
package org.tokentune.dl4j;
