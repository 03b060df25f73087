package org.tokentune.tables;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;
import org.tokentune.BadFileException;
import org.tokentune.Warnings;
import org.tokentune.datasets.JsonLines;

/** Reads Parquet with DuckDB. */
final class ParquetFile {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** First and last bytes of a file that is not encrypted. */
  private static final String MAGIC = "PAR1";

  private static final String DUCKDB = "jdbc:duckdb:";

  private ParquetFile() {}

  /** Settings with which DuckDB does not hold a whole result; it then has one at a time. */
  static Properties streamed(String url) {
    Properties settings = new Properties();
    if (url.startsWith(DUCKDB)) {
      settings.setProperty("jdbc_stream_results", "true");
      settings.setProperty("autoinstall_known_extensions", "false");
    }
    return settings;
  }

  /** Writes all rows of a file. */
  static void write(Path file, JsonLines lines) throws IOException {
    requireMagic(file);
    try (Connection connection = DriverManager.getConnection(DUCKDB, streamed(DUCKDB))) {
      FeatureNames names = names(connection, file);
      long rows = rows(connection, file);
      try (PreparedStatement statement =
              connection.prepareStatement("SELECT * FROM read_parquet([?])");
          ResultSet result = executed(statement, file)) {
        long written = new ResultRows(result, file.toString(), names).write(lines);
        if (written != rows) {
          throw new BadFileException(
              "%s says that it has %d rows, but %d were read; get it again.", file, rows, written);
        }
      }
    } catch (SQLException e) {
      throw new BadFileException(
          e, "%s cannot be read as Parquet (%s); get it again.", file, reason(e));
    }
  }

  /** Says of a file that was cut short what DuckDB says of its bytes. */
  private static void requireMagic(Path file) throws IOException {
    try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "r")) {
      byte[] end = new byte[MAGIC.length()];
      if (content.length() > 2L * end.length) {
        content.seek(content.length() - end.length);
        content.readFully(end);
      }
      if (!new String(end, StandardCharsets.ISO_8859_1).equals(MAGIC)) {
        throw new BadFileException(
            "%s is not a whole Parquet file: it does not end with %s; get it again.", file, MAGIC);
      }
    }
  }

  private static long rows(Connection connection, Path file) throws SQLException {
    try (PreparedStatement statement =
            connection.prepareStatement("SELECT sum(num_rows) FROM parquet_file_metadata([?])");
        ResultSet result = executed(statement, file)) {
      result.next();
      return result.getLong(1);
    }
  }

  private static ResultSet executed(PreparedStatement statement, Path file) throws SQLException {
    statement.setString(1, literal(file));
    return statement.executeQuery();
  }

  /** A path in which DuckDB sees no wild cards. */
  private static String literal(Path file) {
    return file.toAbsolutePath().toString().replaceAll("([*?\\[])", "[$1]");
  }

  private static FeatureNames names(Connection connection, Path file) throws SQLException {
    try (PreparedStatement statement =
            connection.prepareStatement(
                "SELECT decode(value)::VARCHAR FROM parquet_kv_metadata([?])"
                    + " WHERE key = 'huggingface'::BLOB");
        ResultSet result = executed(statement, file)) {
      if (!result.next()) {
        return FeatureNames.NONE;
      }
      return new FeatureNames(MAPPER.readTree(result.getString(1)).path("info").path("features"));
    } catch (JsonProcessingException e) {
      Warnings.warn("%s says under huggingface what is not JSON; it is not used.", file);
      return FeatureNames.NONE;
    }
  }

  /** The first line of what the database reports. */
  static String reason(SQLException e) {
    return String.valueOf(e.getMessage()).strip().replaceFirst("(?s)\\R.*", "");
  }
}
