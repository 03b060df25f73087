package org.tokentune.formats;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * A sorted table of keys and values in LevelDB's file format ({@code doc/table_format.md} there),
 * as TensorFlow writes it: uncompressed.
 *
 * <p>Blocks of entries come first; an index block of the same structure lists them by offset and
 * size, and the last 48 bytes locate it. Each key is stored without the prefix it shares with the
 * key before. Each block is followed by its compression type (one byte) and a checksum.
 */
final class LevelDbTable {

  private static final int FOOTER = 48;
  private static final long MAGIC = 0xdb4775248b80fb57L;

  /** Bytes after each block: compression type and checksum. */
  private static final int TRAILER = 5;

  private final ByteBuffer file;
  private final String origin;

  private LevelDbTable(byte[] bytes, String origin) {
    this.file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    this.origin = origin;
  }

  /**
   * All entries in order.
   *
   * @param origin source of the bytes, for messages
   * @throws BadInputException if it is damaged or not a table
   */
  static Map<String, byte[]> read(byte[] bytes, String origin) {
    return new LevelDbTable(bytes, origin).entries();
  }

  private Map<String, byte[]> entries() {
    int size = file.limit();
    if (size < FOOTER || file.getLong(size - Long.BYTES) != MAGIC) {
      throw bad("does not end as an index does");
    }
    ByteBuffer footer = slice(size - FOOTER, FOOTER);
    handle(footer); // of the metaindex block, which is empty
    Map<String, byte[]> entries = new LinkedHashMap<>();
    long next = 0;
    for (byte[] block : entriesOf(handle(footer)).values()) {
      // Each block is read once: otherwise an index that repeats one could take unbounded time.
      if (varint(ByteBuffer.wrap(block)) < next) {
        throw bad("has blocks that are out of order");
      }
      ByteBuffer content = handle(ByteBuffer.wrap(block));
      next = varint(ByteBuffer.wrap(block)) + content.limit();
      entries.putAll(entriesOf(content));
    }
    return entries;
  }

  /** The block at the offset and size read from here. */
  private ByteBuffer handle(ByteBuffer in) {
    long offset = varint(in);
    long size = varint(in);
    if (offset < 0 || size < Integer.BYTES || offset > file.limit() - size - TRAILER) {
      throw bad("claims a block of " + size + " bytes at " + offset);
    }
    int end = (int) (offset + size);
    if (file.get(end) != 0) {
      throw bad("is compressed, which is not supported");
    }
    if (checksum(slice((int) offset, (int) size + 1)) != file.getInt(end + 1)) {
      throw bad("has a block with a wrong checksum");
    }
    return slice((int) offset, (int) size);
  }

  private Map<String, byte[]> entriesOf(ByteBuffer block) {
    long restarts = Integer.toUnsignedLong(block.getInt(block.limit() - Integer.BYTES));
    long end = block.limit() - Integer.BYTES * (restarts + 1);
    if (end < 0) {
      throw bad("claims " + restarts + " restarts in a block");
    }
    block.limit((int) end);
    Map<String, byte[]> entries = new LinkedHashMap<>();
    byte[] key = new byte[0];
    while (block.hasRemaining()) {
      long shared = varint(block);
      long added = varint(block);
      long value = varint(block);
      if (shared < 0
          || shared > key.length
          || added < 0
          || added > Limits.NAME_BYTES - shared
          || value < 0
          || added > block.remaining()
          || value > block.remaining() - added) {
        throw bad("has an entry that does not fit its block");
      }
      byte[] next = Arrays.copyOf(key, (int) (shared + added));
      block.get(next, (int) shared, (int) added);
      byte[] content = new byte[(int) value];
      block.get(content);
      entries.put(new String(next, StandardCharsets.UTF_8), content);
      key = next;
    }
    return entries;
  }

  /** Seven bits per byte, lowest first; the highest bit means that more follow. */
  private long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE && in.hasRemaining(); shift += 7) {
      byte next = in.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw bad("has an unterminated number");
  }

  private ByteBuffer slice(int offset, int size) {
    return file.slice(offset, size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** CRC-32C, masked as LevelDB and TensorFlow store it. */
  static int masked(CRC32C crc) {
    return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
  }

  private static int checksum(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return masked(crc);
  }

  private BadInputException bad(String what) {
    return new BadFileException(
        "%s %s: it is damaged or not the index of a TensorFlow checkpoint; download it again.",
        origin, what);
  }
}
