package org.tokentune.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Folders that are seen whole or not at all: they are written under a name that no one reads, taken
 * to the disk, and then renamed. It has a part in the folder itself, so that this stays on one file
 * system wherever that is mounted.
 */
final class Staging {

  /** How the names begin that no one reads. */
  private static final String PREFIX = ".partial-";

  private Staging() {}

  /** Something that is done with a folder's files. */
  interface Action {
    void on(Path folder) throws IOException;
  }

  /**
   * Has a new folder in {@code parent} written and published.
   *
   * @param content writes into it
   * @param publish renames it, or what is in it
   * @throws IOException if either fails; then nothing of the folder stays
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
      delete(staged);
      if (fresh && Files.isDirectory(parent) && entries(parent).isEmpty()) {
        Files.delete(parent);
      }
    }
  }

  /** A name in a folder that no one reads, and that is not there yet. */
  static Path unread(Path parent) {
    return parent.resolve(PREFIX + UUID.randomUUID());
  }

  /** What is in a folder, in the order of the names, without what is staged there. */
  static List<Path> entries(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> !isStaged(file)).sorted().toList();
    }
  }

  private static boolean isStaged(Path file) {
    return file.getFileName().toString().startsWith(PREFIX);
  }

  /** Renames: within a moment, and without a state between. A file in the way is replaced. */
  static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Removes a folder such that no one ever sees a part of it. */
  static void remove(Path folder) throws IOException {
    Path unread = unread(folder.getParent());
    move(folder, unread);
    delete(unread);
  }

  /** Removes what processes that were killed have left in a folder. */
  static void clean(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(Staging::isStaged).toList()) {
        delete(file);
      }
    }
  }

  /** Removes a folder with all that is in it, or a file; what is not there is removed. */
  static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Waits until a file's bytes, or a folder's names, are on the disk. */
  static void sync(Path path) throws IOException {
    boolean names = Files.isDirectory(path);
    if (names && System.getProperty("os.name").startsWith("Windows")) {
      return; // it does not open folders
    }
    try (FileChannel channel =
        FileChannel.open(path, names ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }
}
