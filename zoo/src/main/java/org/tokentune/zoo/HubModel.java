package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
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
 * A repository on Hugging Face's hub, kept as Python's huggingface_hub keeps it, so that either
 * finds what the other fetched: {@code models--owner--name/} has {@code refs/main} with the commit
 * that the revision was, {@code snapshots/<commit>/} with links to the files, and {@code blobs/}
 * with the files, each named by its checksum. What is there is used without asking the hub; {@link
 * #fetch} asks for what has changed.
 *
 * @param revision branch, tag or commit
 */
record HubModel(String repository, String revision, ZooSettings settings) implements ModelSource {

  /** The branch that is taken where no revision is named. */
  static final String MAIN = "main";

  private static final String SCHEME = "hf:";
  private static final String PART = "[A-Za-z0-9_-][A-Za-z0-9._-]*";
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
    String revision = matcher.group(2) == null ? MAIN : matcher.group(2);
    return new HubModel(matcher.group(1), revision, settings);
  }

  @Override
  public String origin() {
    return "hub " + name();
  }

  private String name() {
    return repository + "@" + revision;
  }

  /** The repository's folder. */
  Path folder() {
    return settings.hubCache().resolve("models--" + repository.replace("/", "--"));
  }

  @Override
  public boolean isLocal() {
    return snapshot().isPresent();
  }

  /** The snapshot that this revision was when it was fetched, if it is whole. */
  private Optional<Path> snapshot() {
    return commit()
        .map(this::snapshot)
        .filter(snapshot -> !ModelDownload.complete(snapshot).isEmpty());
  }

  private Path snapshot(String commit) {
    return folder().resolve("snapshots").resolve(commit);
  }

  private Path ref() {
    return folder().resolve("refs").resolve(revision);
  }

  private Optional<String> commit() {
    String commit = revision;
    if (Files.isRegularFile(ref())) {
      try {
        commit = Files.readString(ref()).strip();
      } catch (IOException e) {
        throw new BadFileException(e, "%s cannot be read: %s.", ref(), e);
      }
    }
    return Optional.of(commit).filter(text -> text.matches("[0-9a-f]{40}"));
  }

  @Override
  public Path fetch(DownloadListener listener) {
    requireOnline();
    HttpFiles server = new HttpFiles(settings, listener);
    String commit = currentCommit(server);
    ModelDownload.fetch(name(), file -> get(server, commit, file));
    LocalFiles.write(ref(), commit);
    return snapshot(commit);
  }

  private void requireOnline() {
    if (settings.offline()) {
      throw new BadFileException(
          "%s is not in %s, and HF_HUB_OFFLINE says not to fetch it; unset that.",
          name(), settings.hubCache());
    }
  }

  /** All files are then asked for by their commit, so that they belong together. */
  private String currentCommit(HttpFiles server) {
    RemoteFile config =
        server
            .find(uri(revision, ModelFolder.CONFIG), ModelFolder.CONFIG + " of " + name())
            .orElseThrow(
                () ->
                    new BadFileException(
                        "There is no config.json at %s (HTTP 404); check the model's name and"
                            + " revision.",
                        uri(revision, ModelFolder.CONFIG)));
    return config
        .commit()
        .orElseThrow(
            () ->
                new BadFileException(
                    "%s does not answer as a hub does: it names no commit; check HF_ENDPOINT.",
                    settings.endpoint()));
  }

  private URI uri(String at, String file) {
    return URI.create(
        settings.endpoint() + "/" + repository + "/resolve/" + at.replace("/", "%2F") + "/" + file);
  }

  /** A file's link in the snapshot; one that is there is what the hub has, by its commit. */
  private Optional<Path> get(HttpFiles server, String commit, String file) {
    Path link = snapshot(commit).resolve(file);
    if (Files.isRegularFile(link)) {
      return Optional.of(link);
    }
    Optional<RemoteFile> found = server.find(uri(commit, file), file + " of " + name());
    found.ifPresent(
        remote -> {
          if (remote.tag().isEmpty()) {
            throw new BadFileException(
                "%s does not answer as a hub does: it gives %s no ETag; check HF_ENDPOINT.",
                settings.endpoint(), remote.name());
          }
          Path blob = folder().resolve("blobs").resolve(remote.tag());
          Path lock =
              settings
                  .hubCache()
                  .resolve(".locks")
                  .resolve(folder().getFileName())
                  .resolve(remote.tag() + ".lock");
          LocalFiles.locked(lock, () -> download(server, remote, blob));
          LocalFiles.link(link, blob);
        });
    return found.map(remote -> link);
  }

  private static void download(HttpFiles server, RemoteFile remote, Path blob) {
    if (Files.isRegularFile(blob)) {
      return; // Another process was faster, or another revision has the same file.
    }
    Path partial = blob.resolveSibling(remote.tag() + ".incomplete");
    boolean resumed = Files.exists(partial);
    server.download(remote, partial);
    if (!Checksums.matchesHubName(partial, remote.tag())) {
      LocalFiles.delete(partial);
      if (resumed) {
        download(server, remote, blob); // What an earlier download left was not of this file.
        return;
      }
      throw new BadFileException(
          "%s came with another checksum than the hub gives it, %s, and was deleted; try"
              + " again.",
          remote.name(), remote.tag());
    }
    LocalFiles.publish(partial, blob);
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
    requireOnline();
    HttpFiles server = new HttpFiles(settings, listener);
    String commit = currentCommit(server);
    get(server, commit, ModelFolder.CONFIG);
    return ModelFolder.config(snapshot(commit));
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
