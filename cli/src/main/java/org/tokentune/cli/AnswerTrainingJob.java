package org.tokentune.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.objectives.Scores;
import org.tokentune.text.AnswerModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/** An encoder on questions to texts. */
record AnswerTrainingJob(AnswerModel model, Questions questions) implements TrainingJob {

  /** Share of the questions to validate on, where nothing else is said. */
  private static final double VALIDATION = 0.1;

  /** Questions of which some are trained on, and others scored on. */
  record Questions(
      List<SquadQuestion> training, List<SquadQuestion> validation, List<SquadQuestion> testing) {

    /**
     * Reads them; the last questions are validated on, so that hardly any text is in both parts.
     *
     * @param validation a file, a share such as 10%, or null
     * @param test a file, or null
     */
    static Questions read(Path data, String validation, Path test) {
      List<SquadQuestion> questions = SquadQuestion.read(data);
      Double share =
          validation == null ? Double.valueOf(VALIDATION) : DataOptions.share(validation);
      int kept = questions.size();
      List<SquadQuestion> held;
      if (share == null) {
        held = SquadQuestion.read(Path.of(validation));
      } else {
        kept -= Math.max(1, (int) Math.round(kept * share));
        held = questions.subList(kept, questions.size());
      }
      return new Questions(
          questions.subList(0, kept), held, test == null ? List.of() : SquadQuestion.read(test));
    }

    /** The same with so many of the training questions, drawn by the seed. */
    Questions withTrainLimit(int limit, long seed) {
      List<SquadQuestion> drawn = new ArrayList<>(training);
      Collections.shuffle(drawn, new Random(seed));
      return new Questions(drawn.subList(0, Math.min(limit, drawn.size())), validation, testing);
    }
  }

  @Override
  public String rows() {
    return String.format(
        Locale.ROOT,
        "%,d questions to train, %,d to validate, %,d to test",
        questions.training().size(),
        questions.validation().size(),
        questions.testing().size());
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return model.fineTune(questions.training(), questions.validation(), settings, listener);
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
    List<SquadQuestion> testing = questions.testing();
    return testing.isEmpty() ? Optional.empty() : Optional.of(model.evaluate(testing));
  }

  @Override
  public Scores validated(Scores best) {
    return model.evaluate(questions.validation());
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
