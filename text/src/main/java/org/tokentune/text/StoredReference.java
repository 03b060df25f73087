package org.tokentune.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import org.tokentune.BadFileException;
import org.tokentune.Warnings;
import org.tokentune.files.Digest;
import org.tokentune.files.WholeFile;
import org.tokentune.train.RunSettings;

/**
 * Keeps what the reference of preferences says of the rows beside the training checkpoints of a
 * run, so that a resumed run need not compute it again. The file says of which rows and which model
 * it is.
 */
final class StoredReference {

  private static final String NAME = "reference.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  private StoredReference() {}

  /**
   * The stored numbers of a run that is resumed, or computed ones, which are stored if the run
   * writes checkpoints.
   *
   * @param identity of the rows and the model, asked for only if there are checkpoints
   * @throws BadFileException if the stored numbers are of other rows or another model, or they
   *     cannot be written
   */
  static float[] get(RunSettings run, Supplier<String> identity, Supplier<float[]> compute) {
    Path kept = run.saveEvery() > 0 ? run.checkpoints().folder().resolve(NAME) : null;
    Path stored = run.resume() == null ? null : run.resume().toAbsolutePath().resolveSibling(NAME);
    if (kept == null && stored == null) {
      return compute.get();
    }
    String key = identity.get();
    Optional<float[]> read =
        stored != null && Files.exists(stored) ? read(stored, key) : Optional.empty();
    float[] values = read.orElseGet(compute);
    if (kept != null && (read.isEmpty() || !kept.toAbsolutePath().equals(stored))) {
      write(kept, key, values);
    }
    return values;
  }

  private static Optional<float[]> read(Path file, String key) {
    JsonNode json;
    try {
      json = JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      return damaged(file);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
    float[] values = new float[json.path("values").size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = json.path("values").get(i).floatValue();
    }
    if (!json.path("digest").asText().equals(digest(values))) {
      return damaged(file);
    }
    if (!json.path("of").asText().equals(key)) {
      throw new BadFileException(
          "%s has the log-probabilities of other rows or of another model; use the same data and"
              + " settings, or start over.",
          file);
    }
    return Optional.of(values);
  }

  private static Optional<float[]> damaged(Path file) {
    Warnings.warn("%s is damaged; its log-probabilities are computed again.", file);
    return Optional.empty();
  }

  private static void write(Path file, String key, float[] values) {
    ObjectNode json = JSON.createObjectNode().put("of", key).put("digest", digest(values));
    for (float value : values) {
      json.withArray("values").add(value);
    }
    try {
      Files.createDirectories(file.getParent());
      WholeFile.write(file, out -> out.write(JSON.writeValueAsBytes(json)));
    } catch (IOException e) {
      throw new BadFileException(
          e,
          "%s cannot be written (%s); check free space and permissions.",
          file,
          WholeFile.reason(e));
    }
  }

  private static String digest(float[] values) {
    return new Digest().add(values).hex();
  }
}
