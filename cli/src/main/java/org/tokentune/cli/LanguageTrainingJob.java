package org.tokentune.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Instructions;
import org.tokentune.datasets.Packing;
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
 * @param packed tokens that a row of several texts may have; 0 if each text has its own row
 */
record LanguageTrainingJob(
    LanguageModel model, StreamedRows stream, TrainingRows<Row> rows, int packed)
    implements TrainingJob {

  /** Tokens of a packed row, if no text has more and the model takes as many; TRL's. */
  private static final int USUAL_PACKED = 1024;

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
    return new LanguageTrainingJob(model, null, data.split(read, splitShare, seed), 0);
  }

  /**
   * Trains on instructions.
   *
   * @param packing whether several are put into a row
   * @param length tokens to which they are cut, or null
   */
  static LanguageTrainingJob onInstructions(
      LanguageModel model,
      TrainingDataOptions data,
      PromptTemplate template,
      boolean packing,
      Integer length,
      long seed) {
    int longest = longest(model, length, data.stream() && packing);
    Function<Path, List<Row>> read =
        file -> Instructions.rows(file, template, model.tokenizer(), longest);
    if (data.stream()) {
      StreamedRows stream = model.stream(data.file(), template, longest);
      return onStream(model, packing ? stream.packed() : stream, data, read);
    }
    return of(model, data, read, packing, length, seed);
  }

  /**
   * Trains on conversations.
   *
   * @param packing whether several are put into a row
   * @param length tokens to which they are cut, or null
   */
  static LanguageTrainingJob onChats(
      LanguageModel model,
      TrainingDataOptions data,
      ChatRows chats,
      boolean packing,
      Integer length,
      long seed) {
    if (data.stream()) {
      StreamedRows stream = chats.stream(model, data.file());
      return onStream(model, packing ? stream.packed() : stream, data, chats::read);
    }
    return of(model, data, chats::read, packing, length, seed);
  }

  /**
   * The tokens to which texts are cut.
   *
   * @param length null for as many as the model takes
   * @param packed whether rows must be as long, even if no text is
   */
  static int longest(LanguageModel model, Integer length, boolean packed) {
    return length != null
        ? length
        : packed ? Math.min(USUAL_PACKED, model.maxLength()) : model.maxLength();
  }

  private static LanguageTrainingJob of(
      LanguageModel model,
      TrainingDataOptions data,
      Function<Path, List<Row>> read,
      boolean packing,
      Integer length,
      long seed) {
    TrainingRows<Row> rows =
        data.split(read, (file, share) -> Split.drawn(read.apply(file), share, seed), seed);
    if (!packing) {
      return new LanguageTrainingJob(model, null, rows, 0);
    }
    if (rows.sampling() != null) {
      throw new BadSettingsException(
          "Rows of data with weights are drawn one by one; leave --packing or the weights out.");
    }
    List<Row> train = rows.split().train();
    int most = longest(model, length, true);
    if (length == null) {
      most = Math.max(most, train.stream().mapToInt(row -> row.ids().length).max().orElse(0));
    }
    Split<Row> packed =
        new Split<>(Packing.pack(train, most), rows.split().validation(), rows.split().test());
    return new LanguageTrainingJob(model, null, TrainingRows.plain(packed), most);
  }

  private static LanguageTrainingJob onStream(
      LanguageModel model,
      StreamedRows stream,
      TrainingDataOptions data,
      Function<Path, List<Row>> read) {
    return new LanguageTrainingJob(
        model, stream, TrainingRows.plain(data.besideStream(read, stream::validation)), 0);
  }

  private Split<Row> split() {
    return rows.split();
  }

  @Override
  public String counts() {
    if (stream != null) {
      return rows.counts(stream);
    }
    List<Row> train = split().train();
    long tokens = train.stream().mapToLong(row -> row.ids().length).sum();
    String packing =
        packed == 0
            ? ""
            : String.format(
                Locale.ROOT,
                " (%,d texts packed, on average %.1f of %,d tokens of a row used)",
                train.stream().mapToInt(Packing::texts).sum(),
                tokens / (double) train.size(),
                packed);
    return String.format(
        Locale.ROOT,
        "%,d rows of %,d tokens to train%s, %,d to validate, %,d to test",
        train.size(),
        tokens,
        packing,
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
