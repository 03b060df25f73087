package org.tokentune.spark;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;

/**
 * What a task has for others, who ask for one piece after the other: answered at once, or when it
 * is there.
 */
final class Outbox extends RpcHandler {

  private final Share.Attempt attempt;
  private final int tasks;
  private final StreamManager streams = new OneForOneStreamManager(); // without a stream
  private final Map<ExchangeMessage.Kind, Shelf> shelves =
      new EnumMap<>(ExchangeMessage.Kind.class);
  private final List<Asked> waiting = new ArrayList<>();
  private String closed;

  /**
   * What there is of a kind.
   *
   * @param pieces by the asking task
   */
  private record Shelf(int step, List<List<byte[]>> pieces) {}

  private record Asked(ExchangeMessage message, RpcResponseCallback callback) {}

  /**
   * @param tasks that exchange
   */
  Outbox(Share.Attempt attempt, int tasks) {
    this.attempt = attempt;
    this.tasks = tasks;
  }

  /**
   * Puts out the pieces of a step, in place of those of the step before, which all others have by
   * then.
   *
   * @param pieces for each task
   */
  synchronized void put(ExchangeMessage.Kind kind, int step, List<List<byte[]>> pieces) {
    shelves.put(kind, new Shelf(step, pieces));
    List<Asked> asked = List.copyOf(waiting);
    waiting.clear();
    asked.forEach(this::answer);
  }

  /** Refuses everything from now on. */
  synchronized void close(String why) {
    closed = why;
    waiting.forEach(asked -> refuse(asked.callback(), why));
    waiting.clear();
  }

  @Override
  public void receive(TransportClient client, ByteBuffer bytes, RpcResponseCallback callback) {
    try {
      ExchangeMessage message = ExchangeMessage.of(bytes);
      message.check(attempt, tasks);
      ask(new Asked(message, callback));
    } catch (ExchangeException e) {
      refuse(callback, e.getMessage());
    }
  }

  private synchronized void ask(Asked asked) {
    boolean again =
        waiting.stream()
            .map(Asked::message)
            .anyMatch(
                other ->
                    other.rank() == asked.message().rank()
                        && other.kind() == asked.message().kind());
    if (closed != null || again) {
      refuse(asked.callback(), closed == null ? "asked twice" : closed);
    } else {
      answer(asked);
    }
  }

  private void answer(Asked asked) {
    ExchangeMessage message = asked.message();
    Shelf shelf = shelves.get(message.kind());
    int step = shelf == null ? -1 : shelf.step();
    if (message.step() == step + 1) {
      waiting.add(asked);
      return;
    }
    List<byte[]> pieces = message.step() == step ? shelf.pieces().get(message.rank()) : List.of();
    if (message.number() < pieces.size()) {
      asked.callback().onSuccess(ByteBuffer.wrap(pieces.get((int) message.number())));
    } else {
      refuse(asked.callback(), "asked for what is not there");
    }
  }

  private static void refuse(RpcResponseCallback callback, String why) {
    callback.onFailure(new ExchangeException(why));
  }

  @Override
  public StreamManager getStreamManager() {
    return streams;
  }
}
