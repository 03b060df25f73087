package org.tokentune.zoo;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.tokentune.BadFileException;
import org.tokentune.zoo.HttpFiles.RemoteFile;

/**
 * A repository on Hugging Face's hub, kept as Python's huggingface_hub keeps it, so that either
 * finds what the other fetched: {@code models--owner--name/} has {@code refs/main} with the commit
 * that the revision was, {@code snapshots/<commit>/} with links to the files, and {@code blobs/}
 * with the files, each named by its checksum.
 *
 * @param kind {@code models} or {@code datasets}
 * @param revision branch, tag or commit
 */
record HubRepository(String kind, String repository, String revision, ZooSettings settings) {

  /** The branch that is taken where no revision is named. */
  static final String MAIN = "main";

  static final String MODELS = "models";
  static final String DATASETS = "datasets";

  /** A part of a repository's or a revision's name, as a regular expression. */
  static final String PART = "[A-Za-z0-9_-][A-Za-z0-9._-]*";

  /** Repository and revision, for messages. */
  String name() {
    return repository + "@" + revision;
  }

  /** The repository's folder. */
  Path folder() {
    return settings.hubCache().resolve(kind + "--" + repository.replace("/", "--"));
  }

  Path snapshot(String commit) {
    return folder().resolve("snapshots").resolve(commit);
  }

  /** The file that holds the commit of the revision. */
  Path ref() {
    return folder().resolve("refs").resolve(revision);
  }

  /** The commit that the revision was when it was fetched. */
  Optional<String> commit() {
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

  void requireOnline() {
    if (settings.offline()) {
      throw new BadFileException(
          "%s is not in %s, and HF_HUB_OFFLINE says not to fetch it; unset that.",
          name(), settings.hubCache());
    }
  }

  URI uri(String at, String file) {
    return URI.create(
        settings.endpoint()
            + (kind.equals(MODELS) ? "/" : "/" + kind + "/")
            + repository
            + "/resolve/"
            + at.replace("/", "%2F")
            + "/"
            + path(file));
  }

  /** A file's link in the snapshot; one that is there is what the hub has, by its commit. */
  Optional<Path> get(HttpFiles server, String commit, String file) {
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

  /** A file's path in an address. */
  private static String path(String file) {
    return Arrays.stream(file.split("/"))
        .map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"))
        .collect(Collectors.joining("/"));
  }
}
