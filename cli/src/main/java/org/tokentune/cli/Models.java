package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.models.ModelConfig;
import org.tokentune.zoo.Zoo;

/** What {@code --model} names. */
final class Models {

  private Models() {}

  /** A folder or file, where there is one; otherwise a name in the zoo or an address. */
  static ModelFiles open(String nameOrPath) {
    Path path = path(nameOrPath);
    return path == null
        ? Zoo.load(nameOrPath, new DownloadProgress(new PrintWriter(System.err, true, UTF_8)))
        : ModelFiles.open(path);
  }

  /** The configuration alone, which may also be named as a file. */
  static ModelConfig config(String nameOrPath) {
    Path path = path(nameOrPath);
    JsonNode config = path == null ? Zoo.config(nameOrPath) : ModelFiles.config(path);
    return ModelConfig.read(config, nameOrPath);
  }

  /** What is there under this path; null for a name or an address. */
  private static Path path(String nameOrPath) {
    if (Zoo.isAddress(nameOrPath)) {
      return null;
    }
    Path path;
    try {
      path = Path.of(nameOrPath);
    } catch (InvalidPathException e) {
      return null;
    }
    if (Files.exists(path)) {
      return path;
    }
    if (path.getNameCount() > 1 || path.isAbsolute()) {
      throw new BadInputException("There is no folder or file %s; check the path.", path);
    }
    return null;
  }
}
