package org.tokentune.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.TextModel;

/** Small random models of each kind. */
final class SmallModels {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");

  private static final String TEMPLATE =
      "{% for m in messages %}{{ m.role + ' ' + m.content + ' ' }}{% endfor %}";

  private SmallModels() {}

  /** A model as it is among the golden files. */
  static Path copy(String name, Path parent) throws IOException {
    Path folder = Files.createDirectories(parent.resolve(name));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(name).resolve(file), folder.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"),
        folder.resolve(ModelFolder.TOKENIZER));
    return folder;
  }

  /** A Llama of 40 positions with a chat template. */
  static Path decoder(Path parent) throws IOException {
    Path folder = copy("llama", parent);
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
    return folder;
  }

  /** Adapters on it, as PEFT saved them. */
  static Path decoderAdapter(Path parent) throws IOException {
    Path folder = Files.createDirectories(parent.resolve("adapter"));
    for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(GOLDEN.resolve("llama-lora").resolve(file), folder.resolve(file));
    }
    return folder;
  }

  /** A classifier of good and bad. */
  static Path classifier(Path encoder, Path folder) {
    return saved(
        encoder, new Labels(Objectives.CLASSIFY, List.of("bad", "good", "neutral")), folder);
  }

  static Path ranker(Path encoder, Path folder) {
    return saved(encoder, new Labels(Objectives.RERANK, List.of("relevance")), folder);
  }

  private static Path saved(Path encoder, Labels labels, Path folder) {
    try (ModelFiles files = ModelFolder.open(encoder);
        TextModel model =
            TextModel.forTask(files, labels, Pooling.FIRST, null, null, WeightStorage.FLOAT32, 3)) {
      model.save(folder);
    }
    return folder;
  }

  /** Adapters on an encoder, with a head of their own. */
  static Path classifierAdapter(Path encoder, String one, String other, Path folder) {
    try (ModelFiles files = ModelFolder.open(encoder);
        TextModel model =
            TextModel.forClasses(files, List.of(new Example("a", one), new Example("b", other)))) {
      model.addAdapter(LoraConfig.on("query"), 5);
      model.saveAdapter(folder);
    }
    return folder;
  }
}
