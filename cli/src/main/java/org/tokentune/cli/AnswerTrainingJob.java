package org.tokentune.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.Split;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.objectives.Scores;
import org.tokentune.text.AnswerModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/** An encoder on questions to texts. */
record AnswerTrainingJob(AnswerModel model, TrainingRows<SquadQuestion> rows)
    implements TrainingJob {

  private Split<SquadQuestion> questions() {
    return rows.split();
  }

  @Override
  public String counts() {
    return String.format(
        Locale.ROOT,
        "%,d questions to train, %,d to validate, %,d to test",
        questions().train().size(),
        questions().validation().size(),
        questions().test().size());
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return model.fineTune(
        questions().train(), rows.sampling(), questions().validation(), settings, listener);
  }

  @Override
  public boolean save(Path folder) {
    return model.model().save(folder);
  }

  @Override
  public long savedBytes() {
    return model.model().savedBytes();
  }

  @Override
  public void addAdapter(LoraConfig config, long seed) {
    model.model().addAdapter(config, seed);
  }

  @Override
  public void saveAdapter(Path folder) {
    model.model().saveAdapter(folder);
  }

  @Override
  public long savedAdapterBytes() {
    return model.model().savedAdapterBytes();
  }

  @Override
  public Optional<Scores> test() {
    List<SquadQuestion> test = questions().test();
    return test.isEmpty() ? Optional.empty() : Optional.of(model.evaluate(test));
  }

  @Override
  public Scores validated(Scores best) {
    return model.evaluate(questions().validation());
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
