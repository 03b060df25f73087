package org.tokentune.text;

import java.nio.file.Path;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.train.TrainingStep;

/** A model that is fine-tuned, whatever for: it takes adapters and is saved. */
public interface FineTunedModel extends AutoCloseable {

  /** Puts new adapters on the model, which then train in its place. */
  void addAdapter(LoraConfig config, long seed);

  /**
   * Sets what makes the steps of trainings from now on: by default {@link
   * org.tokentune.train.LocalStep}s, in this process.
   */
  void trainBy(TrainingStep.Factory newSteps);

  /** Saves the model; returns whether SameDiff's file is among its files. */
  boolean save(Path folder);

  /** Bytes that {@link #save} writes, except for small files. */
  long savedBytes();

  /** Saves the adapters and other trained parameters, without the base. */
  void saveAdapter(Path folder);

  /** Bytes that {@link #saveAdapter} writes, except for small files. */
  long savedAdapterBytes();

  @Override
  void close();
}
