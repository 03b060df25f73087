package org.tokentune.zoo;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.tokentune.BadFileException;
import org.tokentune.files.WholeFile;

/** Files and folders of caches. */
final class LocalFiles {

  /** A file lock keeps other processes out, not other threads of this one. */
  private static final ReentrantLock THREADS = new ReentrantLock();

  private LocalFiles() {}

  static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e);
    }
  }

  static void createFolders(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(e, "The folder %s cannot be made: %s.", folder, e);
    }
  }

  /** Deletes a file, or a folder with all that is in it; links are not followed. */
  static void delete(Path path) {
    List<Path> deepestFirst;
    try (Stream<Path> files = Files.walk(path)) {
      deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be deleted: %s; delete it by hand.", path, e);
    }
  }

  /** Puts a finished file in its place: on the disk first, then under its name. */
  static void publish(Path finished, Path target) {
    try {
      WholeFile.publish(finished, target);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", target, e);
    }
  }

  /** Writes a small file, whole or not at all. */
  static void write(Path file, String content) {
    createFolders(file.getParent());
    try {
      WholeFile.write(file, out -> out.write(content.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", file, e);
    }
  }

  /**
   * A link at {@code link} to a file of the same disk, in place of what was there; other processes
   * may make the same one at the same time.
   */
  static void link(Path link, Path target) {
    createFolders(link.getParent());
    Path staged = link.resolveSibling(".link-" + UUID.randomUUID());
    try {
      try {
        Files.createSymbolicLink(staged, link.getParent().relativize(target));
      } catch (IOException | UnsupportedOperationException e) {
        Files.createLink(staged, target); // Windows lets few users make symbolic ones.
      }
      try {
        Files.move(staged, link, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(staged); // also where both are names of one file: then nothing moves
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", link, e);
    }
  }

  /** Does some work that no other process does under the same lock file at the same time. */
  static void locked(Path lock, Runnable work) {
    createFolders(lock.getParent());
    THREADS.lock();
    try (FileChannel channel =
            FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      if (held.isValid()) {
        work.run();
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be locked: %s.", lock, e);
    } finally {
      THREADS.unlock();
    }
  }
}
