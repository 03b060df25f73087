package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.StreamSupport;
import org.apache.commons.text.similarity.JaroWinklerSimilarity;
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
   * @throws BadInputException for an unknown name
   */
  public static PretrainedModel model(String name) {
    List<PretrainedModel> models = list();
    JaroWinklerSimilarity similarity = new JaroWinklerSimilarity();
    return models.stream()
        .filter(model -> model.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BadSettingsException(
                    "There is no model %s; the nearest names are %s.",
                    name,
                    models.stream()
                        .map(PretrainedModel::name)
                        .sorted(
                            Comparator.comparingDouble(
                                (String known) -> -similarity.apply(name, known)))
                        .limit(NEAREST)
                        .toList()));
  }

  /**
   * What {@link #load} takes for a model that others name: the catalogue's name of it, or its place
   * on the hub.
   *
   * @param name in the catalogue, or owner and name on the hub
   * @param revision on the hub; null for any
   */
  public static String address(String name, String revision) {
    if (revision != null && !revision.equals(HubModel.MAIN)) {
      return HubModel.address(name, revision);
    }
    return list().stream()
        .filter(model -> name.equals(model.name()) || name.equals(model.source().repository()))
        .findFirst()
        .map(PretrainedModel::name)
        .orElseGet(() -> HubModel.address(name, HubModel.MAIN));
  }

  /** Whether this is a place on the hub or a URL, and neither a name nor a path. */
  public static boolean isAddress(String name) {
    return HubModel.isAddress(name) || UrlModel.isAddress(name);
  }

  /**
   * Where a model comes from.
   *
   * @param name in the catalogue, or an address
   * @throws BadInputException for an unknown name or an invalid address
   */
  public static ModelSource source(String name) {
    if (HubModel.isAddress(name)) {
      return HubModel.parse(name, ZooSettings.ofEnvironment());
    }
    return UrlModel.isAddress(name)
        ? UrlModel.parse(name, ZooSettings.ofEnvironment())
        : model(name).source();
  }

  /**
   * A model's configuration, weights and tokenizer; fetched at its first use. Close the result.
   *
   * @param name in the catalogue, or an address
   * @throws BadInputException for an unknown name, or where the model cannot be had or is damaged
   */
  public static ModelFiles load(String name) {
    return load(name, DownloadListener.NONE);
  }

  /** The same, with a listener for the progress of a first download. */
  public static ModelFiles load(String name, DownloadListener listener) {
    ModelFiles files = source(name).open(listener);
    return files.named(name, files.repository());
  }

  /**
   * A model's configuration alone; nothing is downloaded for models of the catalogue.
   *
   * @param name in the catalogue, or an address
   * @throws BadInputException for an unknown name, or if it cannot be downloaded
   */
  public static JsonNode config(String name) {
    return isAddress(name) ? source(name).config(DownloadListener.NONE) : model(name).json();
  }
}
