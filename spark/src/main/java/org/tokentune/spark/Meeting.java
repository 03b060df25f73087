package org.tokentune.spark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.util.JavaUtils;

/**
 * Where the tasks of an attempt meet, on the driver: it tells them one another's addresses once all
 * of them are there, hears how far they are, and lets them go once none needs another.
 */
final class Meeting extends RpcHandler implements AutoCloseable {

  private final Share.Attempt attempt;
  private final int tasks;
  private final StreamManager streams = new OneForOneStreamManager(); // without a stream
  private final Map<Integer, Guest> guests = new TreeMap<>();
  private final ExchangePort port;
  private final Place place;
  private String failure;
  private long lastSign = System.nanoTime();

  /** A task that is there. */
  private static final class Guest {
    private final TransportClient client;
    private final ExchangeMessage arrival;
    private RpcResponseCallback waiting;
    private int steps;
    private boolean ended;

    Guest(TransportClient client, ExchangeMessage arrival) {
      this.client = client;
      this.arrival = arrival;
    }
  }

  /**
   * How tasks get there.
   *
   * @param tasks that meet
   * @param seconds after which the driver gives up
   */
  record Place(String host, int port, Share.Attempt attempt, int tasks, long seconds)
      implements Serializable {}

  /**
   * Opens it.
   *
   * @param tasks that meet
   * @param seconds without a sign after which the caller gives up
   */
  Meeting(Share.Attempt attempt, int tasks, long seconds) {
    this.attempt = attempt;
    this.tasks = tasks;
    SparkConf conf = SparkEnv.get().conf();
    String host = conf.get("spark.driver.host");
    port = new ExchangePort(conf.get("spark.driver.bindAddress", host), this, seconds);
    place = new Place(host, port.number(), attempt, tasks, seconds);
  }

  Place place() {
    return place;
  }

  @Override
  public void receive(TransportClient client, ByteBuffer bytes, RpcResponseCallback callback) {
    try {
      ExchangeMessage message = ExchangeMessage.of(bytes);
      if (message.kind() == ExchangeMessage.Kind.FAILED && message.attempt().equals(attempt)) {
        fail("task " + message.rank() + ": " + message.text()); // whatever version it has
        return;
      }
      message.check(attempt, tasks);
      receive(client, message, callback);
    } catch (ExchangeException e) {
      callback.onFailure(e);
    }
  }

  private synchronized void receive(
      TransportClient client, ExchangeMessage message, RpcResponseCallback callback)
      throws ExchangeException {
    Guest guest = guests.get(message.rank());
    if (message.kind() == ExchangeMessage.Kind.BEGIN) {
      if (guest != null) {
        fail("Spark has started task " + message.rank() + " a second time");
      } else {
        guest = new Guest(client, message);
        guests.put(message.rank(), guest);
        long expected = guests.values().iterator().next().arrival.number();
        if (message.number() != expected) {
          fail(
              "task "
                  + message.rank()
                  + " exchanges "
                  + message.number()
                  + " numbers, not "
                  + expected);
        }
      }
    } else if (guest == null || guest.client != client) {
      throw new ExchangeException("a message of a task that has not come");
    }
    lastSign = System.nanoTime();
    if (failure != null) {
      throw new ExchangeException(failure);
    }
    switch (message.kind()) {
      case BEGIN -> {
        guest.waiting = callback;
        if (guests.size() == tasks) {
          answer(
              guests.values().stream()
                  .map(one -> one.arrival.text())
                  .collect(Collectors.joining("\n")));
        }
      }
      case STEP -> guest.steps = message.step() + 1;
      case END -> {
        guest.waiting = callback;
        guest.ended = true;
        if (guests.values().stream().allMatch(one -> one.ended)) {
          answer("");
        }
      }
      default -> throw new ExchangeException("a message that is for tasks");
    }
  }

  private void answer(String text) {
    for (Guest guest : guests.values()) {
      guest.waiting.onSuccess(JavaUtils.stringToBytes(text));
      guest.waiting = null;
    }
  }

  /** Ends the attempt for all tasks that come or wait. */
  private synchronized void fail(String why) {
    failure = why;
    for (Guest guest : guests.values()) {
      if (guest.waiting != null) {
        guest.waiting.onFailure(new ExchangeException(failure));
        guest.waiting = null;
      }
    }
  }

  @Override
  public synchronized void channelInactive(TransportClient client) {
    for (Guest guest : guests.values()) {
      if (failure == null && guest.client == client && !guest.ended) {
        fail(name(guest) + " is lost");
      }
    }
  }

  private static String name(Guest guest) {
    return "task " + guest.arrival.rank() + " (" + guest.arrival.text().replace(' ', ':') + ")";
  }

  /** Why the attempt has failed, as the tasks know; null if nothing is known. */
  synchronized String failure() {
    return failure;
  }

  /** The time of the last message, as {@link System#nanoTime} has it. */
  synchronized long lastSign() {
    return lastSign;
  }

  /** What is missing, for a sentence. */
  synchronized String missing() {
    if (guests.size() < tasks) {
      return String.format(
          Locale.ROOT,
          "%d of %d tasks have started, and direct exchange needs all of them at the same time;"
              + " start more executors, or ask for fewer tasks",
          guests.size(),
          tasks);
    }
    Guest slowest = null;
    for (Guest guest : guests.values()) {
      if (slowest == null || guest.steps < slowest.steps) {
        slowest = guest;
      }
    }
    return String.format(
        Locale.ROOT,
        "%s is at step %d and says nothing; look into its executor's log",
        name(slowest),
        attempt.step() + slowest.steps + 1);
  }

  /** How many tasks have come. */
  synchronized int arrived() {
    return guests.size();
  }

  @Override
  public StreamManager getStreamManager() {
    return streams;
  }

  @Override
  public void close() {
    port.close();
  }
}
