package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The option that writes a command's result for programs. */
final class JsonOption {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Also write the result to FILE as JSON; docs/json.md lists its fields.")
  private Path file;

  /** Reports early that the file could not be written. */
  void check() {
    if (file != null) {
      new OutputFile(file).check();
    }
  }

  /** An empty result. */
  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  /** An empty list of results. */
  static ArrayNode array() {
    return JSON.createArrayNode();
  }

  /** Whether a file is named. */
  boolean isGiven() {
    return file != null;
  }

  /** Writes the result, whole or not at all. */
  void write(JsonNode result) {
    if (file != null) {
      new OutputFile(file).write(out -> JSON.writeValue(out, result));
    }
  }
}
