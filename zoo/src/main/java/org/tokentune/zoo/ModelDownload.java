package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFolder;

/**
 * The files of a Hugging Face model folder that this project reads: {@code config.json}, {@code
 * tokenizer.json}, {@code model.safetensors} or its index and shards, and what else is there of
 * {@link CompanionFiles}.
 */
final class ModelDownload {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Not the vocabularies: all that is in them is in {@code tokenizer.json}. */
  private static final List<String> COMPANIONS =
      List.of(
          CompanionFiles.TOKENIZER_CONFIG,
          CompanionFiles.SPECIAL_TOKENS,
          CompanionFiles.GENERATION_CONFIG,
          CompanionFiles.MODULES,
          CompanionFiles.SENTENCE_CONFIG,
          CompanionFiles.SENTENCE_TRANSFORMERS,
          CompanionFiles.CHAT_TEMPLATE);

  private ModelDownload() {}

  /** Brings a file by its name; empty where the server has none. */
  interface Getter {
    Optional<Path> get(String file);
  }

  /**
   * Gets all files.
   *
   * @param model for messages
   * @throws BadInputException if one is not there
   */
  static void fetch(String model, Getter getter) {
    require(model, getter, ModelFolder.CONFIG);
    require(model, getter, ModelFolder.TOKENIZER);
    fetchCompanions(getter);
    if (getter.get(ModelFolder.WEIGHTS).isPresent()) {
      return;
    }
    Path index =
        getter
            .get(ModelFolder.INDEX)
            .orElseThrow(
                () ->
                    new BadFileException(
                        "%s has no %s, whole or in shards; name a model that has one.",
                        model, ModelFolder.WEIGHTS));
    for (String shard : shards(index)) {
      require(model, getter, shard);
    }
  }

  /** Files that few models have all of, and the parts that {@code modules.json} lists. */
  private static void fetchCompanions(Getter getter) {
    Map<String, Path> found = new HashMap<>();
    for (String name : COMPANIONS) {
      getter.get(name).ifPresent(file -> found.put(name, file));
    }
    if (found.containsKey(CompanionFiles.MODULES)) {
      if (!found.containsKey(CompanionFiles.SENTENCE_CONFIG)) {
        CompanionFiles.OLD_SENTENCE_CONFIGS.forEach(getter::get);
      }
      for (String part : parts(found.get(CompanionFiles.MODULES))) {
        getter.get(part + "/config.json");
        if (part.endsWith("_Dense")) {
          getter.get(part + "/model.safetensors");
        }
      }
    }
  }

  /** Folders of the parts; untrusted, so plain names only. */
  private static List<String> parts(Path modules) {
    List<String> parts = new ArrayList<>();
    try {
      for (JsonNode part : JSON.readTree(modules.toFile())) {
        String path = part.path("path").asText();
        if (path.matches("[0-9]+_[A-Za-z0-9_]+")) {
          parts.add(path);
        }
      }
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s is not valid JSON; remove the model and fetch it again.", modules);
    }
    return parts;
  }

  private static void require(String model, Getter getter, String file) {
    if (getter.get(file).isEmpty()) {
      throw new BadFileException(
          "%s has no %s (HTTP 404); check its name and revision.", model, file);
    }
  }

  /** All files in a folder; empty unless there is everything that {@link #fetch} gets. */
  static List<Path> complete(Path folder) {
    List<Path> files = new ArrayList<>();
    files.add(folder.resolve(ModelFolder.CONFIG));
    files.add(folder.resolve(ModelFolder.TOKENIZER));
    Path index = folder.resolve(ModelFolder.INDEX);
    if (Files.isRegularFile(index) && !Files.exists(folder.resolve(ModelFolder.WEIGHTS))) {
      files.add(index);
      shards(index).forEach(shard -> files.add(folder.resolve(shard)));
    } else {
      files.add(folder.resolve(ModelFolder.WEIGHTS));
    }
    return files.stream().allMatch(Files::isRegularFile) ? files : List.of();
  }

  /** The index is untrusted: plain names only. */
  private static Set<String> shards(Path index) {
    Set<String> shards = new TreeSet<>();
    try {
      for (JsonNode file : JSON.readTree(index.toFile()).path("weight_map")) {
        if (!file.asText().matches("[A-Za-z0-9_-][A-Za-z0-9._-]*\\.safetensors")) {
          throw new BadFileException(
              "%s names the file '%.200s', which is not a plain .safetensors file name.",
              index, file.asText());
        }
        shards.add(file.asText());
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s is not JSON; remove the model and fetch it again.", index);
    }
    return shards;
  }
}
