package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.StreamSupport;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.commons.text.similarity.JaroWinklerSimilarity;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.checkpoint.OnnxWeights;
import org.tokentune.checkpoint.TokenizerSource;

/**
 * Pretrained models by name, listed in {@code catalogue.json}. Weights are read straight from the
 * Maven artifact that holds them; there is no second copy.
 */
public final class Zoo {

  private Zoo() {}

  /** Names that {@link #load} knows. */
  public static List<String> names() {
    return StreamSupport.stream(catalogue().spliterator(), false)
        .map(model -> model.get("name").asText())
        .toList();
  }

  /**
   * A model's configuration, weights and tokenizer; fetched by Maven at its first use where it is
   * not on the class path.
   *
   * @throws BadInputException for an unknown name, or where the artifact cannot be had or is
   *     damaged
   */
  public static ModelFiles load(String name) {
    return load(name, model(name));
  }

  /**
   * A model's configuration alone; nothing is fetched.
   *
   * @throws BadInputException for an unknown name
   */
  public static JsonNode config(String name) {
    return model(name).get("config");
  }

  private static JsonNode model(String name) {
    for (JsonNode model : catalogue()) {
      if (model.get("name").asText().equals(name)) {
        return model;
      }
    }
    JaroWinklerSimilarity similarity = new JaroWinklerSimilarity();
    List<String> nearest =
        names().stream()
            .sorted(Comparator.comparingDouble((String known) -> -similarity.apply(name, known)))
            .toList();
    throw new BadInputException("There is no model %s; the nearest names are %s.", name, nearest);
  }

  private static ModelFiles load(String name, JsonNode model) {
    String weights = model.get("weights").asText();
    Path jar = new Artifact(model.get("artifact").asText()).jar(weights);
    try (ZipFile zip = new ZipFile(jar.toFile());
        InputStream tensors = entry(zip, weights);
        InputStream tokenizer = entry(zip, model.get("tokenizer").asText())) {
      return new ModelFiles(
          name,
          model.get("config"),
          OnnxWeights.read(tensors, jar + "!/" + weights),
          new TokenizerSource.Json(tokenizer.readAllBytes()));
    } catch (IOException e) {
      throw new BadInputException(e, "%s is damaged; delete it, so that it is fetched again.", jar);
    }
  }

  private static InputStream entry(ZipFile zip, String name) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new FileNotFoundException(name);
    }
    return new BufferedInputStream(zip.getInputStream(entry));
  }

  private static JsonNode catalogue() {
    try (InputStream in = Zoo.class.getResourceAsStream("catalogue.json")) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
