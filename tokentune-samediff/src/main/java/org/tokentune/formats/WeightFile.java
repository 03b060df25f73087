package org.tokentune.formats;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/** Shared by the readers of weight files: opening, finding a tensor, closing. */
final class WeightFile {

  private static final byte[] LFS_POINTER =
      "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.US_ASCII);

  private WeightFile() {}

  /** Takes ownership of the channel, which is closed here only if this fails. */
  interface Opener<T> {
    T open(FileChannel channel) throws IOException;
  }

  static <T> T open(Path file, Opener<T> opener) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    FileChannel channel = null;
    try {
      checkFetched(file);
      channel = FileChannel.open(file, StandardOpenOption.READ);
      T opened = opener.open(channel);
      channel = null;
      return opened;
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    } finally {
      close(channel);
    }
  }

  /**
   * Rejects the pointer that a clone without Git LFS leaves in place of a large file.
   *
   * @throws BadInputException if it is a pointer
   */
  static void checkFetched(Path file) throws IOException {
    try (InputStream stream = Files.newInputStream(file)) {
      if (Arrays.equals(stream.readNBytes(LFS_POINTER.length), LFS_POINTER)) {
        throw new BadFileException(
            "%s is a Git LFS pointer, not the file itself; fetch it with git lfs pull.", file);
      }
    }
  }

  /**
   * One of a file's tensors.
   *
   * @param origin the file, for messages
   * @throws BadInputException if there is no tensor of this name
   */
  static <T> T tensor(Map<String, T> tensors, String name, Object origin) {
    T tensor = tensors.get(name);
    if (tensor == null) {
      throw new BadFileException("%s has no tensor %s.", origin, name);
    }
    return tensor;
  }

  /** Closes a channel; null is ignored. */
  static void close(FileChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // The channel was only read, so nothing is lost, and the earlier failure is being thrown.
      }
    }
  }

  /** Why a tensor cannot be read, for messages. */
  static String reason(IOException cause) {
    return cause instanceof ClosedChannelException
        ? "the file was closed; open it again"
        : cause.getMessage();
  }
}
