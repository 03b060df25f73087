package org.tokentune.tables;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.files.WholeFile;

/** Writes rows as JSON, an object a line. */
final class JsonLines {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final JsonGenerator generator;

  private JsonLines(JsonGenerator generator) {
    this.generator = generator;
  }

  /** Rows to write. */
  interface Rows {
    void writeTo(JsonLines lines) throws IOException;
  }

  /** Writes a file, whole or not at all. */
  static void write(Path file, Rows rows) throws IOException {
    WholeFile.write(
        file,
        out -> {
          JsonGenerator generator = MAPPER.createGenerator(new BufferedOutputStream(out, 1 << 16));
          generator.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
          generator.enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN);
          rows.writeTo(new JsonLines(generator));
          generator.flush();
        });
  }

  /**
   * Writes a row.
   *
   * @param values strings, numbers, booleans, nulls, lists and maps of these
   */
  void write(List<String> columns, List<?> values) throws IOException {
    generator.writeStartObject();
    for (int column = 0; column < columns.size(); column++) {
      generator.writeFieldName(columns.get(column));
      write(values.get(column));
    }
    generator.writeEndObject();
  }

  private void write(Object value) throws IOException {
    if (value instanceof String text) {
      generator.writeString(text);
    } else if (value instanceof Long number) {
      generator.writeNumber(number);
    } else {
      MAPPER.writeValue(generator, value); // slower
    }
  }
}
