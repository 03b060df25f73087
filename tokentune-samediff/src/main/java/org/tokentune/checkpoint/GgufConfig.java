package org.tokentune.checkpoint;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import org.tokentune.BadInputException;

/**
 * A GGUF file's metadata as a Hugging Face {@code config.json}.
 *
 * @param weights under Hugging Face's names: which there are says more of the model
 */
record GgufConfig(GgufMetadata metadata, Gguf weights) {

  private static final String EMBEDDINGS = "model.embed_tokens.weight";

  /**
   * Factors that divide the rotary frequencies, [headSize / 2]: how Llama 3's scaling is stored.
   */
  private static final String ROPE_FACTORS = "rope_freqs.weight";

  /** Llama 3's constants; a file that was made with others is refused. */
  private static final double LOW_FREQUENCY_FACTOR = 1;

  private static final double HIGH_FREQUENCY_FACTOR = 4;
  private static final int ORIGINAL_POSITIONS = 8192;

  private static final String BEGIN = "tokenizer.ggml.bos_token_id";
  private static final String END = "tokenizer.ggml.eos_token_id";
  private static final String END_OF_TURN = "tokenizer.ggml.eot_token_id";

  ObjectNode read() {
    String type = metadata.text("general.architecture");
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    switch (type) {
      case "llama" -> config.putArray("architectures").add("LlamaForCausalLM");
      case "qwen2" -> config.putArray("architectures").add("Qwen2ForCausalLM");
      default ->
          throw bad(
              "holds a model of the kind " + type + ", which is not supported", "llama or qwen2");
    }
    if (metadata.count(type + ".expert_count", 0) > 0) {
      throw bad("holds a mixture of experts, which is not supported", "a dense model");
    }
    int hidden = metadata.count(type + ".embedding_length");
    int heads = metadata.count(type + ".attention.head_count");
    if (heads < 1) {
      throw bad("claims " + heads + " attention heads", "a sound file");
    }
    int headSize = metadata.count(type + ".attention.key_length", hidden / heads);
    if (metadata.count(type + ".attention.value_length", headSize) != headSize
        || metadata.count(type + ".rope.dimension_count", headSize) != headSize) {
      throw bad(
          "has values of another size than keys, or turns a part of them, which is not supported",
          "another model");
    }
    if (!weights.names().contains(EMBEDDINGS)) {
      throw bad("has no tensor token_embd.weight", "a whole model");
    }
    config
        .put("model_type", type)
        .put("hidden_act", "silu")
        .put("vocab_size", weights.shape(EMBEDDINGS)[0])
        .put("hidden_size", hidden)
        .put("intermediate_size", metadata.count(type + ".feed_forward_length"))
        .put("num_hidden_layers", metadata.count(type + ".block_count"))
        .put("num_attention_heads", heads)
        .put("num_key_value_heads", metadata.count(type + ".attention.head_count_kv", heads))
        .put("head_dim", headSize)
        .put("max_position_embeddings", metadata.count(type + ".context_length"))
        .put("rms_norm_eps", metadata.number(type + ".attention.layer_norm_rms_epsilon", 1e-5))
        .put("tie_word_embeddings", !weights.names().contains("lm_head.weight"))
        .put("torch_dtype", "float32");
    double theta = metadata.number(type + ".rope.freq_base", 10000);
    config.put("rope_theta", theta);
    scaling(config, type, theta, headSize);
    if (type.equals("llama")) {
      config
          .put("attention_bias", biased("self_attn.o_proj"))
          .put("mlp_bias", biased("mlp.down_proj"));
    }
    if (metadata.has(BEGIN)) {
      config.put("bos_token_id", metadata.count(BEGIN));
    }
    // A text ends, or a turn of a conversation does: transformers lists both, too.
    Set<Integer> ends = new LinkedHashSet<>();
    for (String end : new String[] {END, END_OF_TURN}) {
      if (metadata.has(end)) {
        ends.add(metadata.count(end));
      }
    }
    if (ends.size() == 1) {
      config.put("eos_token_id", ends.iterator().next());
    } else if (ends.size() > 1) {
      ends.forEach(config.putArray("eos_token_id")::add);
    }
    return config;
  }

  private boolean biased(String module) {
    return weights.names().contains("model.layers.0." + module + ".bias");
  }

  private void scaling(ObjectNode config, String type, double theta, int headSize) {
    String scaling = metadata.text(type + ".rope.scaling.type", "none");
    if (weights.names().contains(ROPE_FACTORS)) {
      config
          .putObject("rope_scaling")
          .put("rope_type", "llama3")
          .put("factor", llama3Factor(theta, headSize))
          .put("low_freq_factor", LOW_FREQUENCY_FACTOR)
          .put("high_freq_factor", HIGH_FREQUENCY_FACTOR)
          .put("original_max_position_embeddings", ORIGINAL_POSITIONS);
    } else if (scaling.equals("linear")) {
      config
          .putObject("rope_scaling")
          .put("rope_type", "linear")
          .put("factor", metadata.number(type + ".rope.scaling.factor", 1));
    } else if (!scaling.equals("none")) {
      throw bad(
          "scales rotary positions by " + scaling + ", which is not supported",
          "a model with none, linear or Llama 3's");
    }
  }

  /** The factor of Llama 3's scaling, if the factors are those that its formula gives. */
  private double llama3Factor(double theta, int headSize) {
    boolean same = Arrays.equals(weights.shape(ROPE_FACTORS), new long[] {headSize / 2});
    float[] factors = same ? weights.values(ROPE_FACTORS) : new float[0];
    double factor = same ? factors[factors.length - 1] : Double.NaN;
    same &= factor >= 1;
    for (int i = 0; same && i < factors.length; i++) {
      double turns = ORIGINAL_POSITIONS * Math.pow(theta, -2.0 * i / headSize) / (2 * Math.PI);
      double share =
          (turns - LOW_FREQUENCY_FACTOR) / (HIGH_FREQUENCY_FACTOR - LOW_FREQUENCY_FACTOR);
      share = Math.max(0, Math.min(1, share));
      double expected = 1 / ((1 - share) / factor + share);
      same = Math.abs(factors[i] - expected) <= 1e-3 * expected;
    }
    if (!same) {
      throw bad(
          "scales rotary positions by other factors than Llama 3's, which is not supported",
          "another model");
    }
    return factor;
  }

  private BadInputException bad(String what, String instead) {
    return new BadInputException("%s %s; name %s.", metadata.file(), what, instead);
  }
}
