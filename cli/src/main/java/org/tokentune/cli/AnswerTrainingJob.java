package org.tokentune.cli;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tokentune.datasets.Split;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.objectives.Scores;
import org.tokentune.text.AnswerModel;
import org.tokentune.text.FineTunedModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/** An encoder on questions to texts. */
record AnswerTrainingJob(AnswerModel answers, TrainingRows<SquadQuestion> rows)
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
    return answers.fineTune(
        questions().train(), rows.sampling(), questions().validation(), settings, listener);
  }

  @Override
  public FineTunedModel model() {
    return answers.model();
  }

  @Override
  public Optional<Scores> test() {
    List<SquadQuestion> test = questions().test();
    return test.isEmpty() ? Optional.empty() : Optional.of(answers.evaluate(test));
  }

  @Override
  public Scores validated(Scores best) {
    return answers.evaluate(questions().validation());
  }

  @Override
  public List<String> labels() {
    return List.of();
  }

  @Override
  public void close() {
    answers.close();
  }
}
