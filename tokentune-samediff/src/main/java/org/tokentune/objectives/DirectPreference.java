package org.tokentune.objectives;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.ops.Detach;
import org.tokentune.ops.Losses;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/**
 * Prefers one answer to another (direct preference optimization: Rafailov et al., 2023): {@code
 * -log sigmoid(beta ((c - c') - (r - r')))}, where c and r are the log-probabilities of the chosen
 * and of the rejected answer, and c' and r' those that a reference gives them.
 *
 * <p>A batch has the chosen texts of all rows, then the rejected ones. Labels are FLOAT [texts, 1 +
 * length]: the reference's log-probability of the answer, then the number of every token of the
 * answer, {@link Losses#IGNORED} elsewhere. All tokens of an answer count, selected or not.
 */
final class DirectPreference extends Objective {

  /** Log-probabilities of the answers in the graph, [texts]. */
  static final String LOG_PROBABILITIES = "log_probabilities";

  private final double beta;

  DirectPreference(double beta) {
    super("DPO");
    if (!(beta > 0) || Double.isInfinite(beta)) {
      throw BadSettingsException.of("beta", "must be above 0 and finite, got %s.", beta);
    }
    this.beta = beta;
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.VOCABULARY;
  }

  @Override
  public boolean isCausal() {
    return true;
  }

  @Override
  public String settings() {
    return "beta " + beta;
  }

  @Override
  public boolean readsFrozen() {
    return true;
  }

  @Override
  public DataType labelType() {
    return DataType.FLOAT;
  }

  @Override
  public long[] labelShape(long batch, long length, int outputs) {
    return new long[] {batch, 1 + length};
  }

  @Override
  public Optional<LabelRange> labelRange(long length, int outputs) {
    return Optional.empty();
  }

  @Override
  public INDArray labels(List<float[]> rows, int length) {
    float[][] labels = new float[rows.size()][1 + length];
    for (int row = 0; row < labels.length; row++) {
      float[] own = rows.get(row);
      Arrays.fill(labels[row], own.length, 1 + length, TokenSelector.NO_LABEL);
      System.arraycopy(own, 0, labels[row], 0, own.length);
    }
    return Nd4j.createFromArray(labels);
  }

  /** The labels of the next tokens; the last token of a text has none. */
  @Override
  public int[][] targets(INDArray labels, int length) {
    float[][] own = labels.toFloatMatrix();
    int[][] next = new int[own.length][length];
    for (int row = 0; row < next.length; row++) {
      Arrays.fill(next[row], TokenSelector.NO_LABEL);
      for (int i = 0; i < length - 1; i++) {
        next[row][i] = (int) own[row][2 + i];
      }
    }
    return next;
  }

  /** The number of rows. */
  @Override
  public double weight(
      INDArray labels, TokenSelection selection, int[][] targets, LossSettings settings) {
    return labels.size(0) / 2.0;
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels = inputs.labels(inputs.type(), -1, -1);
    SDVariable numbers = labels.castTo(DataType.INT32);
    SDVariable losses = losses(inputs, numbers, inputs.streams().selected(), inputs.selected());
    TokenStream frozen = inputs.streams().frozen();
    if (frozen != null) {
      losses = losses.add(Detach.apply(losses(inputs, numbers, frozen, inputs.frozen())));
    }
    SDVariable answers = losses.neg().rename(LOG_PROBABILITIES);
    SDVariable reference = labels.get(SDIndex.all(), SDIndex.interval(0, 1)).reshape(-1);
    SDVariable sides = answers.sub(reference).reshape(2, -1);
    SDVariable chosen = sides.get(SDIndex.interval(0, 1), SDIndex.all()).reshape(-1);
    SDVariable rejected = sides.get(SDIndex.interval(1, 2), SDIndex.all()).reshape(-1);
    SDVariable margins = chosen.sub(rejected).mul(beta);
    return Losses.binaryCrossEntropy(margins, inputs.sd().onesLike(margins));
  }

  /** The sums of a stream's losses by text, [texts]. */
  private static SDVariable losses(
      LossInputs inputs, SDVariable numbers, TokenStream x, SDVariable positions) {
    SDVariable next =
        CausalLanguageModeling.after(inputs, numbers, positions.add(inputs.sd().constant(1)));
    return x.bySequence(inputs.tokenLosses(x, next).reshape(-1, 1), 1).sum(1).reshape(-1);
  }

  @Override
  public boolean scoresSteps() {
    return true;
  }

  @Override
  public String scored() {
    return LOG_PROBABILITIES;
  }

  @Override
  double quality(Scores scores) {
    return -scores.loss();
  }

  /** The mean of beta times what chosen answers gain over rejected ones, and how many gain. */
  @Override
  public Tally tally(int outputs) {
    return new Tally() {
      private double margins;
      private long gains;

      @Override
      public long add(INDArray labels, INDArray logProbabilities) {
        float[] answers = logProbabilities.reshape(-1).toFloatVector();
        float[][] of = labels.toFloatMatrix();
        int rows = answers.length / 2;
        for (int row = 0; row < rows; row++) {
          double chosen = answers[row] - of[row][0];
          double rejected = answers[rows + row] - of[rows + row][0];
          margins += beta * (chosen - rejected);
          gains += chosen > rejected ? 1 : 0;
        }
        return rows;
      }

      @Override
      public Set<Metric> metrics() {
        return Set.of(Metric.REWARD_ACCURACY, Metric.REWARD_MARGIN);
      }

      @Override
      public Scores scores(long rows, double loss) {
        Map<Metric, Double> metrics = new EnumMap<>(Metric.class);
        metrics.put(Metric.REWARD_ACCURACY, gains / (double) rows);
        metrics.put(Metric.REWARD_MARGIN, margins / rows);
        return new Scores(DirectPreference.this, rows, loss, metrics, new long[0][]);
      }
    };
  }

  @Override
  public String peftTaskType() {
    return Objectives.CAUSAL_LM.peftTaskType();
  }
}
