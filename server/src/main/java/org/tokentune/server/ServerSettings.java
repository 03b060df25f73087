package org.tokentune.server;

import static org.tokentune.Arguments.required;

import java.time.Duration;
import java.util.Locale;
import org.tokentune.BadSettingsException;

/**
 * Where a server listens, and its limits.
 *
 * @param host address to listen on
 * @param port 0: any that is free
 * @param apiKey which requests must have in their {@code Authorization: Bearer}; null: none. Never
 *     printed
 * @param maxBody bytes of a request
 * @param maxTokens new tokens of a generated text
 * @param queue requests that are under way or wait; more are refused with status 429
 * @param timeout seconds that a request takes at most
 * @param batchSize texts that run at once
 * @param batchWait milliseconds that a text waits for others to run with
 * @param cacheTokens tokens of all generated texts of a model whose keys and values are held; a
 *     text that needs more is refused
 */
public record ServerSettings(
    String host,
    int port,
    String apiKey,
    long maxBody,
    int maxTokens,
    int queue,
    int timeout,
    int batchSize,
    int batchWait,
    int cacheTokens) {

  private static final int MOST_PORTS = 65_535;

  /** Each request under way has a thread. */
  private static final int MOST_QUEUE = 2000;

  /** More than any model's positions; the keys and values of as many would be terabytes. */
  private static final int MOST_CACHE_TOKENS = 100_000_000;

  public ServerSettings {
    required(host, "host");
    check("port", port, 0, MOST_PORTS);
    check("maxBody", maxBody, 1, Integer.MAX_VALUE / 2);
    check("maxTokens", maxTokens, 1, Integer.MAX_VALUE);
    check("queue", queue, 1, MOST_QUEUE);
    check("timeout", timeout, 1, Duration.ofDays(1).toSeconds());
    check("batchSize", batchSize, 1, 1024);
    check("batchWait", batchWait, 0, 1000);
    check("cacheTokens", cacheTokens, 2, MOST_CACHE_TOKENS);
    if (apiKey != null && !apiKey.matches("[\\x21-\\x7e]+")) {
      throw BadSettingsException.of(
          "apiKey",
          "must be one or more printable ASCII characters without spaces; choose another.");
    }
  }

  private static void check(String setting, long value, long least, long most) {
    if (value < least || value > most) {
      throw BadSettingsException.of(setting, "must be %d to %d, got %d.", least, most, value);
    }
  }

  /** Port 8080 of this machine alone, without a key. */
  public static ServerSettings defaults() {
    return new ServerSettings("127.0.0.1", 8080, null, 2_000_000, 1024, 128, 60, 16, 3, 4096);
  }

  /** The same at another address. */
  public ServerSettings withAddress(String otherHost, int otherPort) {
    return new ServerSettings(
        otherHost,
        otherPort,
        apiKey,
        maxBody,
        maxTokens,
        queue,
        timeout,
        batchSize,
        batchWait,
        cacheTokens);
  }

  /** The same with a key; null: without. */
  public ServerSettings withApiKey(String key) {
    return new ServerSettings(
        host, port, key, maxBody, maxTokens, queue, timeout, batchSize, batchWait, cacheTokens);
  }

  /** The same with other limits of a request: bytes, new tokens, seconds. */
  public ServerSettings withRequestLimits(long bytes, int tokens, int seconds) {
    return new ServerSettings(
        host, port, apiKey, bytes, tokens, queue, seconds, batchSize, batchWait, cacheTokens);
  }

  /** The same with another number of requests under way. */
  public ServerSettings withQueue(int requests) {
    return new ServerSettings(
        host,
        port,
        apiKey,
        maxBody,
        maxTokens,
        requests,
        timeout,
        batchSize,
        batchWait,
        cacheTokens);
  }

  /** The same with other batches. */
  public ServerSettings withBatches(int texts, int milliseconds) {
    return new ServerSettings(
        host, port, apiKey, maxBody, maxTokens, queue, timeout, texts, milliseconds, cacheTokens);
  }

  /** The same with keys and values of another number of tokens held. */
  public ServerSettings withCacheTokens(int tokens) {
    return new ServerSettings(
        host, port, apiKey, maxBody, maxTokens, queue, timeout, batchSize, batchWait, tokens);
  }

  /** All but the key. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "ServerSettings[host=%s, port=%d, apiKey=%s, maxBody=%d, maxTokens=%d, queue=%d, timeout=%d, batchSize=%d, batchWait=%d, cacheTokens=%d]",
        host,
        port,
        apiKey == null ? "none" : "set",
        maxBody,
        maxTokens,
        queue,
        timeout,
        batchSize,
        batchWait,
        cacheTokens);
  }
}
