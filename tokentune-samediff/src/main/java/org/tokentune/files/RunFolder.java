package org.tokentune.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * The locked folder that a training run writes to: its log and training checkpoints, and finally
 * the model. The lock ends with the process, however that ends; the lock file stays.
 */
public final class RunFolder implements AutoCloseable {

  private static final String LOCK = ".lock";
  private static final String LOG = "log.jsonl";
  private static final String CHECKPOINTS = "checkpoints";

  /** Entries that stay when a model is replaced. */
  static final Set<String> OWN = Set.of(LOCK, LOG, CHECKPOINTS);

  /**
   * Folders that this process has locked. The operating system releases a lock when any channel of
   * the file is closed, so no second one is opened.
   */
  private static final Set<Path> LOCKED = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final Path real;
  private final FileChannel lock;

  private RunFolder(Path folder, Path real, FileChannel lock) {
    this.folder = folder;
    this.real = real;
    this.lock = lock;
  }

  /**
   * Creates the folder if needed, locks it, and removes partial files left by killed processes.
   *
   * @throws BadInputException if another run is writing to it, or it is not writable
   */
  public static RunFolder lock(Path folder) {
    ModelWriter.checkWritable(folder);
    try {
      Path real = Files.createDirectories(folder).toRealPath();
      if (!LOCKED.add(real)) {
        throw taken(Long.toString(ProcessHandle.current().pid()), folder);
      }
      FileChannel channel = null;
      try {
        channel =
            FileChannel.open(
                real.resolve(LOCK),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        if (channel.tryLock() == null) {
          throw taken(process(channel), folder);
        }
        note(channel);
        Staging.clean(real);
        if (Files.isDirectory(real.resolve(CHECKPOINTS))) {
          Staging.clean(real.resolve(CHECKPOINTS));
        }
        RunFolder run = new RunFolder(folder, real, channel);
        channel = null;
        return run;
      } finally {
        if (channel != null) {
          release(channel);
          LOCKED.remove(real);
        }
      }
    } catch (IOException e) {
      throw new BadFileException(
          e,
          "%s cannot be written (%s); check free space and permissions.",
          folder,
          WholeFile.reason(e));
    }
  }

  private static BadInputException taken(String process, Path folder) {
    return new BadFileException(
        "Process %s is training in %s; wait until it ends, or name another folder.",
        process, folder);
  }

  /** Writes this process's id into the lock file. */
  private static void note(FileChannel channel) throws IOException {
    channel.truncate(0);
    byte[] id = Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
    channel.write(ByteBuffer.wrap(id), 0);
  }

  private static String process(FileChannel channel) throws IOException {
    ByteBuffer id = ByteBuffer.allocate(20);
    channel.read(id, 0);
    return new String(id.array(), 0, id.position(), StandardCharsets.US_ASCII);
  }

  /** The newest training checkpoint in a folder that need not be locked; empty if there is none. */
  public static Optional<Path> newestCheckpoint(Path folder) {
    return new Checkpoints(folder.resolve(CHECKPOINTS), 1).newest();
  }

  /** The folder of the run that wrote a training checkpoint; empty if the checkpoint was moved. */
  public static Optional<Path> ofCheckpoint(Path checkpoint) {
    Path parent = checkpoint.toAbsolutePath().normalize().getParent();
    return parent != null && parent.endsWith(CHECKPOINTS)
        ? Optional.ofNullable(parent.getParent())
        : Optional.empty();
  }

  /** The default location of the training log. */
  public Path log() {
    return folder.resolve(LOG);
  }

  /**
   * The run's training checkpoints.
   *
   * @param keep how many of the newest are kept
   */
  public Checkpoints checkpoints(int keep) {
    return new Checkpoints(folder.resolve(CHECKPOINTS), keep);
  }

  /** Removes all training checkpoints, which would otherwise outlive the model of their run. */
  public void removeCheckpoints() {
    try {
      if (Files.isDirectory(real.resolve(CHECKPOINTS))) {
        Staging.remove(real.resolve(CHECKPOINTS));
      }
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s cannot be removed (%s); check permissions.", folder.resolve(CHECKPOINTS), e);
    }
  }

  /** Releases the folder for other runs; removes it if it is empty. */
  @Override
  public void close() {
    try {
      if (Files.isDirectory(real) && Staging.entries(real).equals(List.of(real.resolve(LOCK)))) {
        Folders.delete(real);
      }
    } catch (IOException e) {
      // An empty folder that stays is harmless, and the earlier failure is being thrown.
    } finally {
      release(lock);
      LOCKED.remove(real);
    }
  }

  private static void release(FileChannel lock) {
    try {
      lock.close();
    } catch (IOException e) {
      // The file is empty but for a process id, so nothing is lost.
    }
  }
}
