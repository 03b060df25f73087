package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadFileException;

/**
 * What a command of many trainings has done, in a file, so that it goes on where it was.
 *
 * @param setup what all trainings have in common; those of another setup are not mixed with them
 * @param list the name of the list of trainings in the file
 */
record StateFile(Path file, ObjectNode setup, String list) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Reads the trainings that were done before; none if there is no file. */
  <T> List<T> read(Class<T> type) {
    List<T> done = new ArrayList<>();
    if (!Files.exists(file)) {
      return done;
    }
    try {
      JsonNode saved = JSON.readTree(file.toFile());
      // Compared as text, as numbers read from YAML and JSON have other types.
      if (!saved.path("setup").toString().equals(JSON.readTree(setup.toString()).toString())) {
        throw new BadFileException(
            "%s belongs to trainings with other settings; name another --output.", file);
      }
      for (JsonNode one : saved.path(list)) {
        done.add(JSON.treeToValue(one, type));
      }
      return done;
    } catch (IOException e) {
      throw new BadFileException(e, "%s is damaged; remove it, or name another --output.", file);
    }
  }

  /** The setup and what is done. */
  ObjectNode state(List<?> done) {
    ObjectNode state = JSON.createObjectNode();
    state.set("setup", setup);
    state.set(list, JSON.valueToTree(done));
    return state;
  }

  /** Writes what is done, whole or not at all. */
  void write(List<?> done) {
    new OutputFile(file)
        .write(to -> JSON.writerWithDefaultPrettyPrinter().writeValue(to, state(done)));
  }
}
