package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import org.tokentune.checkpoint.WeightSource;

/**
 * A pretrained model's files.
 *
 * @param config as a Hugging Face {@code config.json}
 * @param weights tensors under Hugging Face's names
 * @param tokenizer the {@code tokenizer.json}
 */
public record ZooModel(String name, JsonNode config, WeightSource weights, byte[] tokenizer)
    implements AutoCloseable {

  @Override
  public void close() {
    weights.close();
  }
}
