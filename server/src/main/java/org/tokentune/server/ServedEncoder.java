package org.tokentune.server;

import java.util.List;
import java.util.function.IntConsumer;
import org.tokentune.text.SentenceEncoder;

/** A sentence encoder. */
final class ServedEncoder implements ServedModel {

  private final String name;
  private final SentenceEncoder model;
  private final BatchQueue<String, SentenceEncoder.Embedded> queue;

  ServedEncoder(String name, SentenceEncoder model, ServerSettings settings, IntConsumer batches) {
    this.name = name;
    this.model = model;
    queue =
        new BatchQueue<>(
            name,
            texts -> model.embedCounted(texts, null),
            settings.batchSize(),
            settings.batchWait(),
            batches);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String kind() {
    return "a sentence encoder";
  }

  @Override
  public List<String> paths() {
    return List.of(Paths.EMBEDDINGS);
  }

  SentenceEncoder model() {
    return model;
  }

  BatchQueue<String, SentenceEncoder.Embedded> queue() {
    return queue;
  }

  @Override
  public boolean works() {
    return queue.works();
  }

  @Override
  public void close() {
    try {
      queue.close();
    } finally {
      model.close();
    }
  }
}
