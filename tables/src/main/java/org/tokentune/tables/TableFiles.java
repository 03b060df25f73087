package org.tokentune.tables;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.JsonLines;
import org.tokentune.datasets.Row;
import org.tokentune.datasets.RowSource;
import org.tokentune.files.CacheFolder;
import org.tokentune.files.Digest;

/**
 * Data in other forms as one file that every task reads and streams:
 *
 * <ul>
 *   <li>Parquet becomes JSON lines. Lists and structs stay what they are; columns of the data type
 *       {@code ClassLabel}, which Hugging Face's datasets mark in the file, become their names, and
 *       -1 there null; dates and times become text (ISO 8601); not-a-number becomes null. Binary
 *       columns are left out with a warning.
 *   <li>Files that end in {@code .gz} or {@code .zst} are decompressed.
 *   <li>The files of rows in a folder, or those that a pattern such as {@code data/*.parquet}
 *       matches, become one file of JSON lines, in the order of their names, where part-2 comes
 *       before part-10.
 *   <li>The result of a query becomes JSON lines.
 * </ul>
 *
 * <p>The file is kept in a cache, and made again when what it was made from has another size or
 * time. Row N of a Parquet file or a query is line N of it.
 */
public final class TableFiles {

  /** Changes when files would be made differently. */
  private static final String VERSION = "1";

  private static final int NAME = 100;
  private static final int FETCHED = 1_000;

  private final Path cache;

  /**
   * @param cache folder of the files
   */
  public TableFiles(Path cache) {
    required(cache, "cache");

    this.cache = cache;
  }

  /** Files in the {@link CacheFolder} {@code rows}. */
  public static TableFiles ofEnvironment() {
    return new TableFiles(CacheFolder.named("rows"));
  }

  /**
   * The file of rows that a location stands for: the location itself, if it is a file that tasks
   * read as it is.
   *
   * @param location a file, a folder, or a pattern with {@code *}, {@code ?} or {@code [...]} in
   *     the file's name
   * @throws BadInputException if there is nothing, or it cannot be read
   */
  public Path file(String location) {
    required(location, "location");

    if (FoundFiles.isPattern(location)) {
      return file(location, FoundFiles.matching(location));
    }
    Path path = Path.of(location);
    if (Files.isDirectory(path)) {
      return file(location, FoundFiles.in(path));
    }
    return isPlain(path) ? path : file(location, List.of(path));
  }

  /**
   * The rows of several files, one after the other.
   *
   * @param name of them all, for the file's name
   * @throws BadInputException if one of them is missing, or cannot be read
   */
  public Path file(String name, List<Path> files) {
    required(name, "name");
    required(files, "files");

    if (files.isEmpty()) {
      throw new BadSettingsException("There are no files of %s; give some.", name);
    }
    for (Path file : files) {
      if (!Files.isRegularFile(file)) {
        throw new BadFileException("There is no file %s; check the path.", file);
      }
    }
    if (files.size() == 1 && isPlain(files.get(0))) {
      return files.get(0);
    }
    boolean decompressed = files.size() == 1 && !FoundFiles.isParquet(files.get(0));
    Path made =
        kept(
            decompressed ? Compression.inner(files.get(0)) : plainName(name) + ".jsonl",
            String.join(
                "\n", files.stream().map(file -> file.toAbsolutePath().toString()).toList()),
            String.join("\n", files.stream().map(TableFiles::state).toList()),
            decompressed
                ? target -> Compression.decompress(files.get(0), target)
                : target -> JsonLines.write(target, lines -> write(files, lines)));
    return isPlain(made) ? made : file(made.toString());
  }

  private static boolean isPlain(Path file) {
    return !FoundFiles.isParquet(file) && !Compression.isCompressed(file);
  }

