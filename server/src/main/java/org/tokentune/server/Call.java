package org.tokentune.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.javalin.http.Context;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A request under way.
 *
 * @param fields of its body
 */
record Call(Context context, RequestFields fields, Client client, Deadline deadline) {

  /** How often a client is looked at that waits. */
  static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** How an endpoint answers. */
  interface Endpoint {
    void answer(Call call) throws IOException, InterruptedException;
  }

  /**
   * Waits for a result.
   *
   * @throws ApiException if it takes too long, or the client goes away
   */
  <T> T await(CompletableFuture<T> future) throws InterruptedException {
    try {
      while (true) {
        long left = deadline.left();
        if (left <= 0) {
          throw deadline.passed();
        }
        try {
          return future.get(Math.min(left, LOOK_NANOS), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          if (client.isGone()) {
            throw ApiException.gone();
          }
        }
      }
    } catch (ExecutionException e) {
      throw rethrown(e.getCause());
    } finally {
      future.cancel(false); // nobody else waits
    }
  }

  /** What another thread threw, to be thrown by this one. */
  static RuntimeException rethrown(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    return (RuntimeException) failure;
  }

  void json(JsonNode body) throws IOException {
    Answers.json(context, 200, body);
  }
}
