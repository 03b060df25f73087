package org.tokentune.cli;

import java.util.List;
import java.util.Optional;
import org.tokentune.objectives.Scores;
import org.tokentune.text.FineTunedModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/** A model and its data, ready to be trained. */
interface TrainingJob extends AutoCloseable {

  /** The numbers of rows to train, to validate and to test on. */
  String counts();

  /** Trains. */
  Trainer.Outcome train(TuningSettings settings, FineTuningListener listener);

  /** The model. */
  FineTunedModel model();

  /** Scores on the test rows, if there are any. */
  Optional<Scores> test();

  /**
   * Scores on the validation rows, to report.
   *
   * @param best the scores that the training itself computed
   * @return null if there are no such rows
   */
  default Scores validated(Scores best) {
    return best;
  }

  /** Names of the labels; empty if there are none. */
  List<String> labels();

  @Override
  void close();
}
