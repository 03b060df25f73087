package org.tokentune.generate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.RandomWeights;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;

/** Decoders with 30 words, 128 positions and random weights. */
final class SmallDecoder {

  static final int VOCABULARY = 30;
  static final int POSITIONS = 128;

  private static final String GPT2 =
      """
      {"n_embd": 12, "n_layer": 3, "n_head": 3, "n_positions": 128}""";
  private static final String LLAMA =
      """
      {"hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 3,
       "num_attention_heads": 4, "max_position_embeddings": 128}""";

  private SmallDecoder() {}

  /** A model of a family; {@code changes} are fields of its configuration. */
  static TransformerModel model(String type, String changes) {
    ObjectNode config = json(type.equals("gpt2") ? GPT2 : LLAMA);
    config.put("model_type", type).put("vocab_size", VOCABULARY);
    config.setAll(json("{" + changes + "}"));
    return ModelConfig.read(config, "test")
        .model(new Head(Objectives.CAUSAL_LM, VOCABULARY, Pooling.FIRST));
  }

  private static ObjectNode json(String text) {
    try {
      return (ObjectNode) new ObjectMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  static Parameters weights(TransformerModel model, long seed) {
    return RandomWeights.of(model, seed, 0.3f);
  }
}
