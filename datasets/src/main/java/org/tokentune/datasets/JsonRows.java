package org.tokentune.datasets;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.LineNumberReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Supplier;
import org.tokentune.BadDataException;

/** Rows of JSON: one object per line, where blank lines do not count, or all in one list. */
final class JsonRows {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static final String HOW = "write one object a line, or all in one array";

  private JsonRows() {}

  /** Rows of lines. */
  static Iterator<Row> lines(BufferedReader in, Origin origin) {
    return new Lines(new LineNumberReader(in), origin);
  }

  /** Rows of one list. */
  static Iterator<Row> list(BufferedReader in, Origin origin) {
    return new Elements(in, origin);
  }

  /**
   * The row of an object.
   *
   * @param position names the file and the row, for messages
   */
  static Row row(String json, Supplier<String> position) {
    try (JsonParser parser = MAPPER.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        Object value = MAPPER.readValue(parser, Object.class);
        throw new BadDataException(
            "%s is %s, not a JSON object; %s.", position.get(), Row.type(value), HOW);
      }
      Row row = row(parser, position);
      JsonToken trailing = parser.nextToken();
      if (trailing != null) {
        throw new BadDataException(
            "%s is not a whole JSON object (Trailing token); %s.", position.get(), HOW);
      }
      return row;
    } catch (JsonProcessingException e) {
      throw new BadDataException(
          e, "%s is not a whole JSON object (%s); %s.", position.get(), reason(e), HOW);
    } catch (IOException e) { // there is no file
      throw new UncheckedIOException(e);
    }
  }

  /** A row whose opening brace was read; reads up to the closing one. */
  private static Row row(JsonParser parser, Supplier<String> position) throws IOException {
    List<String> columns = new ArrayList<>();
    List<Object> values = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      columns.add(parser.currentName());
      parser.nextToken();
      values.add(MAPPER.readValue(parser, Object.class));
    }
    return new Row(position, columns, values);
  }

  private static String reason(JsonProcessingException e) {
    return e.getOriginalMessage()
        .replaceFirst("(?s) \\((start marker|of type).*|: enable `.*|\\R.*", "");
  }

  /** Looks ahead by one row. */
  private abstract static class Rows implements Iterator<Row> {

    private Row next;
    private boolean ended;

    /** The next row; null at the end. */
    abstract Row read() throws IOException;

    @Override
    public boolean hasNext() {
      if (next == null && !ended) {
        try {
          next = read();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        ended = next == null;
      }
      return next != null;
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Row row = next;
      next = null;
      return row;
    }
  }

  private static final class Lines extends Rows {

    private final LineNumberReader in;
    private final Origin origin;

    Lines(LineNumberReader in, Origin origin) {
      this.in = in;
      this.origin = origin;
    }

    @Override
    Row read() throws IOException {
      String line = in.readLine();
      while (line != null && line.isBlank()) {
        line = in.readLine();
      }
      int number = in.getLineNumber();
      return line == null ? null : row(line, () -> origin.line(number));
    }
  }

  /** Only one object at a time is held. */
  private static final class Elements extends Rows {

    private final Origin origin;
    private final JsonParser parser;
    private int number;

    Elements(Reader in, Origin origin) {
      this.origin = origin;
      try {
        parser = MAPPER.createParser(in);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    Row read() throws IOException {
      try {
        if (number == 0) {
          parser.nextToken(); // the bracket
        }
        number++;
        return parser.nextToken() == JsonToken.END_ARRAY ? end() : row();
      } catch (JsonProcessingException e) {
        int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
        throw new BadDataException(
            e, "%s is not JSON (%s); correct it.", origin.line(line), reason(e));
      }
    }

    private Row row() throws IOException {
      int here = number;
      int line = parser.currentTokenLocation().getLineNr();
      if (parser.currentToken() == JsonToken.START_OBJECT) {
        return JsonRows.row(parser, () -> origin.object("object", here, line));
      }
      Object value = MAPPER.readValue(parser, Object.class);
      throw new BadDataException(
          "%s of the array is %s, not a JSON object; %s.",
          origin.object("element", here, line), Row.type(value), HOW);
    }

    private Row end() throws IOException {
      if (parser.nextToken() != null) {
        throw new BadDataException(
            "%s: something comes after the JSON array; %s.",
            origin.line(parser.currentTokenLocation().getLineNr()), HOW);
      }
      return null;
    }
  }
}
