package org.tokentune.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.tokentune.datasets.Instructions;
import org.tokentune.datasets.PromptTemplate;
import org.tokentune.datasets.Split;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.datasets.TextBlocks;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches.Row;
import org.tokentune.objectives.Scores;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/**
 * A decoder on plain text, on instructions or on conversations.
 *
 * @param stream rows that are streamed in place of training rows; null for none
 */
record LanguageTrainingJob(LanguageModel model, StreamedRows stream, TrainingRows<Row> rows)
    implements TrainingJob {

  /**
   * Trains on plain text, or on the texts in a file of rows.
   *
   * @param length tokens of a block, or null
   */
  static LanguageTrainingJob onText(
      LanguageModel model, TrainingDataOptions data, Integer length, long seed) {
    TextTokenizer tokenizer = model.tokenizer();
    int block = length == null ? model.blockLength() : length;
    Function<Path, List<Row>> read =
        file -> TextBlocks.rows(file, data.columns(), tokenizer, block);
    if (data.stream()) {
      return onStream(model, model.stream(data.file(), data.columns(), block), data, read);
    }
    BiFunction<Path, Double, Split<Row>> splitShare =
        (file, share) ->
            TextBlocks.split(TextBlocks.tokens(file, data.columns(), tokenizer), share, block);
    return new LanguageTrainingJob(model, null, data.split(read, splitShare, seed));
  }

  /**
   * Trains on instructions.
   *
   * @param length tokens to which they are cut, or null
   */
  static LanguageTrainingJob onInstructions(
      LanguageModel model,
      TrainingDataOptions data,
      PromptTemplate template,
      Integer length,
      long seed) {
    int longest = length == null ? model.maxLength() : length;
    Function<Path, List<Row>> read =
        file -> Instructions.rows(file, template, model.tokenizer(), longest);
    if (data.stream()) {
      return onStream(model, model.stream(data.file(), template, longest), data, read);
    }
    BiFunction<Path, Double, Split<Row>> splitShare =
        (file, share) -> Split.drawn(read.apply(file), share, seed);
    return new LanguageTrainingJob(model, null, data.split(read, splitShare, seed));
  }

  /** Trains on conversations. */
  static LanguageTrainingJob onChats(
      LanguageModel model, TrainingDataOptions data, ChatRows chats, long seed) {
    BiFunction<Path, Double, Split<Row>> splitShare =
        (file, share) -> Split.drawn(chats.read(file), share, seed);
    return new LanguageTrainingJob(model, null, data.split(chats::read, splitShare, seed));
  }

  private static LanguageTrainingJob onStream(
      LanguageModel model,
      StreamedRows stream,
      TrainingDataOptions data,
      Function<Path, List<Row>> read) {
    return new LanguageTrainingJob(
        model, stream, TrainingRows.plain(data.besideStream(read, stream::validation)));
  }

  private Split<Row> split() {
    return rows.split();
  }

  @Override
  public String counts() {
    if (stream != null) {
      return String.format(
          Locale.ROOT,
          "%,d bytes to stream, %,d rows to validate, %,d to test",
          stream.size(),
          split().validation().size(),
          split().test().size());
    }
    return String.format(
        Locale.ROOT,
        "%,d rows of %,d tokens to train, %,d to validate, %,d to test",
        split().train().size(),
        split().train().stream().mapToLong(row -> row.ids().length).sum(),
        split().validation().size(),
        split().test().size());
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return stream == null
        ? model.fineTune(split().train(), rows.sampling(), split().validation(), settings, listener)
        : model.fineTune(stream, split().validation(), settings, listener);
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
