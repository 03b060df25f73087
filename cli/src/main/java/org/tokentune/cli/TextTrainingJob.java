package org.tokentune.cli;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tokentune.datasets.ClassWeights;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.objectives.Scores;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.Trainer;

/**
 * An encoder on labelled texts.
 *
 * @param stream rows that are streamed in place of training rows; null: none
 * @param validatesStream whether the end of the stream is validated on
 * @param sampling of the training rows; null: each of them once in an epoch
 * @param classWeights in the loss; null if all are 1
 */
record TextTrainingJob(
    TextModel model,
    StreamedRows stream,
    boolean validatesStream,
    DataSplit split,
    RowSampling sampling,
    ClassWeights classWeights)
    implements TrainingJob {

  /** Rows that are held in memory. */
  TextTrainingJob(
      TextModel model, DataSplit split, RowSampling sampling, ClassWeights classWeights) {
    this(model, null, false, split, sampling, classWeights);
  }

  @Override
  public String counts() {
    if (stream != null) {
      return TrainingRows.counts(
          stream, validatesStream ? null : split.validation().size(), split.test().size());
    }
    return String.format(
        Locale.ROOT,
        "%,d rows to train, %,d to validate, %,d to test",
        split.train().size(),
        split.validation().size(),
        split.test().size());
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return stream == null
        ? model.fineTune(split, sampling, weighted(settings), listener)
        : model.fineTune(
            stream, validatesStream ? null : split.validation(), weighted(settings), listener);
  }

  private TuningSettings weighted(TuningSettings settings) {
    if (classWeights == null) {
      return settings;
    }
    Hyperparameters hyperparameters = settings.hyperparameters();
    List<Double> weights = classWeights.of(model.labels(), split.train());
    return settings.withHyperparameters(
        hyperparameters.withLoss(hyperparameters.loss().withClassWeights(weights)));
  }

  @Override
  public Optional<Scores> test() {
    return split.test().isEmpty() ? Optional.empty() : Optional.of(model.evaluate(split.test()));
  }

  /** Scores texts, where windows were scored in the training. */
  @Override
  public Scores validated(Scores best) {
    return model.longTexts().onLong() == OnLong.SPLIT && !validatesStream
        ? model.evaluate(split.validation())
        : best;
  }

  @Override
  public List<String> labels() {
    return model.labels().names();
  }

  @Override
  public void close() {
    if (stream != null) {
      stream.close();
    }
    model.close();
  }
}
