package org.tokentune.datasets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadInputException;

/** Files of JSON objects, one a line, in UTF-8; blank lines do not count. */
final class JsonLines {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

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
    List<T> read = new ArrayList<>();
    int number = 0;
    for (String line : TextFiles.text(file)) {
      number++;
      read(line, file + ", line " + number, reader, read);
    }
    if (read.isEmpty()) {
      throw new BadInputException("%s has no %s; give a file with some.", file, records);
    }
    return read;
  }

  /**
   * Reads a part of a file; it may have no records.
   *
   * @throws BadInputException if a line is no JSON
   */
  static <T> List<T> read(TextChunks.Chunk chunk, Reader<T> reader) {
    List<T> read = new ArrayList<>();
    long from = chunk.from();
    for (String line : chunk.text().split("(?<=\n)", -1)) {
      read(line, chunk.file() + ", line at byte " + from, reader, read);
      from += line.getBytes(StandardCharsets.UTF_8).length;
    }
    return read;
  }

  private static <T> void read(String line, String where, Reader<T> reader, List<T> records) {
    try {
      if (!line.isBlank()) {
        reader.read(JSON.readTree(line), where, records);
      }
    } catch (JsonProcessingException e) {
      throw new BadInputException(e, "%s is no JSON; write an object on every line.", where);
    }
  }
}
