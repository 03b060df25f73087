package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.zoo.HttpFiles.RemoteFile;

/**
 * A model in llama2.c's format on Hugging Face's hub. Its files are known by their checksums, so
 * that files copied into {@link #folder} by hand are used like downloaded ones.
 *
 * @param folder that the files are kept in
 * @param address of the repository's files on the hub, without a slash at its end
 * @param weights the {@code .bin} file
 * @param vocabulary its {@code tok*.bin}
 */
record Llama2cModel(
    String repository,
    Path folder,
    String address,
    HubFile weights,
    HubFile vocabulary,
    JsonNode json,
    ZooSettings settings)
    implements ModelSource {

  /**
   * @param path in the repository
   * @param bytes its size
   */
  record HubFile(String path, long bytes, String sha256) {

    static HubFile of(JsonNode entry) {
      return new HubFile(
          entry.get("path").asText(), entry.get("bytes").asLong(), entry.get("sha256").asText());
    }

    private String name() {
      return path.substring(path.lastIndexOf('/') + 1);
    }
  }

  static Llama2cModel of(JsonNode entry, ZooSettings settings) {
    String repository = entry.get("repository").asText();
    return new Llama2cModel(
        repository,
        settings.cache().resolve("llama2c").resolve(entry.get("name").asText()),
        settings.endpoint() + "/" + repository + "/resolve/" + HubRepository.MAIN,
        HubFile.of(entry.get("weights")),
        HubFile.of(entry.get("vocabulary")),
        entry.get("config"),
        settings);
  }

  @Override
  public String origin() {
    return "hub " + repository + "/" + weights.path();
  }

  private Path local(HubFile file) {
    return folder.resolve(file.name());
  }

  @Override
  public boolean isLocal() {
    return Files.isRegularFile(local(weights)) && Files.isRegularFile(local(vocabulary));
  }

  @Override
  public Path fetch(DownloadListener listener) {
    HttpFiles server = new HttpFiles(settings, listener);
    LocalFiles.createFolders(folder);
    LocalFiles.locked(
        folder.resolve(".lock"),
        () -> {
          get(server, vocabulary);
          get(server, weights);
        });
    return local(weights);
  }

  private void get(HttpFiles server, HubFile file) {
    Path target = local(file);
    if (Files.isRegularFile(target)) {
      Checksums.require(target, file.bytes(), file.sha256());
      return;
    }
    if (settings.offline()) {
      throw new BadFileException(
          "%s is not in %s, and HF_HUB_OFFLINE says not to fetch it; unset that, or copy it there.",
          file.name(), folder);
    }
    URI uri = URI.create(address + "/" + file.path());
    RemoteFile remote =
        server
            .find(uri, file.name() + " of " + repository)
            .orElseThrow(
                () ->
                    new BadFileException(
                        "There is no file %s (HTTP 404); fetch it from elsewhere into %s.",
                        uri, folder));
    Path partial = folder.resolve(file.name() + "." + file.sha256() + ".incomplete");
    server.download(remote, partial);
    if (!Checksums.sha256(partial).equals(file.sha256())) {
      LocalFiles.delete(partial);
      throw new BadFileException(
          "%s is not the file that the catalogue means, by its SHA-256, and was deleted; try again.",
          uri);
    }
    LocalFiles.publish(partial, target);
  }

  @Override
  public ModelFiles open(DownloadListener listener) {
    return ModelFiles.open(fetch(listener));
  }

  @Override
  public JsonNode config(DownloadListener listener) {
    return json;
  }

  @Override
  public List<String> verify() {
    if (!isLocal()) {
      throw new BadFileException("%s is not here; fetch it first.", weights.path());
    }
    return List.of(verified(weights), verified(vocabulary));
  }

  private String verified(HubFile file) {
    return Checksums.require(local(file), file.bytes(), file.sha256());
  }

  @Override
  public Path remove() {
    if (!Files.exists(folder)) {
      throw new BadFileException("%s is not here; there is nothing to remove.", weights.path());
    }
    LocalFiles.delete(folder);
    return folder;
  }
}
