package org.tokentune.objectives;

import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.ops.Losses;
import org.tokentune.ops.TokenGather;
import org.tokentune.select.TokenSelector;

/**
 * Predicts the next token after every token: the label of a token is the number of the next one.
 */
final class CausalLanguageModeling extends TokenObjective {

  CausalLanguageModeling() {
    super("CAUSAL_LM");
  }

  @Override
  public String shortName() {
    return "lm";
  }

  @Override
  public boolean isCausal() {
    return true;
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.VOCABULARY;
  }

  /** The labels of the next tokens; the last token of a text has none. */
  @Override
  public int[][] targets(INDArray labels, int length) {
    int[][] own = rows(labels);
    int[][] next = new int[own.length][];
    for (int row = 0; row < next.length; row++) {
      int tokens = own[row].length;
      next[row] = new int[tokens];
      System.arraycopy(own[row], 1, next[row], 0, tokens - 1);
      next[row][tokens - 1] = TokenSelector.NO_LABEL;
    }
    return next;
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable next = after(inputs, inputs.labels(), inputs.selected());
    SDVariable loss = inputs.vocabularyLoss(next);
    return loss == null
        ? Losses.softmaxCrossEntropy(logits, inputs.outputs(), next, null, 0, inputs.kernelMode())
        : loss;
  }

  /**
   * Labels behind some columns; the last one has none behind it.
   *
   * @param labels INT32 [batch, any]
   * @param columns INT32 [batch, count]
   * @return [batch * count]
   */
  static SDVariable after(LossInputs inputs, SDVariable labels, SDVariable columns) {
    SDVariable column = labels.get(SDIndex.all(), SDIndex.interval(0, 1));
    SDVariable none = inputs.sd().zerosLike(column).add(inputs.sd().constant(Losses.IGNORED));
    SDVariable longer = inputs.sd().concat(1, labels, none);
    return TokenGather.elements(
        longer, TokenGather.rowIds(longer, columns.add(inputs.sd().constant(1))));
  }

  /** Logits, one per word of the vocabulary for every token, are not scored. */
  @Override
  public boolean scoresLogits() {
    return false;
  }

  @Override
  public boolean hasPerplexity() {
    return true;
  }

  @Override
  public Tally tally(int outputs) {
    return new LossTally(this) {
      @Override
      public long add(INDArray labels, INDArray logits) {
        INDArray next = labels.get(NDArrayIndex.all(), NDArrayIndex.interval(1, labels.size(1)));
        return next.neq(TokenSelector.NO_LABEL).castTo(DataType.INT64).sumNumber().longValue();
      }
    };
  }

  @Override
  public String classSuffix() {
    return "ForCausalLM";
  }

  @Override
  public String peftTaskType() {
    return "CAUSAL_LM";
  }
}
