package org.tokentune.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.tokentune.datasets.MaskableTexts;
import org.tokentune.datasets.Split;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.datasets.TokenBatches.Row;
import org.tokentune.datasets.WordMasks;
import org.tokentune.objectives.Scores;
import org.tokentune.text.MaskedLanguageModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/**
 * An encoder on hidden words of texts.
 *
 * @param stream rows that are streamed in place of training rows; null for none
 */
record MaskedTrainingJob(
    MaskedLanguageModel model, WordMasks masks, StreamedRows stream, TrainingRows<Row> rows)
    implements TrainingJob {

  /**
   * Reads the data.
   *
   * @param length tokens of a block, or to which texts are cut; null for the usual
   */
  static MaskedTrainingJob of(
      MaskedLanguageModel model,
      TrainingDataOptions data,
      MaskOptions options,
      Integer length,
      long seed) {
    WordMasks masks = options.masks(model);
    MaskableTexts texts = model.texts(data.columns(), length, options.joined());
    Function<Path, List<Row>> read = texts::rows;
    if (data.stream()) {
      StreamedRows stream = model.stream(data.file(), texts);
      return new MaskedTrainingJob(
          model, masks, stream, TrainingRows.plain(data.besideStream(read, stream::validation)));
    }
    return new MaskedTrainingJob(
        model,
        masks,
        null,
        data.split(
            read,
            (file, share) ->
                texts.joined()
                    ? Split.atEnd(read.apply(file), share)
                    : Split.drawn(read.apply(file), share, seed),
            seed));
  }

  private Split<Row> split() {
    return rows.split();
  }

  @Override
  public String counts() {
    return stream == null
        ? String.format(
            Locale.ROOT,
            "%,d rows of %,d tokens to train, %,d to validate, %,d to test",
            split().train().size(),
            split().train().stream().mapToLong(row -> row.ids().length).sum(),
            split().validation().size(),
            split().test().size())
        : rows.counts(stream);
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return stream == null
        ? model.fineTune(
            split().train(), rows.sampling(), split().validation(), masks, settings, listener)
        : model.fineTune(stream, split().validation(), masks, settings, listener);
  }

  @Override
  public Optional<Scores> test() {
    return split().test().isEmpty()
        ? Optional.empty()
        : Optional.of(model.evaluate(split().test(), masks));
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
