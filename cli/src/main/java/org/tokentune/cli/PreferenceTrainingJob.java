package org.tokentune.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.PreferenceTokens;
import org.tokentune.datasets.Preferences;
import org.tokentune.datasets.Split;
import org.tokentune.objectives.Scores;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/** A decoder on preferences. */
record PreferenceTrainingJob(LanguageModel model, double beta, TrainingRows<PreferenceTokens> rows)
    implements TrainingJob {

  /** Tokens to which rows are cut, if the model takes as many; TRL's. */
  static final int USUAL_LENGTH = 1024;

  /**
   * Reads preferences.
   *
   * @param template the name of a chat template; null: the model's own
   * @param length tokens to which rows are cut, or null
   */
  static PreferenceTrainingJob of(
      LanguageModel model,
      TrainingDataOptions data,
      String template,
      double beta,
      Integer length,
      long seed) {
    Function<Path, List<PreferenceTokens>> read = file -> read(model, file, template, length);
    BiFunction<Path, Double, Split<PreferenceTokens>> splitShare =
        (file, share) -> Split.drawn(read.apply(file), share, seed);
    TrainingRows<PreferenceTokens> rows = data.split(read, splitShare, seed);
    if (!rows.split().test().isEmpty()) {
      throw new BadSettingsException(
          "--test is not for dpo; score the result with evaluate --task dpo, which takes a reference.");
    }
    return new PreferenceTrainingJob(model, beta, rows);
  }

  /** The rows of a file. */
  static List<PreferenceTokens> read(
      LanguageModel model, Path file, String template, Integer length) {
    int longest = length == null ? Math.min(USUAL_LENGTH, model.maxLength()) : length;
    return Preferences.rows(
        Preferences.read(file), model.tokenizer(), () -> model.chats(template), longest);
  }

  private Split<PreferenceTokens> split() {
    return rows.split();
  }

  @Override
  public String counts() {
    return String.format(
        Locale.ROOT,
        "%,d preferences to train (beta %s), %,d to validate",
        split().train().size(),
        beta,
        split().validation().size());
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return model.prefer(
        split().train(), rows.sampling(), split().validation(), beta, settings, listener);
  }

  @Override
  public Optional<Scores> test() {
    return Optional.empty();
  }

  @Override
  public List<String> labels() {
    return List.of();
  }

  @Override
  public void close() {
    model.close();
  }
}
