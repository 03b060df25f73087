package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.zoo.HttpFiles.RemoteFile;

/**
 * A {@code .gguf} file on any web server, or a folder with a Hugging Face model's files. Beside
 * every file that was fetched lies its checksum, in {@code <file>.sha256}.
 */
record UrlModel(URI uri, ZooSettings settings) implements ModelSource {

  private static final String GGUF = ".gguf";
  private static final String SUM = ".sha256";

  static boolean isAddress(String name) {
    return name.startsWith("https://") || name.startsWith("http://");
  }

  static UrlModel parse(String address, ZooSettings settings) {
    try {
      URI uri = URI.create(address);
      if (HttpFiles.isHttp(uri) && uri.getUserInfo() == null) {
        return new UrlModel(uri, settings);
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new BadSettingsException(
        "%s is not the address of a model; give the URL of a .gguf file or of a folder.", address);
  }

  @Override
  public String repository() {
    return null;
  }

  @Override
  public String origin() {
    return "URL " + uri;
  }

  private Path folder() {
    return settings.cache().resolve("urls").resolve(Checksums.sha256(uri.toString()));
  }

  private boolean isFile() {
    return uri.getPath().endsWith(GGUF);
  }

  /** The file's name on the server, if it is a plain name. */
  private Path file() {
    String name = uri.getPath().substring(uri.getPath().lastIndexOf('/') + 1);
    return folder().resolve(name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*") ? name : "model" + GGUF);
  }

  /** All files of the model; empty unless they are all here. */
  private List<Path> files() {
    if (isFile()) {
      return Files.isRegularFile(file()) ? List.of(file()) : List.of();
    }
    return ModelDownload.complete(folder());
  }

  /** The path that {@link ModelFiles#open} opens. */
  private Path model() {
    return isFile() ? file() : folder();
  }

  @Override
  public boolean isLocal() {
    return !files().isEmpty();
  }

  @Override
  public Path fetch(DownloadListener listener) {
    HttpFiles server = new HttpFiles(settings, listener);
    if (!isFile()) {
      ModelDownload.fetch(
          uri.toString(), file -> get(server, URI.create(base() + file), folder().resolve(file)));
    } else if (get(server, uri, file()).isEmpty()) {
      throw new BadFileException("There is no file %s (HTTP 404); check the address.", uri);
    }
    return model();
  }

  private String base() {
    return uri.toString().replaceFirst("/*$", "/");
  }

  /** A file, unless it was fetched before. */
  private static Optional<Path> get(HttpFiles server, URI uri, Path file) {
    if (Files.isRegularFile(file)) {
      return Optional.of(file);
    }
    Optional<RemoteFile> found = server.find(uri, uri.toString());
    found.ifPresent(
        remote ->
            LocalFiles.locked(
                file.resolveSibling(".lock"),
                () -> {
                  if (!Files.isRegularFile(file)) {
                    download(server, remote, file);
                  }
                }));
    return found.map(remote -> file);
  }

  private static void download(HttpFiles server, RemoteFile remote, Path file) {
    Path partial = file.resolveSibling(file.getFileName() + "." + remote.tag() + ".incomplete");
    if (remote.tag().isEmpty() && Files.exists(partial)) {
      LocalFiles.delete(partial); // Nothing says that it is a part of the same file.
    }
    server.download(remote, partial);
    LocalFiles.write(sum(file), Checksums.sha256(partial) + "  " + file.getFileName() + "\n");
    LocalFiles.publish(partial, file);
  }

  private static Path sum(Path file) {
    return file.resolveSibling(file.getFileName() + SUM);
  }

  @Override
  public ModelFiles open(DownloadListener listener) {
    return ModelFiles.open(isLocal() ? model() : fetch(listener));
  }

  @Override
  public JsonNode config(DownloadListener listener) {
    return ModelFiles.config(isLocal() ? model() : fetch(listener));
  }

  @Override
  public List<String> verify() {
    if (!isLocal()) {
      throw new BadFileException("%s is not here; fetch it first.", uri);
    }
    return files().stream().map(UrlModel::verified).toList();
  }

  private static String verified(Path file) {
    String recorded;
    try {
      recorded = Files.readString(sum(file)).split(" ", 2)[0];
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s cannot be read; remove the model and fetch it again.", sum(file));
    }
    return Checksums.require(file, LocalFiles.size(file), recorded);
  }

  @Override
  public Path remove() {
    if (!Files.exists(folder())) {
      throw new BadFileException("%s is not here; there is nothing to remove.", uri);
    }
    LocalFiles.delete(folder());
    return folder();
  }
}
