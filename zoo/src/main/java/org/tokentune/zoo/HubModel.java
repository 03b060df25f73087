package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.zoo.HttpFiles.RemoteFile;

/**
 * A model on Hugging Face's hub. What is in its {@link HubRepository}'s folder is used without
 * asking the hub; {@link #fetch} asks for what has changed.
 *
 * @param revision branch, tag or commit
 */
record HubModel(String repository, String revision, ZooSettings settings) implements ModelSource {

  private static final String SCHEME = "hf:";
  private static final String PART = HubRepository.PART;
  private static final Pattern ADDRESS =
      Pattern.compile("hf:(" + PART + "(?:/" + PART + ")?)(?:@(" + PART + "(?:/" + PART + ")*))?");

  static boolean isAddress(String name) {
    return name.startsWith(SCHEME);
  }

  /** Whether a name can be one on the hub: {@code owner/name}. */
  static boolean isOwnerAndName(String name) {
    return name.matches(PART + "/" + PART);
  }

  static String address(String repository, String revision) {
    return SCHEME + repository + "@" + revision;
  }

  /** Reads {@code hf:owner/name@revision}; without a revision it is {@code main}. */
  static HubModel parse(String address, ZooSettings settings) {
    Matcher matcher = ADDRESS.matcher(address);
    if (!matcher.matches()) {
      throw new BadSettingsException(
          "%s is not an address on the hub; write hf:owner/name or hf:owner/name@revision.",
          address);
    }
    String revision = matcher.group(2) == null ? HubRepository.MAIN : matcher.group(2);
    return new HubModel(matcher.group(1), revision, settings);
  }

  @Override
  public String origin() {
    return "hub " + name();
  }

  private HubRepository hub() {
    return new HubRepository(HubRepository.MODELS, repository, revision, settings);
  }

  private String name() {
    return hub().name();
  }

  /** The repository's folder. */
  Path folder() {
    return hub().folder();
  }

  @Override
  public boolean isLocal() {
    return snapshot().isPresent();
  }

  /** The snapshot that this revision was when it was fetched, if it is whole. */
  private Optional<Path> snapshot() {
    return hub()
        .commit()
        .map(hub()::snapshot)
        .filter(snapshot -> !ModelDownload.complete(snapshot).isEmpty());
  }

  @Override
  public Path fetch(DownloadListener listener) {
    hub().requireOnline();
    HttpFiles server = new HttpFiles(settings, listener);
    String commit = currentCommit(server);
    ModelDownload.fetch(name(), file -> hub().get(server, commit, file));
    LocalFiles.write(hub().ref(), commit);
    return hub().snapshot(commit);
  }

  /** All files are then asked for by their commit, so that they belong together. */
  private String currentCommit(HttpFiles server) {
    RemoteFile config =
        server
            .find(hub().uri(revision, ModelFolder.CONFIG), ModelFolder.CONFIG + " of " + name())
            .orElseThrow(
                () ->
                    new BadFileException(
                        "There is no config.json at %s (HTTP 404); check the model's name and"
                            + " revision.",
                        hub().uri(revision, ModelFolder.CONFIG)));
    return config
        .commit()
        .orElseThrow(
            () ->
                new BadFileException(
                    "%s does not answer as a hub does: it names no commit; check HF_ENDPOINT.",
                    settings.endpoint()));
  }

  @Override
  public ModelFiles open(DownloadListener listener) {
    ModelFiles files = ModelFiles.open(snapshot().orElseGet(() -> fetch(listener)));
    return files.named(files.name(), repository);
  }

  @Override
  public JsonNode config(DownloadListener listener) {
    Optional<Path> here = snapshot();
    if (here.isPresent()) {
      return ModelFolder.config(here.get());
    }
    hub().requireOnline();
    HttpFiles server = new HttpFiles(settings, listener);
    String commit = currentCommit(server);
    hub().get(server, commit, ModelFolder.CONFIG);
    return ModelFolder.config(hub().snapshot(commit));
  }

  @Override
  public List<String> verify() {
    return ModelDownload.complete(
            snapshot()
                .orElseThrow(() -> new BadFileException("%s is not here; fetch it first.", name())))
        .stream()
        .map(HubModel::verified)
        .toList();
  }

  private static String verified(Path link) {
    Path blob;
    try {
      blob = link.toRealPath();
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", link, e);
    }
    if (!Checksums.matchesHubName(blob, blob.getFileName().toString())) {
      throw new BadFileException(
          "%s does not have the checksum that is its name: it is damaged; remove the model and fetch"
              + " it again.",
          blob);
    }
    return Checksums.line(link, Checksums.sha256(blob));
  }

  @Override
  public Path remove() {
    if (!Files.exists(folder())) {
      throw new BadFileException("%s is not here; there is nothing to remove.", name());
    }
    LocalFiles.delete(folder());
    return folder();
  }
}
