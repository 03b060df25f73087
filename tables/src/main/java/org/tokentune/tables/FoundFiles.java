package org.tokentune.tables;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.tokentune.BadFileException;
import org.tokentune.datasets.RowSource;

/** Files of rows in folders. */
final class FoundFiles {

  private static final Pattern WILD = Pattern.compile("[*?\\[]");

  /** Folders within folders that are looked through. */
  private static final int DEPTH = 8;

  private static final Pattern PARTS = Pattern.compile("[0-9]+|[^0-9]+");

  /** By names, in which numbers count as such: part-2 comes before part-10. */
  static final Comparator<String> NATURAL = FoundFiles::compare;

  private FoundFiles() {}

  static boolean isParquet(Path file) {
    return file.getFileName() != null
        && file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".parquet");
  }

  /** Whether a location has wild cards, and is not a file that is called so. */
  static boolean isPattern(String location) {
    return WILD.matcher(location).find() && !new java.io.File(location).exists();
  }

  /** The files of rows in a folder and the folders in it, without hidden ones. */
  static List<Path> in(Path folder) {
    List<Path> files = list(folder, DEPTH).stream().filter(FoundFiles::hasRows).toList();
    if (files.isEmpty()) {
      throw new BadFileException(
          "The folder %s has no .parquet, .csv, .tsv, .json or .jsonl file; name another one.",
          folder);
    }
    return files;
  }

  /** The files whose names a pattern matches; wild cards are in the last part only. */
  static List<Path> matching(String pattern) {
    int end = Math.max(pattern.lastIndexOf('/'), pattern.lastIndexOf('\\')) + 1;
    String before = pattern.substring(0, end);
    if (WILD.matcher(before).find()) {
      throw new BadFileException(
          "%s has *, ? or [ in a folder's name; they may be in the file's name only.", pattern);
    }
    Path folder = Path.of(before.isEmpty() ? "." : before);
    PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern.substring(end));
    List<Path> files =
        Files.isDirectory(folder)
            ? list(folder, 1).stream().filter(file -> matcher.matches(file.getFileName())).toList()
            : List.of();
    if (files.isEmpty()) {
      throw new BadFileException("No file matches %s; check the path.", pattern);
    }
    return files;
  }

  private static List<Path> list(Path folder, int depth) {
    try (Stream<Path> files = Files.walk(folder, depth)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !isHidden(folder.relativize(file)))
          .sorted(Comparator.comparing(Path::toString, NATURAL))
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new BadFileException(e, "The folder %s cannot be read: %s.", folder, e.getMessage());
    }
  }

  private static boolean isHidden(Path file) {
    for (Path part : file) {
      if (part.toString().startsWith(".")) {
        return true;
      }
    }
    return false;
  }

  private static boolean hasRows(Path file) {
    Path inner =
        Compression.isCompressed(file) ? file.resolveSibling(Compression.inner(file)) : file;
    return isParquet(file) || RowSource.isNamed(inner);
  }

  private static int compare(String one, String other) {
    List<String> parts = parts(one);
    List<String> others = parts(other);
    for (int i = 0; i < Math.min(parts.size(), others.size()); i++) {
      int order = comparePart(parts.get(i), others.get(i));
      if (order != 0) {
        return order;
      }
    }
    int order = Integer.compare(parts.size(), others.size());
    return order == 0 ? one.compareTo(other) : order;
  }

  private static List<String> parts(String name) {
    return PARTS.matcher(name).results().map(MatchResult::group).toList();
  }

  private static int comparePart(String part, String other) {
    if (!Character.isDigit(part.charAt(0)) || !Character.isDigit(other.charAt(0))) {
      return part.compareTo(other);
    }
    String number = part.replaceFirst("^0+", "");
    String otherNumber = other.replaceFirst("^0+", "");
    int order = Integer.compare(number.length(), otherNumber.length());
    return order == 0 ? number.compareTo(otherNumber) : order;
  }
}
