package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import org.tokentune.BadFileException;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;

/**
 * A TensorFlow SavedModel of a BERT, a zip within a Maven artifact. Its checkpoint and vocabulary
 * are unpacked once: nothing can be read from the middle of what is compressed.
 *
 * @param repository the model's on the hub
 * @param archive the zip's entry
 */
record BundleModel(
    String name,
    Artifact artifact,
    String repository,
    String archive,
    JsonNode json,
    ZooSettings settings)
    implements ModelSource {

  /** Entries of the zip that are needed, and what they are called in a model's folder. */
  private static final Map<String, String> UNPACKED =
      Map.of(
          "assets/vocab.txt",
          ModelFolder.VOCABULARY,
          "variables/variables.index",
          ModelFolder.TENSORFLOW + ".index",
          "variables/variables.data-00000-of-00001",
          ModelFolder.TENSORFLOW + ".data-00000-of-00001");

  @Override
  public String origin() {
    return "Maven " + artifact.coordinates();
  }

  private Path folder() {
    return settings.cache().resolve("models").resolve(name);
  }

  @Override
  public boolean isLocal() {
    return Files.isDirectory(folder());
  }

  @Override
  public Path fetch(DownloadListener listener) {
    LocalFiles.locked(
        folder().resolveSibling(name + ".lock"),
        () -> {
          if (!isLocal()) {
            Path jar = artifact.jar(archive);
            ModelWriter.write(folder(), staged -> unpack(jar, staged));
          }
        });
    return folder();
  }

  private void unpack(Path jar, Path staged) throws IOException {
    Set<String> missing = new HashSet<>(UNPACKED.keySet());
    try (ZipFile outer = new ZipFile(jar.toFile())) {
      ZipEntry inner = outer.getEntry(archive);
      if (inner == null) {
        throw new FileNotFoundException(archive);
      }
      try (ZipInputStream zip = new ZipInputStream(outer.getInputStream(inner))) {
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
          if (missing.remove(entry.getName())) {
            Files.copy(zip, staged.resolve(UNPACKED.get(entry.getName())));
          }
        }
      }
    }
    if (!missing.isEmpty()) {
      throw new FileNotFoundException(missing + " in " + jar);
    }
    new ObjectMapper().writeValue(staged.resolve(ModelFolder.CONFIG).toFile(), json);
  }

  @Override
  public ModelFiles open(DownloadListener listener) {
    return ModelFolder.open(fetch(listener)).named(name, repository);
  }

  @Override
  public JsonNode config(DownloadListener listener) {
    return json;
  }

  /** Of the artifact, and of every tensor that was unpacked. */
  @Override
  public List<String> verify() {
    if (!isLocal()) {
      throw new BadFileException("%s is not here; fetch it first.", name);
    }
    try (ModelFiles files = open(DownloadListener.NONE)) {
      files.weights().names().forEach(tensor -> files.weights().read(tensor).close());
    }
    return List.of(artifact.verify(archive));
  }

  @Override
  public Path remove() {
    if (!isLocal()) {
      return artifact.remove(archive);
    }
    LocalFiles.delete(folder());
    if (artifact.here(archive).isPresent()) {
      artifact.remove(archive);
    }
    return folder();
  }
}
