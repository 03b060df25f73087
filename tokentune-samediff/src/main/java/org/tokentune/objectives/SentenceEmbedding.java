package org.tokentune.objectives;

import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.select.TokenSelection;

/**
 * Vectors of texts that mean the same are near each other. A batch has the texts of its rows column
 * by column: first all anchors, then all positives, then each column of negatives. Labels are FLOAT
 * [texts, {@value EmbeddingLabel#SIZE}]: {@link EmbeddingLabel}s.
 */
final class SentenceEmbedding extends TextObjective {

  private final EmbeddingLoss loss;

  SentenceEmbedding(EmbeddingLoss loss) {
    super("EMBED");
    this.loss = loss;
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.SENTENCE;
  }

  @Override
  public String settings() {
    return loss.toString();
  }

  @Override
  public Optional<EmbeddingLoss> embeddingLoss() {
    return Optional.of(loss);
  }

  @Override
  public long[] labelShape(long batch, long length, int outputs) {
    return new long[] {batch, EmbeddingLabel.SIZE};
  }

  /** The number of rows. */
  @Override
  public double weight(
      INDArray labels, TokenSelection selection, int[][] targets, LossSettings settings) {
    return (double) labels.size(0) / loss.columns();
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels = inputs.labels(inputs.type(), -1, EmbeddingLabel.SIZE);
    return loss.loss(logits, inputs.outputs(), labels);
  }

  @Override
  public Tally tally(int outputs) {
    return new EmbeddingTally(this, loss);
  }

  @Override
  double quality(Scores scores) {
    return scores.get(
        scores.metrics().containsKey(Metric.SPEARMAN) ? Metric.SPEARMAN : Metric.NDCG_AT_10);
  }

  @Override
  public String peftTaskType() {
    return "FEATURE_EXTRACTION";
  }

  @Override
  public String classSuffix() {
    return "Model";
  }
}
