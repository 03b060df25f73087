package org.tokentune.server;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.OnLong;
import org.tokentune.models.WeightStorage;

/**
 * What a server is to make of a model's files.
 *
 * @param name of the model in requests
 * @param adapters folders by their names in requests; each is served as a model of its own
 * @param storage of the weights
 * @param template of chats, by name; null: the model's own
 * @param onLong what becomes of texts that are too long for an encoder; null: what the model was
 *     saved with, otherwise they are cut
 */
public record ServedFiles(
    String name,
    Map<String, Path> adapters,
    WeightStorage storage,
    String template,
    OnLong onLong) {

  public ServedFiles {
    required(name, "name");
    required(adapters, "adapters");
    required(storage, "storage");
    adapters = new LinkedHashMap<>(adapters); // in the order in which they were given
    if (name.isBlank() || adapters.keySet().stream().anyMatch(String::isBlank)) {
      throw BadSettingsException.of("name", "must not be blank; give one.");
    }
    if (adapters.containsKey(name)) {
      throw BadSettingsException.of(
          "adapters", "must not have the name of the model, %s; choose another.", name);
    }
  }

  /** A model without adapters, as its files say. */
  public static ServedFiles named(String name) {
    return new ServedFiles(name, Map.of(), WeightStorage.FLOAT32, null, null);
  }

  /** The same with adapters. */
  public ServedFiles withAdapters(Map<String, Path> folders) {
    return new ServedFiles(name, folders, storage, template, onLong);
  }
}
