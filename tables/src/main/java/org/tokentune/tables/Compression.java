package org.tokentune.tables;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import org.tokentune.BadFileException;
import org.tokentune.files.WholeFile;

/** Files that end in {@code .gz} or {@code .zst}. */
final class Compression {

  private static final int BUFFER = 1 << 16;

  /** Bytes that stay free on the disk. */
  private static final long SPACE = 1 << 28;

  private Compression() {}

  static boolean isCompressed(Path file) {
    String name = name(file);
    return name.endsWith(".gz") || name.endsWith(".zst");
  }

  private static String name(Path file) {
    Path name = file.getFileName();
    return name == null ? "" : name.toString().toLowerCase(Locale.ROOT);
  }

  /** The name of the file inside. */
  static String inner(Path file) {
    String name = file.getFileName().toString();
    return name.substring(0, name.lastIndexOf('.'));
  }

  /**
   * Decompresses a file, all members or frames of it; the target is written whole or not at all.
   */
  static void decompress(Path file, Path target) throws IOException {
    WholeFile.write(
        target,
        out -> {
          try (Reading in = new Reading(file)) {
            byte[] buffer = new byte[BUFFER];
            long written = 0;
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
              out.write(buffer, 0, read);
              if (written / SPACE < (written += read) / SPACE) {
                requireSpace(file, target);
              }
            }
          }
        });
  }

  private static void requireSpace(Path file, Path target) throws IOException {
    if (Files.getFileStore(target.getParent()).getUsableSpace() < SPACE) {
      throw new BadFileException(
          "%s is too large to be decompressed in %s; make room there.", file, target.getParent());
    }
  }

  /** Content whose errors name the file. */
  private static final class Reading implements AutoCloseable {

    private final Path file;
    private final InputStream in;

    Reading(Path file) throws IOException {
      this.file = file;
      InputStream compressed = new BufferedInputStream(Files.newInputStream(file), BUFFER);
      try {
        in =
            name(file).endsWith(".gz")
                ? new GZIPInputStream(compressed, BUFFER)
                : new ZstdInputStream(compressed);
      } catch (IOException e) {
        compressed.close();
        throw broken(e);
      }
    }

    private BadFileException broken(IOException e) {
      return new BadFileException(
          e,
          "%s cannot be decompressed (%s); get it again.",
          file,
          e instanceof EOFException ? "it ends too early" : e.getMessage());
    }

    int read(byte[] buffer) {
      try {
        return in.read(buffer);
      } catch (IOException e) {
        throw broken(e);
      }
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
