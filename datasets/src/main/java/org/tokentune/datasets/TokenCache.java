package org.tokentune.datasets;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Function;
import java.util.zip.CRC32;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokentune.files.CacheFolder;
import org.tokentune.files.WholeFile;
import org.tokentune.formats.ModelFiles;

/**
 * Caches the tokens of texts in a folder, one file per text. Its name is the SHA-256 of the
 * tokenizer, its use and the text. A file is written under another name and then renamed, and is
 * used only if its checksum is right. If the folder is not writable, texts are tokenised every
 * time.
 *
 * <p>File format, big-endian: CRC-32 of the ids as a long, then the ids, one int each.
 */
final class TokenCache {

  private static final Logger LOG = LoggerFactory.getLogger(TokenCache.class);

  private final Path folder;
  private final byte[] tokenizer;
  private volatile boolean writable = true;

  /**
   * @param tokenizer the tokenizer's file
   */
  TokenCache(Path folder, byte[] tokenizer) {
    this.folder = folder;
    this.tokenizer = tokenizer.clone();
  }

  /** The cache for a model's tokenizer: the {@link CacheFolder} {@code tokens}. */
  static TokenCache of(ModelFiles files) {
    return new TokenCache(CacheFolder.named("tokens"), TokenizerJson.of(files));
  }

  /**
   * Returns the stored tokens of a text, or calls {@code tokenise} and stores the result.
   *
   * @param use identifies {@code tokenise} among the uses of the tokenizer
   */
  int[] get(String use, String text, Function<String, int[]> tokenise) {
    Path file = file(use, text);
    Optional<int[]> stored = read(file);
    if (stored.isPresent()) {
      return stored.get();
    }
    int[] ids = tokenise.apply(text);
    if (writable) {
      write(file, ids);
    }
    return ids;
  }

  private Path file(String use, String text) {
    try {
      MessageDigest hash = MessageDigest.getInstance("SHA-256");
      hash.update(MessageDigest.getInstance("SHA-256").digest(tokenizer));
      hash.update(
          MessageDigest.getInstance("SHA-256").digest(use.getBytes(StandardCharsets.UTF_8)));
      hash.update(text.getBytes(StandardCharsets.UTF_8));
      String name = HexFormat.of().formatHex(hash.digest());
      return folder.resolve(name.substring(0, 2)).resolve(name + ".ids");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  private static Optional<int[]> read(Path file) {
    try {
      ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
      if (content.remaining() < Long.BYTES || content.remaining() % Integer.BYTES != 0) {
        return Optional.empty();
      }
      long expected = content.getLong();
      if (checksum(content) != expected) {
        return Optional.empty();
      }
      int[] ids = new int[content.remaining() / Integer.BYTES];
      content.asIntBuffer().get(ids);
      return Optional.of(ids);
    } catch (IOException e) {
      return Optional.empty(); // missing or unreadable
    }
  }

  private void write(Path file, int[] ids) {
    ByteBuffer content = ByteBuffer.allocate(Long.BYTES + ids.length * Integer.BYTES);
    content.position(Long.BYTES);
    content.asIntBuffer().put(ids);
    content.putLong(0, checksum(content));
    try {
      Files.createDirectories(file.getParent());
      WholeFile.write(file, out -> out.write(content.array()));
    } catch (IOException e) {
      writable = false;
      LOG.warn(
          "Tokens cannot be kept in {}: {}; texts are tokenised every time.", folder, e.toString());
    }
  }

  private static long checksum(ByteBuffer ids) {
    CRC32 checksum = new CRC32();
    checksum.update(ids.slice());
    return checksum.getValue();
  }
}
