package org.tokentune.zoo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/** Checksums of files, in hexadecimal digits. */
final class Checksums {

  private static final int BUFFER = 1 << 16;

  private Checksums() {}

  /**
   * @param bytes its size
   * @return its line: checksum, size, path
   * @throws BadInputException if it has another size or checksum
   */
  static String require(Path file, long bytes, String sha256) {
    String actual = sha256(file);
    if (LocalFiles.size(file) != bytes || !actual.equals(sha256)) {
      throw new BadFileException(
          "%s has %d bytes and the SHA-256 %s instead of %d and %s: it is damaged or another file;"
              + " delete it, so that it is fetched again.",
          file, LocalFiles.size(file), actual, bytes, sha256);
    }
    return line(file, sha256);
  }

  /** Checksum, size, path. */
  static String line(Path file, String sha256) {
    return String.format(Locale.ROOT, "%s  %d  %s", sha256, LocalFiles.size(file), file);
  }

  static String sha256(Path file) {
    return digest(file, digest("SHA-256"));
  }

  static String sha256(String text) {
    return HexFormat.of()
        .formatHex(digest("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * What the hub calls a file by (its {@code ETag}): the SHA-256 of a large one, of another the
   * name that Git gives it, SHA-1 of {@code "blob <size>\\0"} and its content. True for names that
   * are no checksum.
   */
  static boolean matchesHubName(Path file, String name) {
    if (name.matches("[0-9a-f]{64}")) {
      return sha256(file).equals(name);
    }
    if (name.matches("[0-9a-f]{40}")) {
      MessageDigest sha1 = digest("SHA-1");
      sha1.update(("blob " + LocalFiles.size(file) + "\0").getBytes(StandardCharsets.US_ASCII));
      return digest(file, sha1).equals(name);
    }
    return true;
  }

  private static String digest(Path file, MessageDigest digest) {
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has " + algorithm, e);
    }
  }
}
