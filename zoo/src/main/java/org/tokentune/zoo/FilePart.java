package org.tokentune.zoo;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import okhttp3.MediaType;
import okhttp3.RequestBody;
import okio.BufferedSink;

/** A part of a file, as the body of a request: read whenever it is sent, and never held. */
final class FilePart extends RequestBody {

  private static final int BUFFER = 1 << 16;

  private final Path file;
  private final long from;
  private final long count;

  FilePart(Path file, long from, long count) {
    this.file = file;
    this.from = from;
    this.count = count;
  }

  @Override
  public MediaType contentType() {
    return null; // an address that is signed for no type takes none
  }

  @Override
  public long contentLength() {
    return count;
  }

  @Override
  public void writeTo(BufferedSink sink) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      in.skipNBytes(from);
      byte[] buffer = new byte[BUFFER];
      for (long left = count; left > 0; ) {
        int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (read < 0) {
          throw new EOFException(file + " has become shorter");
        }
        sink.write(buffer, 0, read);
        left -= read;
      }
    }
  }
}
