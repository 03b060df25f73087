package org.tokentune.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A model's files, wherever they are kept.
 *
 * @param name of the model, or its folder, for messages
 * @param config as a Hugging Face {@code config.json}
 * @param weights tensors under Hugging Face's names
 * @param tokenizer the {@code tokenizer.json}
 */
public record ModelFiles(String name, JsonNode config, WeightSource weights, byte[] tokenizer)
    implements AutoCloseable {

  @Override
  public void close() {
    weights.close();
  }
}
