package org.tokentune.objectives;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.select.TokenSelector;

/** Counts a confusion matrix of classes. */
final class ClassTally implements Tally {

  private final Objective objective;
  private final long[][] confusion;

  ClassTally(Objective objective, int outputs) {
    this.objective = objective;
    confusion = new long[outputs][outputs];
  }

  @Override
  public long add(INDArray labels, INDArray logits) {
    int[] actual = labels.reshape(-1).toIntVector();
    int[] predicted = logits.reshape(-1, confusion.length).argMax(1).toIntVector();
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
  public Set<Metric> metrics() {
    return confusion.length == 2
        ? Set.of(Metric.ACCURACY, Metric.MACRO_F1, Metric.F1, Metric.MATTHEWS)
        : Set.of(Metric.ACCURACY, Metric.MACRO_F1);
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
    return new Scores(objective, rows, loss, metrics, confusion);
  }
}
