package org.tokentune.server;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.ee10.servlet.ServletContextRequest;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.util.BufferUtil;

/**
 * Whoever waits for an answer. Jetty does not look at a connection while its request is answered,
 * so this does: a client that sends anything else in that time, or its end, does not wait for the
 * answer.
 */
final class Client {

  private final EndPoint connection;
  private boolean gone;

  /**
   * @param request whose body was read
   */
  Client(HttpServletRequest request) {
    connection =
        ServletContextRequest.getServletContextRequest(request)
            .getConnectionMetaData()
            .getConnection()
            .getEndPoint();
  }

  boolean isGone() {
    if (!gone) {
      gone = !connection.isOpen() || received() != 0;
    }
    return gone;
  }

  /** Bytes that came, without waiting; -1 for the end. */
  private int received() {
    ByteBuffer byteOrNone = BufferUtil.allocate(1);
    try {
      return connection.fill(byteOrNone);
    } catch (IOException e) {
      return -1;
    }
  }
}
