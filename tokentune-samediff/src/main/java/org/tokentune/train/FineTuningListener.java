package org.tokentune.train;

/** Listens to a training, and can stop it. */
public interface FineTuningListener {

  /**
   * Called before the first step, with the memory of the largest one as planned. An exception ends
   * the training.
   */
  default void onPlan(StepMemoryReport memory) {}

  /** Called before the first step of a resumed training, with the number of steps made before. */
  default void onResume(int step) {}

  /**
   * Called before the first step of an epoch, or the first one after resuming within it.
   *
   * @param epoch from 1
   */
  default void onEpochStart(int epoch) {}

  /** Called after the last step of an epoch. */
  default void onEpochEnd(int epoch) {}

  /** Called after a step, whether it updated the parameters or was skipped. */
  default void onStep(StepReport step) {}

  /** Called after an evaluation on the validation rows. */
  default void onEvaluation(EvaluationResult evaluation) {}

  /** Whether to stop the training. Called before each step; any thread may change the answer. */
  default boolean stops() {
    return false;
  }

  /**
   * Combines this listener with another one, which is called second. Either can stop the training.
   */
  default FineTuningListener andThen(FineTuningListener next) {
    FineTuningListener first = this;
    return new FineTuningListener() {
      @Override
      public void onPlan(StepMemoryReport memory) {
        first.onPlan(memory);
        next.onPlan(memory);
      }

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
