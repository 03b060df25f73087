package org.tokentune.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Writes folders atomically: under a reserved name first, flushed to disk and then renamed. The
 * staging folder is inside the target's parent, so both are always on the same file system.
 */
final class Staging {

  /** Prefix of names that no reader opens. */
  private static final String PREFIX = ".partial-";

  private Staging() {}

  /** An action on a folder's files. */
  interface Action {
    void on(Path folder) throws IOException;
  }

  /**
   * Writes and publishes a new folder in {@code parent}.
   *
   * @param content writes the folder's files
   * @param publish renames the folder, or moves its files
   * @throws IOException if either fails; the folder is then removed
   */
  static void write(Path parent, Action content, Action publish) throws IOException {
    boolean fresh = !Files.exists(parent);
    Files.createDirectories(parent);
    Path staged = unread(parent);
    try {
      Files.createDirectory(staged);
      content.on(staged);
      for (Path file : entries(staged)) {
        sync(file);
      }
      sync(staged);
      publish.on(staged);
      sync(parent);
    } finally {
      Folders.delete(staged);
      if (fresh && Files.isDirectory(parent) && entries(parent).isEmpty()) {
        Files.delete(parent);
      }
    }
  }

  /** An unused name in a folder that no reader opens. */
  static Path unread(Path parent) {
    return parent.resolve(PREFIX + UUID.randomUUID());
  }

  /** A folder's entries sorted by name, without staged ones. */
  static List<Path> entries(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> !isStaged(file)).sorted().toList();
    }
  }

  private static boolean isStaged(Path file) {
    return file.getFileName().toString().startsWith(PREFIX);
  }

  /** Renames atomically. An existing file at the destination is replaced. */
  static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Removes a folder so that no reader ever sees only part of it. */
  static void remove(Path folder) throws IOException {
    Path unread = unread(folder.getParent());
    move(folder, unread);
    Folders.delete(unread);
  }

  /** Removes staged files that killed processes left in a folder. */
  static void clean(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(Staging::isStaged).toList()) {
        Folders.delete(file);
      }
    }
  }

  /** Flushes a file's bytes, or a folder's entries, to disk. */
  static void sync(Path path) throws IOException {
    boolean names = Files.isDirectory(path);
    if (names && System.getProperty("os.name").startsWith("Windows")) {
      return; // cannot open folders
    }
    try (FileChannel channel =
        FileChannel.open(path, names ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }
}