  private void write(List<Path> files, JsonLines lines) throws IOException {
    for (Path file : files) {
      if (FoundFiles.isParquet(file)) {
        ParquetFile.write(file, lines);
      } else {
        try (RowSource rows = RowSource.open(file(file.toString(), List.of(file)))) {
          while (rows.hasNext()) {
            Row row = rows.next();
            lines.write(row.columns(), row.values());
          }
        }
      }
    }
  }

  /**
   * The rows that a query gives. It is asked every time.
   *
   * @param url of a JDBC driver on the class path, such as {@code jdbc:duckdb:reviews.duckdb}
   * @param sql a query
   * @throws BadInputException if there is no driver for it, or the database reports an error
   */
  public Path query(String url, String sql) {
    required(url, "url");
    required(sql, "sql");

    Path file = path("query.jsonl", VERSION + "\n" + url + "\n" + sql);
    try {
      Files.createDirectories(file.getParent());
      JsonLines.write(file, lines -> write(url, sql, lines));
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", file, e.getMessage());
    }
    return file;
  }

  private static void write(String url, String sql, JsonLines lines) throws IOException {
    try (Connection connection = DriverManager.getConnection(url, ParquetFile.streamed(url));
        Statement statement = statement(connection);
        ResultSet result = statement.executeQuery(sql)) {
      new ResultRows(result, "the query", FeatureNames.NONE).write(lines);
    } catch (SQLException e) {
      if ("08001".equals(e.getSQLState())) {
        throw new BadSettingsException(
            e,
            "There is no JDBC driver for %s; add its jar to the class path (CLASSPATH).",
            withoutSecrets(url));
      }
      throw new BadDataException(e, "The query failed (%s); correct it.", ParquetFile.reason(e));
    }
  }

  /** Drivers read a result bit by bit only like this. */
  private static Statement statement(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    Statement statement = connection.createStatement();
    statement.setFetchSize(FETCHED);
    return statement;
  }

  /** An address of a database without what may be a password, for messages. */
  public static String withoutSecrets(String url) {
    required(url, "url");

    return url.replaceFirst("[?;].*", "").replaceFirst("//[^/]*@", "//");
  }

  private interface Making {
    void make(Path target) throws IOException;
  }

  /**
   * A file of the cache, made if it is not there.
   *
   * @param source what it is made from
   * @param state of the source; files of other states are removed
   */
  private Path kept(String name, String source, String state, Making making) {
    Path first = path(name, VERSION + "\n" + source);
    Path folder = first.getParent().resolve(hash(state));
    Path file = folder.resolve(name);
    if (Files.exists(file)) {
      return file;
    }
    try {
      removeOthers(first.getParent(), folder);
      Files.createDirectories(folder);
      making.make(file);
    } catch (IOException e) {
      throw new BadFileException(
          e,
          "%s cannot be written: %s; make room, or name another folder in TOKENTUNE_CACHE.",
          file,
          e.getMessage());
    }
    return file;
  }

  private Path path(String name, String source) {
    return cache.resolve(hash(source)).resolve(name);
  }

  private static String hash(String text) {
    return new Digest().add(text).hex().substring(0, 16);
  }

  /** Removes what was made from other states of the source. */
  private static void removeOthers(Path folder, Path kept) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    List<Path> deepestFirst;
    try (Stream<Path> files = Files.walk(folder)) {
      deepestFirst =
          files
              .filter(file -> !file.equals(folder) && !file.startsWith(kept))
              .sorted(Comparator.reverseOrder())
              .toList();
    }
    for (Path file : deepestFirst) {
      Files.deleteIfExists(file);
    }
  }

  private static String state(Path file) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return attributes.size() + " " + attributes.lastModifiedTime();
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
  }

  /** The last part of a name, as a file's name. */
  private static String plainName(String name) {
    String last = name.replaceFirst("[/\\\\]+$", "").replaceFirst(".*[/\\\\]", "");
    String plain = last.replaceAll("[^A-Za-z0-9._-]", "_");
    return plain.isEmpty() || plain.startsWith(".")
        ? "rows"
        : plain.substring(0, Math.min(NAME, plain.length()));
  }
}
