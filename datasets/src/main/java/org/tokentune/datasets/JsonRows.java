package org.tokentune.datasets;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.LineNumberReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * Files of JSON objects in UTF-8: one a line, where blank lines do not count, or all in one array.
 */
final class JsonRows {

  private static final ObjectMapper LINES =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final ObjectMapper ELEMENTS = new ObjectMapper();

  private static final String HOW = "write one object a line, or all in one array";

  private JsonRows() {}

  /** Makes records of an object. */
  interface Reader<T> {

    /**
     * @param where file and line, for messages
     * @param records to add to
     */
    void read(JsonNode object, String where, List<T> records);
  }

  /**
   * Reads all of a file.
   *
   * @param records what they are called, for messages
   * @throws BadInputException if the file is missing, has no records, or is not such JSON
   */
  static <T> List<T> read(Path file, String records, Reader<T> reader) {
    List<T> read = new ArrayList<>();
    TextFile.read(
        file,
        in -> {
          LineNumberReader numbered = new LineNumberReader(in);
          if (beginsArray(numbered)) {
            array(numbered, file, reader, read);
          } else {
            lines(numbered, file, reader, read);
          }
          return read;
        });
    if (read.isEmpty()) {
      throw new BadDataException("%s has no %s; give a file with some.", file, records);
    }
    return read;
  }

  /**
   * Reads a part of a file; it may have no records.
   *
   * @throws BadInputException if a line is not a JSON object
   */
  static <T> List<T> read(TextChunks.Chunk chunk, Reader<T> reader) {
    List<T> read = new ArrayList<>();
    long from = chunk.from();
    for (String line : chunk.text().split("(?<=\n)", -1)) {
      line(line, chunk.file() + ", line at byte " + from, reader, read);
      from += line.getBytes(StandardCharsets.UTF_8).length;
    }
    return read;
  }

  /** Refuses a file whose objects are in one array: its lines mean nothing by themselves. */
  static void checkLines(Path file) {
    if (TextFile.read(file, in -> beginsArray(new LineNumberReader(in)))) {
      throw new BadFileException(
          "%s is one JSON array, which cannot be streamed; write one object a line.", file);
    }
  }

  /** Passes over white space, and looks at what comes then. */
  private static boolean beginsArray(LineNumberReader in) throws IOException {
    int next;
    do {
      in.mark(1);
      next = in.read();
    } while (next >= 0 && Character.isWhitespace(next));
    in.reset();
    return next == '[';
  }

  private static <T> void lines(LineNumberReader in, Path file, Reader<T> reader, List<T> records)
      throws IOException {
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      line(line, file + ", line " + in.getLineNumber(), reader, records);
    }
  }

  private static <T> void line(String line, String where, Reader<T> reader, List<T> records) {
    if (line.isBlank()) {
      return;
    }
    JsonNode object;
    try {
      object = LINES.readTree(line);
    } catch (JsonProcessingException e) {
      throw new BadFileException(
          e, "%s is not a whole JSON object (%s); %s.", where, reason(e), HOW);
    }
    if (!object.isObject()) {
      throw new BadFileException("%s is %s, not a JSON object; %s.", where, kind(object), HOW);
    }
    reader.read(object, where, records);
  }

  /** One object at a time is held. */
  private static <T> void array(LineNumberReader in, Path file, Reader<T> reader, List<T> records)
      throws IOException {
    int before = in.getLineNumber();
    try (JsonParser parser = ELEMENTS.createParser((java.io.Reader) in)) {
      parser.nextToken();
      for (int number = 1; parser.nextToken() != JsonToken.END_ARRAY; number++) {
        int line = before + parser.currentTokenLocation().getLineNr();
        String where = String.format(Locale.ROOT, "%s, object %d (line %d)", file, number, line);
        JsonNode object = ELEMENTS.readTree(parser);
        if (!object.isObject()) {
          throw new BadFileException(
              "%s: element %d (line %d) of the array is %s, not a JSON object; %s.",
              file, number, line, kind(object), HOW);
        }
        reader.read(object, where, records);
      }
      if (parser.nextToken() != null) {
        throw new BadFileException(
            "%s, line %d: something comes after the JSON array; %s.",
            file, before + parser.currentTokenLocation().getLineNr(), HOW);
      }
    } catch (JsonProcessingException e) {
      int line = before + (e.getLocation() == null ? 1 : e.getLocation().getLineNr());
      throw new BadFileException(
          e, "%s, line %d is not JSON (%s); correct it.", file, line, reason(e));
    }
  }

  private static String reason(JsonProcessingException e) {
    return e.getOriginalMessage()
        .replaceFirst("(?s) \\((start marker|of type).*|: enable `.*|\\R.*", "");
  }

  /** A value's kind, with its article. */
  static String kind(JsonNode value) {
    return switch (value.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      case NULL, MISSING -> "null";
      default -> "a " + value.getNodeType().name().toLowerCase(Locale.ROOT);
    };
  }

  /** Names of an object's fields. */
  static List<String> fields(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /**
   * Refuses a chat, in OpenAI's form or in ShareGPT's.
   *
   * @param wanted what should be there
   */
  static void refuseChat(JsonNode object, String where, String wanted) {
    for (String field : List.of("messages", "conversations")) {
      if (object.path(field).isArray()) {
        throw new BadDataException(
            "%s is a chat (%s), not %s; chats are not read.", where, field, wanted);
      }
    }
  }
}
