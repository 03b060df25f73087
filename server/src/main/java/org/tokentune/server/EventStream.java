package org.tokentune.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import io.javalin.http.Context;
import jakarta.servlet.ServletOutputStream;
import java.io.IOException;

/** Server-sent events, as OpenAI streams answers. The first one begins the answer. */
final class EventStream {

  private final Context context;
  private ServletOutputStream out;

  EventStream(Context context) {
    this.context = context;
  }

  /** Whether the answer has begun, so that its status is out. */
  boolean hasBegun() {
    return out != null;
  }

  /**
   * Sends an event at once.
   *
   * @throws ApiException if the client has gone
   */
  void send(JsonNode event) {
    try {
      send(RequestFields.JSON.writeValueAsString(event));
    } catch (IOException e) {
      throw ApiException.gone();
    }
  }

  private void send(String data) throws IOException {
    if (out == null) {
      context.status(200);
      context.contentType("text/event-stream; charset=utf-8");
      context.header("Cache-Control", "no-cache");
      context.header("X-Accel-Buffering", "no"); // of nginx
      out = context.res().getOutputStream();
    }
    out.write(("data: " + data + "\n\n").getBytes(UTF_8));
    out.flush();
  }

  /** Ends the events. */
  void end() {
    try {
      send("[DONE]");
    } catch (IOException e) {
      throw ApiException.gone();
    }
  }
}
