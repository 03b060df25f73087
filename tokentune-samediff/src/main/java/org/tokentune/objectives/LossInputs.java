package org.tokentune.objectives;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.nn.internal.TokenStreams;
import org.tokentune.ops.KernelMode;

/** The part of a graph under construction that a loss needs. */
public interface LossInputs {

  SameDiff sd();

  /** The type of logits and values. */
  DataType type();

  KernelMode kernelMode();

  int outputs();

  /** Weights of classes, label smoothing and the focal loss. */
  LossSettings lossSettings();

  /** The placeholder of the labels: an INT32 matrix [batch, any]. */
  SDVariable labels();

  /** The placeholder of the labels, of another type and shape; -1 is any size. */
  SDVariable labels(DataType labelType, long... shape);

  /** Token ids, INT32 [batch, length]. */
  SDVariable ids();

  /** Attention mask, INT32 [batch, length]. */
  SDVariable mask();

  /** Positions of the selected tokens, INT32 [batch, k]. */
  SDVariable selected();

  /** Positions of the frozen tokens, INT32 [batch, length - k]; null if there are none. */
  SDVariable frozen();

  /** The last hidden states. */
  TokenStreams streams();

  /** The logits of the head for a stream: [batch * tokens, outputs]. */
  SDVariable logits(TokenStream stream);

  /**
   * The loss of a head over the vocabulary, a scalar, computed without holding the logits of all
   * tokens at once; null if it must be computed from the logits.
   *
   * @param labels of the selected tokens, INT32 [batch * k]: numbers of words, {@link
   *     org.tokentune.ops.Losses#IGNORED} for none
   */
  SDVariable vocabularyLoss(SDVariable labels);

  /**
   * The losses of the next tokens of a stream, [batch * tokens], 0 without one; where it can,
   * without holding the logits of all tokens at once.
   *
   * @param nextTokens INT32 [batch * tokens], {@link org.tokentune.ops.Losses#IGNORED} for none
   */
  SDVariable tokenLosses(TokenStream stream, SDVariable nextTokens);
}
