package org.tokentune.text;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.train.LocalStep;
import org.tokentune.train.TrainingStep;

/** A model's weights and the adapters on them: what all fine-tuned models have in common. */
abstract class AdaptableModel implements FineTunedModel {

  final ModelFiles files;
  TransformerModel model; // with its adapters
  Parameters parameters;
  Adapter adapter; // null for none
  private TrainingStep.Factory steps = LocalStep::new;
  private volatile boolean closed;

  AdaptableModel(ModelFiles files, TransformerModel model, Parameters parameters) {
    this.files = files;
    this.model = model;
    this.parameters = parameters;
  }

  @Override
  public final void trainBy(TrainingStep.Factory newSteps) {
    required(newSteps, "newSteps");

    steps = newSteps;
  }

  /**
   * Fine-tuning of this model, or of the adapters on it.
   *
   * @param trained the model with the head to train
   * @param tokenizer that the rows are made by
   */
  final Tuning tuning(TransformerModel trained, TextTokenizer tokenizer) {
    return new Tuning(trained, parameters, adapter, tokenizer, steps);
  }

  /** Puts adapters on the model, which must have none. */
  final void adapt(Supplier<Adapter> made) {
    checkOpen();
    if (adapter != null) {
      throw new BadSettingsException(
          "%s has adapters already, on %s; train these, or save the model, which merges them, and"
              + " add others to what was saved.",
          files.name(), String.join(", ", adapter.model().lora().targets()));
    }
    set(made.get());
  }

  void set(Adapter newAdapter) {
    adapter = newAdapter;
    model = newAdapter.model();
    parameters = newAdapter.parameters();
  }

  /** Several trained adapters as one. */
  static Adapter combined(
      List<WeightedAdapter> adapters,
      Adapter.Combination combination,
      Function<Path, Adapter> read) {
    return Adapter.combined(
        adapters.stream().map(one -> read.apply(one.folder())).toList(),
        adapters.stream().map(WeightedAdapter::weight).toList(),
        combination);
  }

  /** Bytes that {@link #save} writes, except for small files. */
  @Override
  public final long savedBytes() {
    return SavedModel.bytes(parameters);
  }

  /** Saves the adapters and what else was trained, without the base, in PEFT's format. */
  @Override
  public final void saveAdapter(Path folder) {
    required(folder, "folder");

    checkOpen();
    requireAdapters();
    SavedModel.writeAdapter(folder, adapterConfig(), adapter, files);
  }

  /** The configuration beside saved adapters, which says what outputs mean; null for none. */
  JsonNode adapterConfig() {
    return null;
  }

  /** Bytes that {@link #saveAdapter} writes, except for small files. */
  @Override
  public final long savedAdapterBytes() {
    requireAdapters();
    return adapter.bytes();
  }

  private void requireAdapters() {
    if (adapter == null) {
      throw new BadSettingsException(
          "%s has no adapters to save; add some first, or save the whole model.", files.name());
    }
  }

  final void checkOpen() {
    if (closed) {
      throw new BadInputException("%s is closed; open the model again.", files.name());
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
