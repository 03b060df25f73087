package org.tokentune.zoo;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.StreamSupport;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;

/**
 * Pretrained models by name, listed in {@code catalogue.json}: some inside Maven artifacts, some on
 * Hugging Face's hub. What is not in the catalogue has an address: {@code hf:owner/name@revision}
 * on the hub, or a URL of a {@code .gguf} file or a folder.
 */
public final class Zoo {

  private static final int NEAREST = 3;

  private Zoo() {}

  /** The catalogue. */
  public static List<PretrainedModel> list() {
    JsonNode models;
    try (InputStream in = Zoo.class.getResourceAsStream("catalogue.json")) {
      models = new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ZooSettings settings = ZooSettings.ofEnvironment();
    return StreamSupport.stream(models.spliterator(), false)
        .map(
            entry ->
                new PretrainedModel(
                    entry.get("name").asText(),
                    entry.get("licence").asText(),
                    entry.get("config"),
                    source(entry, settings)))
        .toList();
  }

  private static ModelSource source(JsonNode entry, ZooSettings settings) {
    if (entry.has("hub")) {
      return new HubModel(entry.get("hub").asText(), entry.get("revision").asText(), settings);
    }
    if (entry.has("vocabulary")) {
      return Llama2cModel.of(entry, settings);
    }
    Artifact artifact =
        new Artifact(
            entry.get("maven").asText(), entry.get("bytes").asLong(), entry.get("sha256").asText());
    if (entry.has("archive")) {
      return new BundleModel(
          entry.get("name").asText(),
          artifact,
          entry.get("repository").asText(),
          entry.get("archive").asText(),
          entry.get("config"),
          settings);
    }
    Map<String, JsonNode> files = new TreeMap<>();
    entry.path("files").fields().forEachRemaining(f -> files.put(f.getKey(), f.getValue()));
    return new OnnxModel(
        artifact,
        entry.get("repository").asText(),
        entry.get("weights").asText(),
        entry.get("tokenizer").asText(),
        entry.get("config"),
        files);
  }

  /**
   * An entry of the catalogue.
   *
   * @param name there or on the hub, in any case
   * @throws BadInputException for an unknown name
   */
  public static PretrainedModel model(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new BadSettingsException(
                    "There is no model %s; the nearest names are %s.", name, nearest(name)));
  }

  /**
   * An entry of the catalogue, if there is one.
   *
   * @param name there or on the hub, in any case
   */
  public static Optional<PretrainedModel> find(String name) {
    required(name, "name");

    return list().stream()
        .filter(
            model ->
                name.equalsIgnoreCase(model.name())
                    || name.equalsIgnoreCase(model.source().repository()))
        .findFirst();
  }

  private static List<String> nearest(String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    return list().stream()
        .sorted(Comparator.comparingDouble(model -> -similarity(wanted, model)))
        .limit(NEAREST)
        .map(PretrainedModel::name)
        .toList();
  }

  private static double similarity(String wanted, PretrainedModel model) {
    String repository = model.source().repository();
    return Math.max(
        NameSimilarity.of(wanted, model.name()),
        repository == null ? 0 : NameSimilarity.of(wanted, repository.toLowerCase(Locale.ROOT)));
  }

  /**
   * What {@link #load} takes for a model that others name: the catalogue's name of it, or its place
   * on the hub.
   *
   * @param name in the catalogue, or owner and name on the hub
   * @param revision on the hub; null for any
   */
  public static String address(String name, String revision) {
    required(name, "name");

    if (revision != null && !revision.equals(HubRepository.MAIN)) {
      return HubModel.address(name, revision);
    }
    return find(name)
        .map(PretrainedModel::name)
        .orElseGet(() -> HubModel.address(name, HubRepository.MAIN));
  }

  /** Whether this is a place on the hub or a URL, and neither a name nor a path. */
  public static boolean isAddress(String name) {
    required(name, "name");

    return HubModel.isAddress(name) || UrlModel.isAddress(name);
  }

  /** Whether this can only be a name on the hub: it is neither in the catalogue nor a path. */
  private static boolean isHubName(String name) {
    return HubModel.isOwnerAndName(name) && path(name).isEmpty() && find(name).isEmpty();
  }

  /** The file or folder of this name, if there is one. */
  private static Optional<Path> path(String name) {
    if (name.isBlank() || HubModel.isAddress(name) || UrlModel.isAddress(name)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Path.of(name)).filter(Files::exists);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /**
   * Where a model comes from.
   *
   * @param name in the catalogue or on the hub, in any case, or an address
   * @throws BadInputException for an unknown name or an invalid address
   */
  public static ModelSource source(String name) {
    required(name, "name");

    ZooSettings settings = ZooSettings.ofEnvironment();
    if (HubModel.isAddress(name)) {
      return HubModel.parse(name, settings);
    }
    if (UrlModel.isAddress(name)) {
      return UrlModel.parse(name, settings);
    }
    return isHubName(name)
        ? new HubModel(name, HubRepository.MAIN, settings)
        : model(name).source();
  }

  /**
   * A model's configuration, weights and tokenizer; fetched at its first use. Close the result.
   *
   * <p>The name is looked for as transformers' {@code from_pretrained} does: as a file or folder,
   * then in the catalogue, then on the hub.
   *
   * @param name a path as {@link ModelFiles#open} takes it; a name in the catalogue ({@code
   *     all-minilm-l6-v2}) or on the hub ({@code sentence-transformers/all-MiniLM-L6-v2}), in any
   *     case; or an address
   * @throws BadInputException for an unknown name, or where the model cannot be had or is damaged
   */
  public static ModelFiles load(String name) {
    return load(name, DownloadListener.NONE);
  }

  /** The same, with a listener for the progress of a first download. */
  public static ModelFiles load(String name, DownloadListener listener) {
    required(name, "name");
    required(listener, "listener");

    Optional<Path> path = path(name);
    if (path.isPresent()) {
      return ModelFiles.open(path.get());
    }
    ModelFiles files = opened(name, listener);
    return files.named(find(name).map(PretrainedModel::name).orElse(name), files.repository());
  }

  private static ModelFiles opened(String name, DownloadListener listener) {
    ModelSource source = source(name);
    if (!isHubName(name)) {
      return source.open(listener);
    }
    try {
      return source.open(listener);
    } catch (BadFileException e) {
      throw new BadFileException(
          e, "There is no folder or file %s. On the hub: %s", name, e.getMessage());
    }
  }

  /**
   * A model's configuration alone; nothing is downloaded for models of the catalogue.
   *
   * @param name as {@link #load} takes it
   * @throws BadInputException for an unknown name, or if it cannot be downloaded
   */
  public static JsonNode config(String name) {
    required(name, "name");

    Optional<Path> path = path(name);
    if (path.isPresent()) {
      return ModelFiles.config(path.get());
    }
    return find(name)
        .map(PretrainedModel::json)
        .orElseGet(() -> source(name).config(DownloadListener.NONE));
  }
}
