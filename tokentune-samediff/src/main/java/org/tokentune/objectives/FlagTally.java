package org.tokentune.objectives;

import java.util.Map;
import java.util.Set;
import org.nd4j.evaluation.classification.EvaluationBinary;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Counts decisions on single labels. */
final class FlagTally implements Tally {

  private final EvaluationBinary evaluation;

  FlagTally(int labels) {
    evaluation = new EvaluationBinary(labels, null);
  }

  @Override
  public long add(INDArray labels, INDArray logits) {
    evaluation.eval(labels, Transforms.sigmoid(logits));
    return labels.size(0);
  }

  @Override
  public Set<Metric> metrics() {
    return Set.of(Metric.ACCURACY, Metric.MACRO_F1);
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
    return new Scores(Objectives.MULTILABEL, rows, loss, metrics, new long[0][]);
  }
}
