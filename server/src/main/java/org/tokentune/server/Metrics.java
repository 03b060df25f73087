package org.tokentune.server;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.IntSupplier;

/**
 * Counts for Prometheus. Labels are names of endpoints and models, never what a client sent, so
 * that there are only so many.
 */
final class Metrics {

  private static final double NANOSECONDS = 1e9;

  private static final double[] SECONDS = {
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
  };
  private static final double[] TEXTS = {1, 2, 4, 8, 16, 32, 64};

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
  private final Counter requests;
  private final Histogram seconds;
  private final Histogram batches;
  private final Counter prompts;
  private final Counter generated;

  /**
   * @param underWay requests under way
   */
  Metrics(IntSupplier underWay) {
    requests =
        Counter.builder()
            .name("tokentune_requests_total")
            .help("Requests that were answered, by endpoint and HTTP status.")
            .labelNames("endpoint", "status")
            .register(registry);
    seconds =
        histogram("tokentune_request_seconds", "Time from a request to its answer.", SECONDS)
            .labelNames("endpoint")
            .register(registry);
    batches =
        histogram("tokentune_batch_texts", "Texts that ran at once.", TEXTS)
            .labelNames("model")
            .register(registry);
    prompts =
        Counter.builder()
            .name("tokentune_prompt_tokens_total")
            .help("Tokens of prompts.")
            .labelNames("model")
            .register(registry);
    generated =
        Counter.builder()
            .name("tokentune_generated_tokens_total")
            .help("New tokens of generated texts.")
            .labelNames("model")
            .register(registry);
    GaugeWithCallback.builder()
        .name("tokentune_requests_under_way")
        .help("Requests that run or wait.")
        .callback(callback -> callback.call(underWay.getAsInt()))
        .register(registry);
    GaugeWithCallback.builder()
        .name("tokentune_heap_bytes")
        .help("Memory in use on Java's heap.")
        .callback(
            callback ->
                callback.call(
                    (double) Runtime.getRuntime().totalMemory()
                        - Runtime.getRuntime().freeMemory()))
        .register(registry);
  }

  private static Histogram.Builder histogram(String name, String help, double... bounds) {
    return Histogram.builder().name(name).help(help).classicOnly().classicUpperBounds(bounds);
  }

  void answered(String endpoint, int status, long nanoseconds) {
    requests.labelValues(endpoint, Integer.toString(status)).inc();
    seconds.labelValues(endpoint).observe(nanoseconds / NANOSECONDS);
  }

  void batch(String model, int texts) {
    batches.labelValues(model).observe(texts);
  }

  void generated(String model, int promptTokens, int newTokens) {
    prompts.labelValues(model).inc(promptTokens);
    generated.labelValues(model).inc(newTokens);
  }

  /** All of them in Prometheus' format. */
  byte[] text() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      writer.write(out, registry.scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  String contentType() {
    return writer.getContentType();
  }
}
