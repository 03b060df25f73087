package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.BadSettingsException;
import org.tokentune.files.WholeFile;

/** Writes rows as JSON, an object a line: a file that {@link RowSource} reads. */
public final class JsonLines {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final JsonGenerator generator;

  private JsonLines(JsonGenerator generator) {
    this.generator = generator;
  }

  /** Rows to write. */
  @FunctionalInterface
  public interface Rows {
    void writeTo(JsonLines lines) throws IOException;
  }

  /**
   * Writes a file, whole or not at all.
   *
   * @throws IOException if it cannot be written
   */
  public static void write(Path file, Rows rows) throws IOException {
    required(file, "file");
    required(rows, "rows");

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
  public void write(List<String> columns, List<?> values) throws IOException {
    required(columns, "columns");
    if (values == null) { // its elements may be
      throw BadSettingsException.of("values", "must not be null; give a value.");
    }

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
