package org.tokentune.formats;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * Bytes of a file, mapped in little-endian windows: a mapping holds at most 2 GiB.
 *
 * @param begin offset of the first byte
 * @param end offset after the last byte
 * @param unit size in bytes of an element, which no window splits
 */
record MappedRange(FileChannel channel, long begin, long end, int unit) {

  private static final long WINDOW = 1 << 26;

  /** Receives a window: all bytes from position 0 to the limit. */
  interface Reader {
    void read(ByteBuffer window);
  }

  void forEachWindow(Reader reader) throws IOException {
    long most = WINDOW / unit * unit;
    for (long from = begin; from < end; from += most) {
      reader.read(
          channel
              .map(FileChannel.MapMode.READ_ONLY, from, Math.min(most, end - from))
              .order(ByteOrder.LITTLE_ENDIAN));
    }
  }
}
