package org.tokentune.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;

/**
 * TensorFlow's records: length, its checksum, data, their checksum. Source: TensorFlow's
 * record_writer.h.
 */
final class TfRecord {

  private static final int HEAD = Long.BYTES + Integer.BYTES;
  private static final int MASK = 0xa282ead8;

  /** An event of numbers is far smaller. */
  private static final int MOST_BYTES = 1 << 24;

  private TfRecord() {}

  static int framedBytes(int length) {
    return HEAD + length + Integer.BYTES;
  }

  static byte[] framed(byte[] data) {
    ByteBuffer record =
        ByteBuffer.allocate(framedBytes(data.length)).order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(data.length);
    record.putInt(checksum(record, Long.BYTES));
    record.put(data);
    record.putInt(checksum(ByteBuffer.wrap(data), data.length));
    return record.array();
  }

  /** The data of the record at a position; null if there is no whole one. */
  static byte[] read(FileChannel channel, long position) throws IOException {
    ByteBuffer head = bytes(channel, position, HEAD);
    if (head == null || head.getInt(Long.BYTES) != checksum(head, Long.BYTES)) {
      return null;
    }
    long length = head.getLong(0);
    if (length < 0 || length > MOST_BYTES) {
      return null;
    }
    int size = (int) length;
    ByteBuffer rest = bytes(channel, position + HEAD, size + Integer.BYTES);
    if (rest == null || rest.getInt(size) != checksum(rest, size)) {
      return null;
    }
    byte[] data = new byte[size];
    rest.get(0, data);
    return data;
  }

  private static ByteBuffer bytes(FileChannel channel, long position, int count)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        return null;
      }
    }
    return buffer;
  }

  /** CRC-32C, rotated and shifted, as sums of data that hold sums would be weak. */
  private static int checksum(ByteBuffer data, int length) {
    CRC32C sum = new CRC32C();
    sum.update(data.slice(0, length));
    return Integer.rotateRight((int) sum.getValue(), 15) + MASK;
  }
}
