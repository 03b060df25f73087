package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.tokentune.BadInputException;

/**
 * Sizes of a decoder of the Llama family, as a Hugging Face {@code config.json} names them (Touvron
 * et al., 2023); Mistral and Qwen2 are among them.
 *
 * @param keyValueHeads heads of keys and values, each for a group of query heads
 * @param window positions that a query sees, itself included; 0 for all before it
 * @param projectionBias whether queries, keys and values have a bias
 * @param outputBias whether attention's output has one
 * @param feedForwardBias whether the feed-forward layers have
 * @param tied whether the head is the table of word embeddings
 * @param ropeTheta base of the rotary frequencies
 */
public record LlamaConfig(
    int vocabulary,
    int hidden,
    int layers,
    int heads,
    int keyValueHeads,
    int headSize,
    int intermediate,
    int maxPositions,
    int window,
    boolean projectionBias,
    boolean outputBias,
    boolean feedForwardBias,
    boolean tied,
    double rmsNormEpsilon,
    double ropeTheta,
    RopeScaling ropeScaling,
    double attentionDropout,
    double initializerRange)
    implements ModelConfig {

  public LlamaConfig {
    if (heads % keyValueHeads != 0 || headSize % 2 != 0) {
      throw new BadInputException(
          "num_attention_heads %d must be a multiple of num_key_value_heads %d, and the head size %d"
              + " even; correct config.json.",
          heads, keyValueHeads, headSize);
    }
  }

  /**
   * Reads a parsed {@code config.json} with {@code model_type} llama, mistral or qwen2; what it
   * leaves out has transformers' defaults.
   *
   * @param origin the file, for messages
   * @throws BadInputException for a field that is missing, out of range or not supported
   */
  public static LlamaConfig read(JsonNode config, String origin) {
    ConfigFields fields = new ConfigFields(config, origin);
    String type = config.path("model_type").asText();
    fields.require("hidden_act", "silu");
    fields.require("pretraining_tp", "1");
    fields.require("use_sliding_window", "false");
    int hidden = fields.positive("hidden_size");
    int heads = fields.positive("num_attention_heads");
    int headSize = fields.positive("head_dim", Math.max(1, hidden / heads));
    if (!config.hasNonNull("head_dim") && hidden % heads != 0) {
      throw new BadInputException(
          "%s: hidden_size %d is not a multiple of num_attention_heads %d.", origin, hidden, heads);
    }
    boolean attentionBias = fields.flag("attention_bias", false);
    return new LlamaConfig(
        fields.positive("vocab_size"),
        hidden,
        fields.positive("num_hidden_layers"),
        heads,
        fields.positive("num_key_value_heads", type.equals("mistral") ? 8 : heads),
        headSize,
        fields.positive("intermediate_size"),
        fields.positive("max_position_embeddings"),
        type.equals("mistral") ? window(fields) : 0,
        attentionBias || type.equals("qwen2"),
        attentionBias,
        fields.flag("mlp_bias", false),
        fields.flag("tie_word_embeddings", false),
        fields.number("rms_norm_eps", 1e-6),
        fields.number("rope_theta", 10000),
        RopeScaling.read(config, origin),
        fields.rate("attention_dropout", 0),
        fields.number("initializer_range", 0.02));
  }

  /** Null is none; missing is transformers' default. */
  private static int window(ConfigFields fields) {
    return fields.config().path("sliding_window").isNull()
        ? 0
        : fields.positive("sliding_window", 4096);
  }

  @Override
  public LlamaConfig withDropout(double rate) {
    return new LlamaConfig(
        vocabulary,
        hidden,
        layers,
        heads,
        keyValueHeads,
        headSize,
        intermediate,
        maxPositions,
        window,
        projectionBias,
        outputBias,
        feedForwardBias,
        tied,
        rmsNormEpsilon,
        ropeTheta,
        ropeScaling,
        rate,
        initializerRange);
  }

  @Override
  public boolean causal() {
    return true;
  }

  @Override
  public Map<String, Double> dropouts() {
    return Map.of("attention_dropout", attentionDropout);
  }

  @Override
  public Model model(Head head) {
    return new Llama(this, head);
  }
}
