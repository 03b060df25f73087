package org.tokentune.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.Instructions;
import org.tokentune.datasets.PromptTemplate;
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
 * A decoder on plain text or on instructions.
 *
 * @param stream rows that are streamed in place of training rows; null for none
 */
record LanguageTrainingJob(
    LanguageModel model,
    StreamedRows stream,
    List<Row> training,
    List<Row> validation,
    List<Row> testing)
    implements TrainingJob {

  /** Share of the data to validate on, where nothing else is said. */
  private static final double VALIDATION = 0.1;

  /** Tokens of a block, where nothing else is said. */
  private static final int BLOCK = 128;

  /**
   * Plain text, or the texts of rows, in blocks; the last part of it is validated on, so that no
   * block is in both.
   *
   * @param columns the text's column in a file of rows
   * @param validation a file, a share such as 10%, or null
   * @param test a file, or null
   * @param length tokens of a block, or null
   */
  static LanguageTrainingJob onText(
      LanguageModel model,
      Path data,
      Columns columns,
      String validation,
      Path test,
      Integer length) {
    TextTokenizer tokenizer = model.tokenizer();
    int block = block(model, length);
    int[] tokens = TextBlocks.tokens(data, columns, tokenizer);
    Double share = validation == null ? Double.valueOf(VALIDATION) : DataOptions.share(validation);
    int[] held;
    if (share == null) {
      held = TextBlocks.tokens(Path.of(validation), columns, tokenizer);
    } else {
      int kept = (int) Math.round(tokens.length * (1 - share));
      held = Arrays.copyOfRange(tokens, kept, tokens.length);
      tokens = Arrays.copyOf(tokens, kept);
    }
    List<Row> testing = test == null ? List.of() : blocks(model, test, columns, block);
    return new LanguageTrainingJob(
        model, null, TextBlocks.cut(tokens, block), TextBlocks.cut(held, block), testing);
  }

  /** Plain text that is streamed. */
  static LanguageTrainingJob onTextStream(
      LanguageModel model,
      Path data,
      Columns columns,
      String validation,
      Path test,
      Integer length) {
    int block = block(model, length);
    return onStream(
        model,
        model.stream(data, columns, block),
        validation,
        test,
        file -> blocks(model, file, columns, block));
  }

  /** Instructions that are streamed. */
  static LanguageTrainingJob onInstructionStream(
      LanguageModel model,
      Path data,
      String validation,
      Path test,
      Integer length,
      PromptTemplate template) {
    int longest = longest(model, length);
    return onStream(
        model,
        model.stream(data, template, longest),
        validation,
        test,
        file -> rows(model, file, template, longest));
  }

  /**
   * The last chunk is validated on where there is no file for it.
   *
   * @param read reads a whole file's rows
   */
  private static LanguageTrainingJob onStream(
      LanguageModel model,
      StreamedRows stream,
      String validation,
      Path test,
      Function<Path, List<Row>> read) {
    if (validation != null && DataOptions.share(validation) != null) {
      throw new BadInputException(
          "Of a stream no share is taken to validate on; leave --validation %s out or name a"
              + " file.",
          validation);
    }
    return new LanguageTrainingJob(
        model,
        stream,
        List.of(),
        validation == null ? stream.validation() : read.apply(Path.of(validation)),
        test == null ? List.of() : read.apply(test));
  }

  private static int block(LanguageModel model, Integer length) {
    return length == null ? Math.min(BLOCK, model.maxLength()) : length;
  }

  private static List<Row> blocks(LanguageModel model, Path file, Columns columns, int block) {
    return TextBlocks.cut(TextBlocks.tokens(file, columns, model.tokenizer()), block);
  }

  /** Instructions; some of them, drawn by the seed, are validated on. */
  static LanguageTrainingJob onInstructions(
      LanguageModel model,
      Path data,
      String validation,
      Path test,
      Integer length,
      PromptTemplate template,
      long seed) {
    int longest = longest(model, length);
    List<Row> rows = rows(model, data, template, longest);
    Double share = validation == null ? Double.valueOf(VALIDATION) : DataOptions.share(validation);
    List<Row> held;
    if (share == null) {
      held = rows(model, Path.of(validation), template, longest);
    } else {
      rows = new ArrayList<>(rows);
      Collections.shuffle(rows, new Random(seed));
      int kept = (int) Math.round(rows.size() * (1 - share));
      held = List.copyOf(rows.subList(kept, rows.size()));
      rows = List.copyOf(rows.subList(0, kept));
    }
    List<Row> testing = test == null ? List.of() : rows(model, test, template, longest);
    return new LanguageTrainingJob(model, null, rows, held, testing);
  }

  private static int longest(LanguageModel model, Integer length) {
    return length == null ? model.maxLength() : length;
  }

  private static List<Row> rows(
      LanguageModel model, Path file, PromptTemplate template, int longest) {
    return Instructions.rows(file, template, model.tokenizer(), longest);
  }

  /** The same with so many of the training rows, drawn by the seed. */
  LanguageTrainingJob withTrainLimit(int limit, long seed) {
    List<Row> drawn = new ArrayList<>(training);
    Collections.shuffle(drawn, new Random(seed));
    return new LanguageTrainingJob(
        model, null, drawn.subList(0, Math.min(limit, drawn.size())), validation, testing);
  }

  @Override
  public String rows() {
    if (stream != null) {
      return String.format(
          Locale.ROOT,
          "%,d bytes to stream, %,d rows to validate, %,d to test",
          stream.size(),
          validation.size(),
          testing.size());
    }
    return String.format(
        Locale.ROOT,
        "%,d rows of %,d tokens to train, %,d to validate, %,d to test",
        training.size(),
        training.stream().mapToLong(row -> row.ids().length).sum(),
        validation.size(),
        testing.size());
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return stream == null
        ? model.fineTune(training, validation, settings, listener)
        : model.fineTune(stream, validation, settings, listener);
  }

  @Override
  public boolean save(Path folder) {
    return model.save(folder);
  }

  @Override
  public long savedBytes() {
    return model.savedBytes();
  }

  @Override
  public void addAdapter(LoraConfig config, long seed) {
    model.addAdapter(config, seed);
  }

  @Override
  public void saveAdapter(Path folder) {
    model.saveAdapter(folder);
  }

  @Override
  public long savedAdapterBytes() {
    return model.savedAdapterBytes();
  }

  @Override
  public Optional<Scores> test() {
    return testing.isEmpty() ? Optional.empty() : Optional.of(model.evaluate(testing));
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
