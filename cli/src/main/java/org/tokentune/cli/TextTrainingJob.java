package org.tokentune.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.DataSplit;
import org.tokentune.objectives.Scores;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/** An encoder on labelled texts. */
record TextTrainingJob(TextModel model, DataSplit split) implements TrainingJob {

  @Override
  public String rows() {
    return String.format(
        Locale.ROOT,
        "%,d rows to train, %,d to validate, %,d to test",
        split.train().size(),
        split.validation().size(),
        split.test().size());
  }

  @Override
  public Trainer.Outcome train(TuningSettings settings, FineTuningListener listener) {
    return model.fineTune(split, settings, listener);
  }

  @Override
  public boolean save(Path folder) {
    return model.save(folder);
  }

  @Override
  public long savedBytes() {
    return model.savedBytes();
  }

  @Override
  public void addAdapter(LoraConfig config, long seed) {
    model.addAdapter(config, seed);
  }

  @Override
  public void saveAdapter(Path folder) {
    model.saveAdapter(folder);
  }

  @Override
  public long savedAdapterBytes() {
    return model.savedAdapterBytes();
  }

  @Override
  public Optional<Scores> test() {
    return split.test().isEmpty() ? Optional.empty() : Optional.of(model.evaluate(split.test()));
  }

  @Override
  public List<String> labels() {
    return model.labels().names();
  }

  @Override
  public void close() {
    model.close();
  }
}
