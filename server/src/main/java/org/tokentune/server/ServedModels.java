package org.tokentune.server;

import java.nio.file.Path;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.datasets.OnLong;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Architectures;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.SentenceEncoder;
import org.tokentune.text.TextModel;

/** A model and adapters on it, by their names. */
final class ServedModels implements AutoCloseable {

  private final Map<String, ServedModel> models = new LinkedHashMap<>();
  private final ServedFiles served;
  private final ServerSettings settings;
  private final Metrics metrics;

  private ServedModels(ServedFiles served, ServerSettings settings, Metrics metrics) {
    this.served = served;
    this.settings = settings;
    this.metrics = metrics;
  }

  /**
   * Opens a model, and each of its adapters as a model of its own name. A base that answers nothing
   * without adapters, as an encoder does whose adapters bring the head, is not served itself.
   */
  static ServedModels open(
      ModelFiles files, ServedFiles served, ServerSettings settings, Metrics metrics) {
    ServedModels opened = new ServedModels(served, settings, metrics);
    boolean complete = false;
    try {
      opened.openAll(files);
      complete = true;
      return opened;
    } finally {
      if (!complete) {
        opened.close();
      }
    }
  }

  private void openAll(ModelFiles files) {
    if (ModelConfig.read(files.config(), files.name()).causal()) {
      openDecoders(files);
    } else {
      openEncoders(files);
    }
  }

  private void openDecoders(ModelFiles files) {
    LanguageModel base = LanguageModel.open(files, null, served.storage());
    addGenerator(served.name(), files, base);
    served
        .adapters()
        .forEach((name, folder) -> addGenerator(name, files, base.withAdapter(folder)));
  }

  private void openEncoders(ModelFiles files) {
    if (served.template() != null) {
      throw BadSettingsException.of(
          "template", "is for chats, and %s is no language model; leave it out.", files.name());
    }
    boolean share = !served.adapters().isEmpty() && served.storage() == WeightStorage.FLOAT32;
    ModelFiles shared = share ? SharedWeights.of(files) : files;
    boolean head = hasHead(files);
    if (head) {
      addClassifier(served.name(), TextModel.openAs(shared, served.storage()));
    } else if (served.adapters().values().stream().noneMatch(ServedModels::bringsHead)) {
      addEncoder(served.name(), shared, List.of());
    }
    served
        .adapters()
        .forEach(
            (name, folder) -> {
              List<WeightedAdapter> one = List.of(WeightedAdapter.of(folder));
              if (head || bringsHead(folder)) {
                addClassifier(
                    name, TextModel.open(shared, one, Adapter.Combination.CAT, served.storage()));
              } else {
                addEncoder(name, shared, one);
              }
            });
  }

  /** Whether a model has a head over whole texts or words. */
  private static boolean hasHead(ModelFiles files) {
    int outputs = Head.outputs(files.weights()).orElse(0);
    return outputs > 0
        && Architectures.task(files.config(), outputs)
            .filter(task -> task != Objectives.MASKED_LM)
            .isPresent();
  }

  private static boolean bringsHead(Path adapter) {
    try (AdapterFolder folder = AdapterFolder.open(adapter)) {
      return folder.outputs().isPresent();
    }
  }

  private void addGenerator(String name, ModelFiles files, LanguageModel model) {
    add(model::close, () -> new ServedGenerator(name, files, model, served.template(), settings));
  }

  private void addClassifier(String name, TextModel model) {
    add(model::close, () -> classifier(name, model));
  }

  private ServedClassifier classifier(String name, TextModel model) {
    Objective task = model.labels().task();
    if (task == Objectives.QUESTION_ANSWERING) {
      throw new BadSettingsException(
          "%s answers questions, which is not served; name a language model, a classifier, a"
              + " cross-encoder or a sentence encoder.",
          name);
    }
    if (served.onLong() != null) {
      model.setLongTexts(model.longTexts().withOnLong(served.onLong()));
    }
    return new ServedClassifier(name, model, settings, texts -> metrics.batch(name, texts));
  }

  private void addEncoder(String name, ModelFiles files, List<WeightedAdapter> adapters) {
    OnLong onLong = served.onLong() == null ? OnLong.CUT : served.onLong();
    SentenceEncoder encoder = SentenceEncoder.open(files, null, onLong, served.storage(), adapters);
    add(
        encoder::close,
        () -> new ServedEncoder(name, encoder, settings, texts -> metrics.batch(name, texts)));
  }

  /** Adds what is made of a model, which is closed if that fails. */
  private void add(Runnable close, Supplier<ServedModel> made) {
    ServedModel added = null;
    try {
      added = made.get();
      models.put(added.name(), added);
    } finally {
      if (added == null) {
        close.run();
      }
    }
  }

  Collection<ServedModel> all() {
    return models.values();
  }

  /**
   * The model that a request names.
   *
   * @param name null: the first
   * @throws ApiException if there is none of this name
   */
  ServedModel find(String name) {
    ServedModel found = name == null ? first() : models.get(name);
    if (found == null) {
      throw ApiException.refused(
          404,
          "model_not_found",
          "There is no model %s here; there is %s.",
          RequestFields.shortened(name),
          String.join(", ", models.keySet()));
    }
    return found;
  }

  private ServedModel first() {
    return models.values().iterator().next();
  }

  /**
   * The model that a request names, if it is of the kind that can answer.
   *
   * @throws ApiException if it is of another kind
   */
  <M extends ServedModel> M find(String name, Class<M> kind, String path) {
    ServedModel found = find(name);
    boolean answers = found instanceof ServedGenerator || found.paths().contains(path);
    if (kind.isInstance(found) && answers) { // a generator says itself why it reads no chats
      return kind.cast(found);
    }
    throw ApiException.refused(
        400,
        "model_not_supported",
        "%s is %s, which does not answer %s; it answers %s.",
        found.name(),
        found.kind(),
        path,
        String.join(" and ", found.paths()));
  }

  @Override
  public void close() {
    close(models.values().iterator());
  }

  /** Closes them all, even if one fails to. */
  private static void close(Iterator<ServedModel> left) {
    if (left.hasNext()) {
      try {
        left.next().close();
      } finally {
        close(left);
      }
    }
  }
}
