package org.tokentune.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.WeightStorage;
import org.tokentune.text.EmbeddingModel;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.MaskedLanguageModel;
import org.tokentune.text.TextModel;
import picocli.CommandLine.Option;

/** Options for trained adapters on a model. */
final class AppliedAdapters {

  @Option(
      names = "--adapter",
      paramLabel = "DIR[:WEIGHT]",
      description = {
        "Adapters on the model: a folder that train --lora wrote, or PEFT. Given several times, all of",
        "them, each with its weight (default 1): a:0.5 for half of a's update."
      })
  private List<String> adapters = new ArrayList<>();

  @Option(
      names = "--combine",
      paramLabel = "cat|linear",
      description = {
        "Several adapters add up (cat), or their matrices A and B do, each for itself (linear: equal",
        "ranks only, and not the sum of the updates); PEFT's names. Default ${DEFAULT-VALUE}."
      })
  private Adapter.Combination combination = Adapter.Combination.CAT;

  boolean areGiven() {
    return !adapters.isEmpty();
  }

  private List<WeightedAdapter> parsed() {
    return adapters.stream().map(WeightedAdapter::parse).toList();
  }

  /** Whether some adapters have a head of their own, which makes no vectors. */
  boolean haveHead() {
    for (WeightedAdapter one : parsed()) {
      try (AdapterFolder folder = AdapterFolder.open(one.folder())) {
        if (folder.outputs().isPresent()) {
          return true;
        }
      }
    }
    return false;
  }

  /** Opens a model with its head, with the adapters if there are any. */
  TextModel open(ModelFiles files, WeightStorage storage) {
    return adapters.isEmpty()
        ? TextModel.openAs(files, storage)
        : TextModel.open(files, parsed(), combination, storage);
  }

  /** Puts adapters, if there are any, on a sentence encoder. */
  void putOn(EmbeddingModel encoder) {
    for (WeightedAdapter one : parsed()) {
      encoder.openAdapter(one.folder());
    }
  }

  /** Puts the adapters, if there are any, on a decoder. */
  void putOn(LanguageModel decoder) {
    put(decoder::openAdapter, decoder::openAdapters);
  }

  /** Puts the adapters, if there are any, on an encoder with a head over the vocabulary. */
  void putOn(MaskedLanguageModel encoder) {
    put(encoder::openAdapter, encoder::openAdapters);
  }

  private void put(
      Consumer<Path> one, BiConsumer<List<WeightedAdapter>, Adapter.Combination> several) {
    List<WeightedAdapter> all = parsed();
    if (all.size() == 1 && all.get(0).weight() == 1) {
      one.accept(all.get(0).folder());
    } else if (!all.isEmpty()) {
      several.accept(all, combination);
    }
  }
}
