package org.tokentune.objectives;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Scores regression; correlations are means over the outputs. */
final class ValueTally implements Tally {

  private final List<INDArray> actual = new ArrayList<>();
  private final List<INDArray> predicted = new ArrayList<>();

  @Override
  public long add(INDArray labels, INDArray logits) {
    actual.add(labels.castTo(DataType.DOUBLE));
    predicted.add(logits.castTo(DataType.DOUBLE));
    return labels.size(0);
  }

  @Override
  public Set<Metric> metrics() {
    return Set.of(Metric.MEAN_SQUARED_ERROR, Metric.PEARSON, Metric.SPEARMAN);
  }

  @Override
  public Scores scores(long rows, double loss) {
    Map<Metric, Double> metrics =
        Map.of(
            Metric.MEAN_SQUARED_ERROR, mean(Metrics::meanSquaredError),
            Metric.PEARSON, mean(Metrics::pearson),
            Metric.SPEARMAN, mean(Metrics::spearman));
    return new Scores(Objectives.REGRESS, rows, loss, metrics, new long[0][]);
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
