package org.tokentune.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.evaluation.classification.EvaluationBinary;
import org.nd4j.evaluation.regression.RegressionEvaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.BadInputException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.Model;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Task;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.Style;
import org.tokentune.plan.PlanEngine;
import org.tokentune.plan.PlanOptions;
import org.tokentune.select.TokenSelector;

/** Scores a model on labelled batches: all tokens, no dropout. */
public final class Evaluator implements AutoCloseable {

  private final Head head;
  private final PlanEngine engine;

  /** Scores with the very arrays of {@code parameters}, as they are at the time. */
  public Evaluator(Model model, Parameters parameters) {
    head = model.head();
    Model still = model.config().withDropout(0).model(head);
    engine =
        new PlanEngine(
            still
                .build(
                    parameters,
                    GraphOptions.training(false, name -> false).withStyle(Style.preferred()))
                .sd(),
            PlanOptions.forward(outputs(head)));
  }

  /** A language model's logits, a vocabulary for every token, are not looked at. */
  private static List<String> outputs(Head head) {
    return head.task() == Task.CAUSAL_LM
        ? List.of(ModelGraph.LOSS)
        : List.of(ModelGraph.LOSS, ModelGraph.LOGITS);
  }

  /**
   * Sums of the losses of each batch, in their order.
   *
   * @param batches from the first on
   */
  public List<Double> losses(MultiDataSetIterator batches) {
    Tally tally = tally();
    List<Double> losses = new ArrayList<>();
    batches.reset();
    while (batches.hasNext()) {
      losses.add(next(batches, tally).loss());
    }
    return losses;
  }

  private Tally tally() {
    return switch (head.task()) {
      case CLASSIFY, TOKEN, MASKED_LM -> new Classes(head);
      case MULTILABEL -> new Flags(head.outputs());
      case REGRESS -> new Numbers(head.outputs());
      case CAUSAL_LM -> new NextTokens();
    };
  }

  /**
   * What a batch came to.
   *
   * @param loss sum over the rows that count
   */
  private record Batch(double loss, long counted) {}

  private Batch next(MultiDataSetIterator batches, Tally tally) {
    MultiDataSet batch = batches.next();
    Map<String, INDArray> outputs = engine.run(Placeholders.labelled(head, batch)).outputs();
    long counted = tally.add(batch.getLabels(0), outputs.get(ModelGraph.LOGITS));
    return new Batch(counted * outputs.get(ModelGraph.LOSS).getDouble(0), counted);
  }

  /** Runs over all batches from the first. */
  public Scores evaluate(MultiDataSetIterator batches) {
    Tally tally = tally();
    double loss = 0;
    long rows = 0;
    batches.reset();
    while (batches.hasNext()) {
      Batch batch = next(batches, tally);
      loss += batch.loss();
      rows += batch.counted();
    }
    if (rows == 0) {
      throw new BadInputException("There is no labelled row to score; give some.");
    }
    return tally.scores(rows, loss / rows);
  }

  @Override
  public void close() {
    engine.close();
  }

  /** What has been seen of labels and predictions. */
  private interface Tally {

    /** Takes a batch and returns how many rows of it count. */
    long add(INDArray labels, INDArray logits);

    Scores scores(long rows, double loss);
  }

  private static final class NextTokens implements Tally {

    @Override
    public long add(INDArray labels, INDArray logits) {
      INDArray next = labels.get(NDArrayIndex.all(), NDArrayIndex.interval(1, labels.size(1)));
      return next.neq(TokenSelector.NO_LABEL).castTo(DataType.INT64).sumNumber().longValue();
    }

    @Override
    public Scores scores(long rows, double loss) {
      return new Scores(
          Task.CAUSAL_LM,
          rows,
          loss,
          Double.NaN,
          Double.NaN,
          new long[0][],
          Double.NaN,
          Double.NaN);
    }
  }

  private static final class Classes implements Tally {

    private final Head head;
    private final Evaluation evaluation;

    Classes(Head head) {
      this.head = head;
      evaluation = new Evaluation(head.outputs());
    }

    @Override
    public long add(INDArray labels, INDArray logits) {
      int[] actual = labels.reshape(-1).toIntVector();
      int[] predicted = logits.reshape(-1, head.outputs()).argMax(1).toIntVector();
      long counted = 0;
      for (int i = 0; i < actual.length; i++) {
        if (actual[i] != TokenSelector.NO_LABEL) {
          evaluation.eval(predicted[i], actual[i]);
          counted++;
        }
      }
      return counted;
    }

    @Override
    public Scores scores(long rows, double loss) {
      int classes = head.outputs();
      long[][] confusion = new long[classes][classes];
      for (int a = 0; a < classes; a++) {
        for (int p = 0; p < classes; p++) {
          confusion[a][p] = evaluation.getConfusionMatrix().getCount(a, p);
        }
      }
      double macro = IntStream.range(0, classes).mapToDouble(evaluation::f1).average().orElse(0);
      double accuracy = evaluation.accuracy();
      return new Scores(
          head.task(), rows, loss, accuracy, macro, confusion, Double.NaN, Double.NaN);
    }
  }

  private static final class Flags implements Tally {

    private final EvaluationBinary evaluation;

    Flags(int labels) {
      evaluation = new EvaluationBinary(labels, null);
    }

    @Override
    public long add(INDArray labels, INDArray logits) {
      evaluation.eval(labels, Transforms.sigmoid(logits));
      return labels.size(0);
    }

    @Override
    public Scores scores(long rows, double loss) {
      double f1 = 0;
      for (int i = 0; i < evaluation.numLabels(); i++) {
        int decisive = 2 * evaluation.truePositives(i);
        int wrong = evaluation.falsePositives(i) + evaluation.falseNegatives(i);
        f1 += decisive == 0 ? 0 : (double) decisive / (decisive + wrong);
      }
      return new Scores(
          Task.MULTILABEL,
          rows,
          loss,
          evaluation.averageAccuracy(),
          f1 / evaluation.numLabels(),
          new long[0][],
          Double.NaN,
          Double.NaN);
    }
  }

  private static final class Numbers implements Tally {

    private final RegressionEvaluation evaluation;

    Numbers(int outputs) {
      evaluation = new RegressionEvaluation(outputs);
    }

    @Override
    public long add(INDArray labels, INDArray logits) {
      evaluation.eval(labels.castTo(DataType.DOUBLE), logits.castTo(DataType.DOUBLE));
      return labels.size(0);
    }

    @Override
    public Scores scores(long rows, double loss) {
      return new Scores(
          Task.REGRESS,
          rows,
          loss,
          Double.NaN,
          Double.NaN,
          new long[0][],
          evaluation.averageMeanSquaredError(),
          evaluation.averagePearsonCorrelation());
    }
  }
}
