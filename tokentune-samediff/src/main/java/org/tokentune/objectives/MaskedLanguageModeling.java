package org.tokentune.objectives;

import java.util.Arrays;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.TokenGather;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/**
 * Predicts the words that were hidden (Devlin et al., 2019): the label of a hidden token is its
 * number. Hidden tokens are always selected.
 */
final class MaskedLanguageModeling extends TokenObjective {

  MaskedLanguageModeling() {
    super("MASKED_LM");
  }

  @Override
  public String shortName() {
    return "mlm";
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.VOCABULARY;
  }

  @Override
  public int[][] targets(INDArray labels, int length) {
    int[][] targets = rows(labels);
    for (int[] row : targets) {
      Arrays.setAll(row, i -> row[i] == TokenSelector.NO_LABEL ? row[i] : TokenSelector.FORCED);
    }
    return targets;
  }

  /** The number of hidden tokens: no class has another weight. */
  @Override
  public double weight(
      INDArray labels, TokenSelection selection, int[][] targets, LossSettings loss) {
    return selection.labels(targets).count();
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels =
        TokenGather.elements(inputs.labels(), TokenGather.rowIds(inputs.ids(), inputs.selected()));
    SDVariable loss = inputs.vocabularyLoss(labels);
    return loss == null ? crossEntropy(inputs, logits, labels) : loss;
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
        return labels.neq(TokenSelector.NO_LABEL).castTo(DataType.INT64).sumNumber().longValue();
      }
    };
  }

  @Override
  public String classSuffix() {
    return "ForMaskedLM";
  }
}
