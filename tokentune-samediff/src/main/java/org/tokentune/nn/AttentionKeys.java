package org.tokentune.nn;

import org.nd4j.autodiff.samediff.SDVariable;

/**
 * What attention knows of its keys, which stand in the order [selected ; frozen].
 *
 * @param bias [batch, 1, 1, length]: 0 for tokens, very negative for padding
 * @param positions INT32 [batch, 1, 1, length]: the keys' original rows, by which dropout names
 *     them
 */
public record AttentionKeys(SDVariable bias, SDVariable positions) {}
