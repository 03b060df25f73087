package org.tokentune.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.tokentune.BadInputException;

/**
 * The folder that a training writes into, locked: its log and its checkpoints, and at the end the
 * model beside them. The lock goes with the process, however that ends; its file stays.
 */
public final class RunFolder implements AutoCloseable {

  private static final String LOCK = ".lock";
  private static final String LOG = "log.jsonl";
  private static final String CHECKPOINTS = "checkpoints";

  /** What stays where a model is replaced. */
  static final Set<String> OWN = Set.of(LOCK, LOG, CHECKPOINTS);

  /**
   * Folders that this process has locked. The system would let a lock go with any channel of the
   * file that the process closes, so no second one is opened.
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
   * Makes the folder where there is none, locks it, and removes what killed processes have left
   * half-written.
   *
   * @throws BadInputException if another training writes into it, or it cannot be written
   */
  public static RunFolder lock(Path folder) {
    ModelFolder.checkWritable(folder);
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
          CheckpointFile.close(channel);
          LOCKED.remove(real);
        }
      }
    } catch (IOException e) {
      throw new BadInputException(
          e, "%s cannot be written (%s); see to space and rights there.", folder, e.getMessage());
    }
  }

  private static BadInputException taken(String process, Path folder) {
    return new BadInputException(
        "Process %s is training into %s; wait until it ends, or name another folder.",
        process, folder);
  }

  /** Writes this process's number into the lock's file. */
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

  /** Where the training's log is, unless it is wanted elsewhere. */
  public Path log() {
    return folder.resolve(LOG);
  }

  /**
   * The training's checkpoints.
   *
   * @param keep so many of the newest stay
   */
  public Checkpoints checkpoints(int keep) {
    return new Checkpoints(folder.resolve(CHECKPOINTS), keep);
  }

  /** Lets others train into the folder; where nothing came into it, it is removed. */
  @Override
  public void close() {
    try {
      if (Files.isDirectory(real) && Staging.entries(real).equals(List.of(real.resolve(LOCK)))) {
        Staging.delete(real);
      }
    } catch (IOException e) {
      // An empty folder stays, which harms no one; what failed before is being thrown.
    } finally {
      CheckpointFile.close(lock);
      LOCKED.remove(real);
    }
  }
}
