package org.tokentune.objectives;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.ops.Detach;
import org.tokentune.ops.Losses;
import org.tokentune.select.TokenSelector;

/**
 * Finds the answer to a question in a text: labels INT32 [batch, 2], the positions of its beginning
 * and its end.
 */
final class QuestionAnswering extends Objective {

  /**
   * The number of tokens on either side of an answer's first and last tokens that are selected with
   * them.
   */
  private static final int NEIGHBOURS = 2;

  /** Subtracted from a logit that is masked, so that its exponential is 0. */
  private static final double LEAST = 1e9;

  QuestionAnswering() {
    super("QUESTION_ANSWERING");
  }

  @Override
  public String shortName() {
    return "qa";
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.TOKENS;
  }

  /** Start and end. */
  @Override
  public int outputs(int classes, int vocabulary) {
    return 2;
  }

  @Override
  public boolean readsFrozen() {
    return true;
  }

  @Override
  public DataType labelType() {
    return DataType.INT32;
  }

  @Override
  public long[] labelShape(long batch, long length, int outputs) {
    return new long[] {batch, outputs};
  }

  @Override
  public Optional<LabelRange> labelRange(long length, int outputs) {
    return Optional.of(new LabelRange(0, length, "position of an answer"));
  }

  @Override
  public INDArray labels(List<float[]> rows, int length) {
    return Nd4j.createFromArray(rows.toArray(float[][]::new)).castTo(DataType.INT32);
  }

  /** The first and last token of every answer, and their neighbours, are forced positions. */
  @Override
  public int[][] targets(INDArray spans, int length) {
    int[][] ends = TokenObjective.rows(spans);
    int[][] targets = new int[ends.length][length];
    for (int row = 0; row < ends.length; row++) {
      Arrays.fill(targets[row], TokenSelector.NO_LABEL);
      for (int end : ends[row]) {
        int from = Math.max(0, end - NEIGHBOURS);
        int to = Math.min(length, end + NEIGHBOURS + 1);
        Arrays.fill(targets[row], from, to, TokenSelector.FORCED);
      }
    }
    return targets;
  }

  /**
   * The mean of the cross entropies of starts and ends, each over the tokens of a text without
   * padding. Frozen tokens count, too, but without gradient: the answer would be easy to find among
   * only the selected tokens, which surround it. So that the scores of an answer's ends, which are
   * always selected, do not rise faster than all others fall, the scores of tokens that were drawn
   * by chance have the gradients of all that could have been drawn.
   */
  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels = inputs.labels();
    SDVariable scores = scores(inputs, inputs.streams().selected(), logits);
    SDVariable positions = inputs.selected();
    TokenStream frozen = inputs.streams().frozen();
    if (frozen != null) {
      scores = standingForAll(inputs, scores);
      scores = inputs.sd().concat(1, scores, scores(inputs, frozen, inputs.logits(frozen)));
      positions = inputs.sd().concat(1, positions, inputs.frozen());
    }
    SDVariable[] losses = new SDVariable[inputs.outputs()];
    for (int i = 0; i < losses.length; i++) {
      SDVariable each = scores.get(SDIndex.all(), SDIndex.all(), SDIndex.point(i));
      SDVariable label = labels.get(SDIndex.all(), SDIndex.interval(i, i + 1));
      losses[i] = Losses.softmaxCrossEntropy(each, positions.eq(label).castTo(inputs.type()));
    }
    return losses[0].add(losses[1]).mul(0.5);
  }

  /**
   * Scores of the selected tokens, [batch, k, outputs], whose gradients are multiplied by how many
   * tokens each stands for: one that is near an answer's ends for itself, one that was drawn by
   * chance for its part of the frozen ones, too.
   */
  private static SDVariable standingForAll(LossInputs inputs, SDVariable scores) {
    SameDiff sd = inputs.sd();
    SDVariable drawn =
        sd.reshape(inputs.streams().selected().values(inputs.mask()), sd.shape(inputs.selected()));
    SDVariable frozen = inputs.mask().sum(true, 1).sub(drawn.sum(true, 1));
    for (int i = 0; i < inputs.outputs(); i++) {
      SDVariable end = inputs.labels().get(SDIndex.all(), SDIndex.interval(i, i + 1));
      SDVariable distance = sd.math().abs(inputs.selected().sub(end));
      drawn = drawn.mul(sd.gt(distance, sd.constant(NEIGHBOURS)).castTo(DataType.INT32));
    }
    SDVariable weights = drawn.castTo(inputs.type());
    SDVariable some = weights.sum(true, 1);
    SDVariable further =
        frozen.castTo(inputs.type()).div(sd.max(some, sd.onesLike(some))).mul(weights);
    return scores.add(scores.sub(Detach.apply(scores)).mul(sd.expandDims(further, 2)));
  }

  /** Logits as [batch, count, outputs], with those of padding masked. */
  private static SDVariable scores(LossInputs inputs, TokenStream x, SDVariable logits) {
    SDVariable padding =
        x.bySequence(x.values(inputs.mask()).castTo(inputs.type()), 1).sub(1).mul(LEAST);
    return x.bySequence(logits, inputs.outputs()).add(padding);
  }

  /** Answers are scored as texts. */
  @Override
  public boolean scoresLogits() {
    return false;
  }

  @Override
  public Tally tally(int outputs) {
    return new LossTally(this) {
      @Override
      public long add(INDArray labels, INDArray logits) {
        return labels.size(0);
      }
    };
  }

  @Override
  public String classSuffix() {
    return "ForQuestionAnswering";
  }

  @Override
  public String peftTaskType() {
    return "QUESTION_ANS";
  }
}
