package org.tokentune.text;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadInputException;
import org.tokentune.adapters.Adapter;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.models.Model;
import org.tokentune.models.Task;
import org.tokentune.nn.Parameters;
import org.tokentune.train.FineTuner;
import org.tokentune.train.Trainable;
import org.tokentune.train.TrainingListener;

/**
 * Fine-tuning of a model, or of the adapters on it, on tokenised rows.
 *
 * @param adapter on the model; null: the model itself trains
 */
record Tuning(Model model, Parameters parameters, Adapter adapter) {

  /**
   * Fine-tunes in place and keeps the weights that validate best.
   *
   * @param evaluationBatch rows that are validated together
   * @param started gets the tuner before the first step, to stop it early
   */
  FineTuner.Outcome run(
      List<TokenBatches.Row> train,
      List<TokenBatches.Row> validation,
      int evaluationBatch,
      TuningSettings settings,
      TrainingListener listener,
      Consumer<FineTuner> started) {
    if (train.isEmpty() || validation.isEmpty()) {
      throw new BadInputException(
          "There are %d training and %d validation rows; give some of both.",
          train.size(), validation.size());
    }
    Task task = model.head().task();
    long seed = settings.hyperparameters().seed();
    return run(
        epoch -> TokenBatches.shuffled(train, task, settings.batchSize(), seed, epoch),
        TokenBatches.byLength(validation, task, evaluationBatch),
        settings,
        listener,
        started);
  }

  /**
   * The same with batches.
   *
   * @param train an epoch's batches, by its number from 0
   */
  FineTuner.Outcome run(
      IntFunction<MultiDataSetIterator> train,
      MultiDataSetIterator validation,
      TuningSettings settings,
      TrainingListener listener,
      Consumer<FineTuner> started) {
    FineTuner tuner =
        new FineTuner(
            model,
            parameters,
            adapter == null
                ? Trainable.parse(settings.trainable(), model)
                : adapter.model()::trains,
            settings.selector(!model.head().perToken()),
            settings.hyperparameters(),
            listener);
    started.accept(tuner);
    return tuner.fit(train, validation);
  }
}
