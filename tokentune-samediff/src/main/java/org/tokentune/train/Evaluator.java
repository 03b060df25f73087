package org.tokentune.train;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;
import org.nd4j.evaluation.classification.EvaluationBinary;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.BadInputException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Task;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.NonFinite;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.PlanEngine;
import org.tokentune.plan.PlanOptions;
import org.tokentune.select.TokenSelector;

/** Scores a model on labelled batches: all tokens, no dropout. */
public final class Evaluator implements AutoCloseable {

  private final Head head;
  private final Parameters parameters;
  private final Function<int[], String> names;
  private final ModelGraph graph;
  private final PlanEngine engine;

  /**
   * Scores with the very arrays of {@code parameters}, as they are at the time.
   *
   * @param names what a row with these ids is called in messages
   */
  public Evaluator(TransformerModel model, Parameters parameters, Function<int[], String> names) {
    head = model.head();
    this.parameters = parameters;
    this.names = names;
    graph =
        model
            .withoutDropout()
            .build(
                parameters,
                GraphOptions.training(false, name -> false).withKernelMode(KernelMode.preferred()));
    engine = new PlanEngine(graph.sd(), PlanOptions.forward(outputs(head)));
  }

  /**
   * A language model's logits, a vocabulary for every token, are not looked at; nor are those of
   * answers, which are scored as texts.
   */
  private static List<String> outputs(Head head) {
    return head.task() == Task.CAUSAL_LM || head.task() == Task.QUESTION_ANSWERING
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
      case REGRESS -> new Numbers();
      case CAUSAL_LM -> new NextTokens();
      case QUESTION_ANSWERING -> new Spans();
      case FEATURE_EXTRACTION ->
          throw new IllegalStateException("pooled rows are right or wrong elsewhere");
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
    Map<String, INDArray> inputs = StepInputs.labelled(head, batch);
    graph.check(inputs);
    Map<String, INDArray> outputs = engine.run(inputs).outputs();
    for (INDArray output : outputs.values()) {
      if (!NonFinite.isFinite(output)) {
        int[] ids = batch.getFeatures(0).getRow(0).toIntVector();
        throw NonFinite.error(parameters, "the batch that begins with " + names.apply(ids));
      }
    }
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
      return new Scores(Task.CAUSAL_LM, rows, loss, Map.of(), new long[0][]);
    }
  }

  private static final class Spans implements Tally {

    @Override
    public long add(INDArray labels, INDArray logits) {
      return labels.size(0);
    }

    @Override
    public Scores scores(long rows, double loss) {
      return new Scores(Task.QUESTION_ANSWERING, rows, loss, Map.of(), new long[0][]);
    }
  }

  private static final class Classes implements Tally {

    private final Head head;
    private final long[][] confusion;

    Classes(Head head) {
      this.head = head;
      confusion = new long[head.outputs()][head.outputs()];
    }

    @Override
    public long add(INDArray labels, INDArray logits) {
      int[] actual = labels.reshape(-1).toIntVector();
      int[] predicted = logits.reshape(-1, head.outputs()).argMax(1).toIntVector();
      long counted = 0;
      for (int i = 0; i < actual.length; i++) {
        if (actual[i] != TokenSelector.NO_LABEL) {
          confusion[actual[i]][predicted[i]]++;
          counted++;
        }
      }
      return counted;
    }

    @Override
    public Scores scores(long rows, double loss) {
      Map<Metric, Double> metrics = new EnumMap<>(Metric.class);
      metrics.put(Metric.ACCURACY, Metrics.accuracy(confusion));
      metrics.put(Metric.MACRO_F1, Metrics.macroF1(confusion));
      if (confusion.length == 2) {
        metrics.put(Metric.F1, Metrics.f1(confusion, 1));
        metrics.put(Metric.MATTHEWS, Metrics.matthews(confusion));
      }
      return new Scores(head.task(), rows, loss, metrics, confusion);
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
        int wrong = evaluation.falsePositives(i) + evaluation.falseNegatives(i);
        f1 += Metrics.f1(evaluation.truePositives(i), wrong);
      }
      Map<Metric, Double> metrics =
          Map.of(
              Metric.ACCURACY,
              evaluation.averageAccuracy(),
              Metric.MACRO_F1,
              f1 / evaluation.numLabels());
      return new Scores(Task.MULTILABEL, rows, loss, metrics, new long[0][]);
    }
  }

  /** Correlations are means over the outputs. */
  private static final class Numbers implements Tally {

    private final List<INDArray> actual = new ArrayList<>();
    private final List<INDArray> predicted = new ArrayList<>();

    @Override
    public long add(INDArray labels, INDArray logits) {
      actual.add(labels.castTo(DataType.DOUBLE));
      predicted.add(logits.castTo(DataType.DOUBLE));
      return labels.size(0);
    }

    @Override
    public Scores scores(long rows, double loss) {
      Map<Metric, Double> metrics =
          Map.of(
              Metric.MEAN_SQUARED_ERROR, mean(Metrics::meanSquaredError),
              Metric.PEARSON, mean(Metrics::pearson),
              Metric.SPEARMAN, mean(Metrics::spearman));
      return new Scores(Task.REGRESS, rows, loss, metrics, new long[0][]);
    }

    private double mean(ToDoubleBiFunction<double[], double[]> metric) {
      double[][] a = Nd4j.vstack(actual).transpose().toDoubleMatrix();
      double[][] b = Nd4j.vstack(predicted).transpose().toDoubleMatrix();
      return IntStream.range(0, a.length)
          .mapToDouble(output -> metric.applyAsDouble(a[output], b[output]))
          .average()
          .orElse(Double.NaN);
    }
  }
}
