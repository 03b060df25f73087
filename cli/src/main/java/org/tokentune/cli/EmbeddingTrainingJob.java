package org.tokentune.cli;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.datasets.Split;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Scores;
import org.tokentune.text.EmbeddingModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/**
 * A sentence encoder on texts that belong together.
 *
 * @param stream rows that are streamed in place of training rows; null for none
 * @param validatesStream whether the end of the stream is validated on
 */
record EmbeddingTrainingJob(
    EmbeddingModel model,
    EmbeddingLoss loss,
    StreamedRows stream,
    boolean validatesStream,
    TrainingRows<RelatedTexts> rows)
    implements TrainingJob {

  private Split<RelatedTexts> split() {
    return rows.split();
  }

  @Override
  public String counts() {
    if (stream != null) {
      return rows.counts(stream, validatesStream);
    }
    return String.format(
        Locale.ROOT,
        "%,d rows of %d texts to train (loss %s), %,d to validate, %,d to test",
        split().train().size(),
        loss.columns(),
        loss.kind(),
        split().validation().size(),
        split().test().size());
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return stream == null
        ? model.fineTune(split().train(), rows.sampling(), split().validation(), settings, listener)
        : model.fineTune(stream, validatesStream ? null : split().validation(), settings, listener);
  }

  @Override
  public Optional<Scores> test() {
    return split().test().isEmpty()
        ? Optional.empty()
        : Optional.of(model.evaluate(split().test()));
  }

  @Override
  public List<String> labels() {
    return List.of();
  }

  @Override
  public void close() {
    if (stream != null) {
      stream.close();
    }
    model.close();
  }
}
