package org.tokentune.objectives;

import java.util.Arrays;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.ops.Losses;

/**
 * How relevant a text is to a query, 0 to 1, with one output: labels FLOAT [batch, 3], the
 * relevance and the two halves of the query's {@link EmbeddingLabel#keyOf key}.
 */
final class Reranking extends SequenceObjective {

  private static final int LABEL = 3;

  Reranking() {
    super("RERANK");
  }

  @Override
  public int outputs(int classes, int vocabulary) {
    return 1;
  }

  @Override
  public long[] labelShape(long batch, long length, int outputs) {
    return new long[] {batch, LABEL};
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels = inputs.labels(inputs.type(), -1, LABEL);
    SDVariable relevance = labels.get(SDIndex.all(), SDIndex.interval(0, 1));
    return Losses.binaryCrossEntropy(
        logits.reshape(-1), relevance.reshape(-1), inputs.kernelMode());
  }

  @Override
  public Tally tally(int outputs) {
    return new RerankTally();
  }

  @Override
  double quality(Scores scores) {
    return scores.get(Metric.NDCG_AT_10);
  }

  @Override
  public INDArray predictions(INDArray logits) {
    return Transforms.sigmoid(logits);
  }

  @Override
  public double[] predictions(double[] logits) {
    return Arrays.stream(logits).map(logit -> 1 / (1 + Math.exp(-logit))).toArray();
  }
}
