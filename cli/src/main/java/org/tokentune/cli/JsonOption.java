package org.tokentune.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.tokentune.BadInputException;
import picocli.CommandLine.Option;

/** The option that writes a command's result for programs. */
final class JsonOption {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Also write the result to FILE as JSON; the README lists its fields.")
  private Path file;

  /** Says early that the file could not be written. */
  void check() {
    if (file != null) {
      Path folder = file.toAbsolutePath().getParent();
      if (Files.isDirectory(file) || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
        throw new BadInputException("%s cannot be written; name a file in another folder.", file);
      }
    }
  }

  /** An empty result. */
  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  /** Writes the result, whole or not at all. */
  void write(ObjectNode result) {
    if (file == null) {
      return;
    }
    Path target = file.toAbsolutePath();
    Path staged = target.resolveSibling("." + target.getFileName() + ".partial");
    try {
      JSON.writeValue(staged.toFile(), result);
      Files.move(staged, target, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      staged.toFile().delete(); // what is half-written must not stay; the failure is said anyway
      throw new BadInputException(e, "%s cannot be written: %s.", file, e.getMessage());
    }
  }
}
