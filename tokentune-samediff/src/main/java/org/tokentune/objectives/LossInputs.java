package org.tokentune.objectives;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.nn.TokenStream;
import org.tokentune.nn.TokenStreams;
import org.tokentune.ops.KernelMode;

/** A graph under construction, as far as a loss needs to see it. */
public interface LossInputs {

  SameDiff sd();

  /** Of logits and values. */
  DataType type();

  KernelMode kernelMode();

  int outputs();

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

  /** The head's logits of a stream: [batch * tokens, outputs]. */
  SDVariable logits(TokenStream stream);

  /**
   * The loss of a decoder's next tokens, a scalar, without the logits of all of them at once; null
   * if it is to be computed from the logits.
   *
   * @param nextTokens INT32 [batch * k], {@link org.tokentune.ops.Losses#IGNORED} for none
   */
  SDVariable vocabularyLoss(SDVariable nextTokens);
}
