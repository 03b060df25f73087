package org.tokentune.zoo;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * A jar in a Maven repository.
 *
 * @param coordinates {@code group:artifact:version}
 * @param bytes its size
 * @param sha256 its checksum
 */
record Artifact(String coordinates, long bytes, String sha256) {

  /** The jar on the class path that has this entry, else the one in the local repository. */
  Optional<Path> here(String entry) {
    return onClassPath(entry).or(() -> Optional.of(local()).filter(Files::isRegularFile));
  }

  /**
   * The jar; where it is not {@link #here}, Maven, which knows the user's mirrors and proxies,
   * brings it to the local repository.
   *
   * @throws BadInputException if it cannot be had, or has another checksum: then it is deleted
   */
  Path jar(String entry) {
    Optional<Path> here = here(entry);
    if (here.isPresent()) {
      return here.get();
    }
    Path jar = local();
    fetch();
    if (!Files.isRegularFile(jar)) {
      throw new BadFileException(
          "Maven did not put %s into %s; set -Dmaven.repo.local to its repository.",
          coordinates, jar);
    }
    try {
      Checksums.require(jar, bytes, sha256);
    } catch (BadInputException e) {
      LocalFiles.delete(jar);
      throw e;
    }
    return jar;
  }

  /** Computes the jar's checksum, as {@link ModelSource#verify} says. */
  String verify(String entry) {
    Path jar =
        here(entry)
            .orElseThrow(
                () -> new BadFileException("%s is not here; fetch it first.", coordinates));
    return Checksums.require(jar, bytes, sha256);
  }

  /** Deletes the jar, as {@link ModelSource#remove} says. */
  Path remove(String entry) {
    if (onClassPath(entry).isPresent()) {
      throw new BadFileException(
          "%s is on the class path; take it off there, and nothing is left of it.", coordinates);
    }
    Path jar = local();
    if (!Files.isRegularFile(jar)) {
      throw new BadFileException("%s is not here; there is nothing to remove.", coordinates);
    }
    LocalFiles.delete(jar);
    return jar;
  }

  private static Optional<Path> onClassPath(String entry) {
    URL resource = Artifact.class.getClassLoader().getResource(entry);
    if (resource == null || !resource.getProtocol().equals("jar")) {
      return Optional.empty();
    }
    String file = resource.getPath().substring(0, resource.getPath().indexOf("!/"));
    try {
      return Optional.of(Path.of(new URI(file)));
    } catch (URISyntaxException e) {
      throw new IllegalStateException("a class path entry with a strange name: " + file, e);
    }
  }

  private Path local() {
    String[] parts = coordinates.split(":", -1);
    String chosen = System.getProperty("maven.repo.local");
    Path repository =
        chosen != null
            ? Path.of(chosen)
            : Path.of(System.getProperty("user.home"), ".m2", "repository");
    return repository
        .resolve(parts[0].replace('.', '/'))
        .resolve(parts[1])
        .resolve(parts[2])
        .resolve(parts[1] + "-" + parts[2] + ".jar");
  }

  private void fetch() {
    String remedy = "; add it to your class path, or check that mvn runs and has a network.";
    try {
      Process maven =
          new ProcessBuilder(
                  "mvn",
                  "-B",
                  "-q",
                  "dependency:get",
                  "-Dtransitive=false",
                  "-Dartifact=" + coordinates)
              .redirectErrorStream(true)
              .start();
      try (InputStream output = maven.getInputStream()) {
        output.readAllBytes();
      }
      if (maven.waitFor() != 0) {
        throw new BadFileException("Maven could not fetch %s%s", coordinates, remedy);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s is needed and mvn cannot be run%s", coordinates, remedy);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BadInputException(e, "Fetching %s was interrupted%s", coordinates, remedy);
    }
  }
}
