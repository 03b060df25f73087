package org.tokentune.train;

/** Follows a training, and can stop it. */
public interface FineTuningListener {

  /**
   * Before the first step, where the training goes on after so many steps that were made before.
   */
  default void onResume(int step) {}

  /**
   * Before an epoch's first step, or its first one since the training was resumed.
   *
   * @param epoch from 1
   */
  default void onEpochStart(int epoch) {}

  /** After an epoch's last step. */
  default void onEpochEnd(int epoch) {}

  /** After a step, whether it updated the parameters or was passed over. */
  default void onStep(StepReport step) {}

  /** After an evaluation on the validation rows. */
  default void onEvaluation(EvaluationResult evaluation) {}

  /**
   * Whether the training is to end. Asked before each step; the answer may be given by any thread.
   */
  default boolean stops() {
    return false;
  }

  /** This listener, and then another; either of them can stop the training. */
  default FineTuningListener andThen(FineTuningListener next) {
    FineTuningListener first = this;
    return new FineTuningListener() {
      @Override
      public void onResume(int step) {
        first.onResume(step);
        next.onResume(step);
      }

      @Override
      public void onEpochStart(int epoch) {
        first.onEpochStart(epoch);
        next.onEpochStart(epoch);
      }

      @Override
      public void onEpochEnd(int epoch) {
        first.onEpochEnd(epoch);
        next.onEpochEnd(epoch);
      }

      @Override
      public void onStep(StepReport step) {
        first.onStep(step);
        next.onStep(step);
      }

      @Override
      public void onEvaluation(EvaluationResult evaluation) {
        first.onEvaluation(evaluation);
        next.onEvaluation(evaluation);
      }

      @Override
      public boolean stops() {
        return first.stops() || next.stops();
      }
    };
  }
}
