package org.tokentune.zoo;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.BadInputException;

/** A jar in a Maven repository, by its coordinates {@code group:artifact:version}. */
record Artifact(String coordinates) {

  /**
   * The jar: on the class path (found by an {@code entry} of it), else in the local Maven
   * repository, else brought there by Maven, which knows the user's mirrors and proxies.
   */
  Path jar(String entry) {
    URL resource = Artifact.class.getClassLoader().getResource(entry);
    if (resource != null && resource.getProtocol().equals("jar")) {
      String file = resource.getPath().substring(0, resource.getPath().indexOf("!/"));
      try {
        return Path.of(new URI(file));
      } catch (URISyntaxException e) {
        throw new IllegalStateException("a class path entry with a strange name: " + file, e);
      }
    }
    Path local = local();
    if (!Files.isRegularFile(local)) {
      fetch();
    }
    if (!Files.isRegularFile(local)) {
      throw new BadInputException(
          "Maven did not put %s into %s; set -Dmaven.repo.local to its repository.",
          coordinates, local);
    }
    return local;
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
    String mend = "; add it to your class path, or see to it that mvn runs and has a network.";
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
        throw new BadInputException("Maven could not fetch %s%s", coordinates, mend);
      }
    } catch (IOException e) {
      throw new BadInputException(e, "%s is needed and mvn cannot be run%s", coordinates, mend);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BadInputException(e, "Fetching %s was interrupted%s", coordinates, mend);
    }
  }
}
