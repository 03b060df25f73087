package org.tokentune.text;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadDataException;
import org.tokentune.adapters.Adapter;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.files.Digest;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainable;
import org.tokentune.train.Trainer;
import org.tokentune.train.TrainingData;
import org.tokentune.train.TrainingStep;

/**
 * Fine-tuning of a model, or of the adapters on it, on tokenised rows.
 *
 * @param adapter on the model; null: the model itself trains
 * @param tokenizer that the rows were made by
 * @param steps creates what makes the steps
 */
record Tuning(
    TransformerModel model,
    Parameters parameters,
    Adapter adapter,
    TextTokenizer tokenizer,
    TrainingStep.Factory steps) {

  /**
   * Fine-tunes in place and keeps the weights that validate best.
   *
   * @param sampling of the training rows; null: each of them once in an epoch
   * @param validation none: the last weights are kept
   * @param evaluationBatch rows that are validated together
   */
  Trainer.Outcome run(
      List<TokenBatches.Row> train,
      RowSampling sampling,
      List<TokenBatches.Row> validation,
      int evaluationBatch,
      TuningSettings settings,
      FineTuningListener listener) {
    if (train.isEmpty()) {
      throw new BadDataException("There are no training rows; give some.");
    }
    Objective task = model.head().task();
    long seed = settings.hyperparameters().seed();
    return run(
        epoch -> TokenBatches.shuffled(train, task, sampling, settings.batchSize(), seed, epoch),
        () -> digest(train),
        sampling,
        validation,
        evaluationBatch,
        settings,
        listener);
  }

  /**
   * The same with batches.
   *
   * @param train an epoch's batches, by its number from 0
   * @param trainDigest identifies their rows
   * @param sampling by which the batches were made; null: none
   */
  Trainer.Outcome run(
      IntFunction<MultiDataSetIterator> train,
      Supplier<String> trainDigest,
      RowSampling sampling,
      List<TokenBatches.Row> validation,
      int evaluationBatch,
      TuningSettings settings,
      FineTuningListener listener) {
    return run(
        train,
        trainDigest,
        sampling,
        validation.isEmpty()
            ? null
            : TokenBatches.byLength(validation, model.head().task(), evaluationBatch),
        () -> digest(validation),
        settings,
        listener);
  }

  /**
   * The same with batches of validation rows.
   *
   * @param validation null: none, and the last weights are kept
   * @param validationDigest identifies its rows
   */
  Trainer.Outcome run(
      IntFunction<MultiDataSetIterator> train,
      Supplier<String> trainDigest,
      RowSampling sampling,
      MultiDataSetIterator validation,
      Supplier<String> validationDigest,
      TuningSettings settings,
      FineTuningListener listener) {
    Trainer trainer =
        new Trainer(
            model,
            parameters,
            adapter == null
                ? Trainable.parse(settings.trainable(), model)
                : adapter.model()::trains,
            settings.selector(!model.head().perToken()),
            settings.hyperparameters(),
            settings.run(),
            listener);
    return trainer.fit(
        new TrainingData(
            train,
            validation,
            () -> identity(trainDigest.get(), sampling, validationDigest.get(), settings),
            tokenizer::quoted),
        steps);
  }

  private Map<String, String> identity(
      String trainDigest, RowSampling sampling, String validationDigest, TuningSettings settings) {
    Map<String, String> identity = new LinkedHashMap<>();
    identity.put("training data", trainDigest);
    identity.put("validation data", validationDigest);
    identity.put("batch size", Integer.toString(settings.batchSize()));
    identity.put("tokens", settings.tokens());
    identity.put("least tokens", Integer.toString(settings.minTokens()));
    identity.put("trainable", adapter == null ? settings.trainable() : "adapters");
    identity.put("LoRA", adapter == null ? "none" : adapter.model().lora().toString());
    if (sampling != null) { // came later; absent without it, as in earlier checkpoints
      int[] parts = sampling.parts().stream().mapToInt(Integer::intValue).toArray();
      identity.put("sampling", sampling.weights() + " of " + new Digest().add(parts).hex());
    }
    return identity;
  }

  static String digest(List<TokenBatches.Row> rows) {
    Digest digest = new Digest();
    rows.forEach(row -> digest.add(row.ids()).add(row.typeIds()).add(row.labels()));
    return digest.hex();
  }
}
