package org.tokentune.datasets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadInputException;

/** Files of JSON objects, one a line, in UTF-8; blank lines do not count. */
final class JsonLines {

  private JsonLines() {}

  /** Makes records of a line's object. */
  interface Reader<T> {

    /**
     * @param where file and line, for messages
     * @param records to add to
     */
    void read(JsonNode line, String where, List<T> records);
  }

  /**
   * Reads all of a file.
   *
   * @param records what they are called, for messages
   * @throws BadInputException if the file is missing or has no records, or a line is no JSON
   */
  static <T> List<T> read(Path file, String records, Reader<T> reader) {
    List<String> lines = TextFiles.text(file);
    List<T> read = new ArrayList<>();
    ObjectMapper json = new ObjectMapper();
    for (int i = 0; i < lines.size(); i++) {
      String where = file + ", line " + (i + 1);
      try {
        if (!lines.get(i).isBlank()) {
          reader.read(json.readTree(lines.get(i)), where, read);
        }
      } catch (JsonProcessingException e) {
        throw new BadInputException(e, "%s is no JSON; write an object on every line.", where);
      }
    }
    if (read.isEmpty()) {
      throw new BadInputException("%s has no %s; give a file with some.", file, records);
    }
    return read;
  }
}
