package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.ModelConfig;
import org.tokentune.objectives.Objective;
import org.tokentune.zoo.Zoo;

/** Finds the model that {@code --model} names. */
final class Models {

  private Models() {}

  /** Opens a folder or file if it exists; otherwise a model of the zoo, by name or address. */
  static ModelFiles open(String nameOrPath) {
    Path path = path(nameOrPath);
    checkWhole(path);
    return path == null
        ? Zoo.load(nameOrPath, DownloadProgress.onStandardError())
        : ModelFiles.open(path);
  }

  /**
   * Rejects a model of the catalogue that does not support an objective, before it is downloaded;
   * all others are checked when they are opened.
   */
  static void checkSupports(String name, Objective objective) {
    if (path(name) != null || Zoo.isAddress(name)) {
      return;
    }
    boolean decoder = Zoo.model(name).config().causal();
    if (decoder != objective.isCausal()) {
      throw new BadSettingsException(
          "%s is %s, which does not support %s; name %s.",
          name,
          decoder ? "a decoder" : "an encoder",
          objective.isCausal() ? "language modelling" : "this task (" + objective.shortName() + ")",
          decoder ? "an encoder, such as all-minilm-l6-v2" : "a decoder, such as smollm2-135m");
    }
  }

  /** Rejects a folder of adapters, which may contain some of a model's files. */
  private static void checkWhole(Path path) {
    if (path == null
        || !AdapterFolder.isOne(path)
        || Files.exists(path.resolve(ModelFolder.WEIGHTS))
        || Files.exists(path.resolve(ModelFolder.INDEX))) {
      return;
    }
    try (AdapterFolder adapters = AdapterFolder.open(path)) {
      throw new BadFileException(
          "%s holds adapters, without the model that they were trained on (%s); name that as the model, and"
              + " this folder with --adapter.",
          path, adapters.base());
    }
  }

  /** The model's configuration, which may also be named as a file. */
  static ModelConfig config(String nameOrPath) {
    Path path = path(nameOrPath);
    JsonNode config = path == null ? Zoo.config(nameOrPath) : ModelFiles.config(path);
    return ModelConfig.read(config, nameOrPath);
  }

  /** The existing path; null for a name or an address. */
  static Path path(String nameOrPath) {
    if (Zoo.isAddress(nameOrPath)) {
      return null;
    }
    Path path;
    try {
      path = Path.of(nameOrPath);
    } catch (InvalidPathException e) {
      return null;
    }
    if (Files.exists(path)) {
      return path;
    }
    if (Zoo.find(nameOrPath).isPresent()) {
      return null;
    }
    if (path.getNameCount() > 1 || path.isAbsolute()) {
      throw new BadFileException(
          "There is no folder or file %s; check the path, or write hf: before a name on the hub.",
          path);
    }
    return null;
  }
}
