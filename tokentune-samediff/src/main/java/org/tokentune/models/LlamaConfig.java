package org.tokentune.models;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;

/**
 * The configuration of a decoder of the Llama family (Touvron et al., 2023), including Mistral and
 * Qwen2, with the names of a Hugging Face {@code config.json}.
 *
 * @param keyValueHeads number of heads of keys and values, each for a group of query heads
 * @param window number of positions that a query sees, including itself; 0 for all earlier ones
 * @param projectionBias whether queries, keys and values have a bias
 * @param outputBias whether the output of attention has a bias
 * @param feedForwardBias whether the feed-forward layers have biases
 * @param tied whether the head shares the word embeddings
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
    RopeParameters rope,
    double attentionDropout,
    double initializerRange)
    implements ModelConfig {

  /** Fields of Llama's configuration that are not read here. */
  private static final KnownFields LLAMA =
      TransformersFields.COMMON
          .harmless("is_decoder", "is_llama_config", "pretraining_tp")
          .mustBe("partial_rotary_factor", 1)
          .mustBe("rope_interleaved", false);

  private static final KnownFields MISTRAL =
      TransformersFields.COMMON.harmless("is_decoder").mustBe("partial_rotary_factor", 1);

  /** Qwen2's queries, keys and values always have biases, whatever a file says. */
  private static final KnownFields QWEN2 =
      TransformersFields.COMMON
          .harmless("attention_bias", "is_decoder", "max_window_layers", "sliding_window")
          .mustBe("partial_rotary_factor", 1)
          .mustBe("use_mrope", false);

  private static final String FULL_ATTENTION = "full_attention";
  private static final String SLIDING_ATTENTION = "sliding_attention";

  public LlamaConfig {
    required(rope, "rope");

    if (heads % keyValueHeads != 0 || headSize % 2 != 0) {
      throw new BadFileException(
          "num_attention_heads %d must be a multiple of num_key_value_heads %d, and the head size %d"
              + " even; correct config.json.",
          heads, keyValueHeads, headSize);
    }
  }

  /**
   * Reads a {@code config.json} with {@code model_type} llama, mistral or qwen2; missing fields
   * have transformers' defaults.
   *
   * @throws BadInputException for a field that is missing, out of range or not supported
   */
  static LlamaConfig read(ConfigReader fields) {
    String type = fields.text("model_type", "");
    boolean mistral = type.equals("mistral");
    boolean qwen2 = type.equals("qwen2");
    String activation = fields.text("hidden_act", "silu");
    if (!activation.equals("silu") && !activation.equals("swish")) {
      throw fields.bad("hidden_act", "silu");
    }
    int hidden = fields.count("hidden_size");
    int heads = fields.count("num_attention_heads");
    int headSize = fields.count("head_dim", Math.max(1, hidden / heads));
    if (!fields.has("head_dim") && hidden % heads != 0) {
      throw new BadFileException(
          "%s: hidden_size %d is not a multiple of num_attention_heads %d; correct one.",
          fields.origin(), hidden, heads);
    }
    int layers = fields.layers("num_hidden_layers");
    int positions = fields.count("max_position_embeddings");
    boolean attentionBias = !mistral && !qwen2 && fields.flag("attention_bias", false);
    LlamaConfig config =
        new LlamaConfig(
            fields.count("vocab_size"),
            hidden,
            layers,
            heads,
            keyValueHeads(fields, mistral, heads),
            headSize,
            fields.count("intermediate_size"),
            positions,
            mistral ? window(fields) : 0,
            attentionBias || qwen2,
            attentionBias,
            !mistral && !qwen2 && fields.flag("mlp_bias", false),
            fields.flag("tie_word_embeddings", false),
            fields.positive("rms_norm_eps", 1e-6),
            RopeParameters.read(fields, positions),
            fields.rate("attention_dropout", 0),
            fields.notNegative("initializer_range", 0.02));
    if (qwen2) {
      requireFullAttention(fields, layers);
    } else if (mistral) {
      layerTypes(fields, layers, config.window() == 0 ? FULL_ATTENTION : SLIDING_ATTENTION);
    }
    fields.finish(mistral ? MISTRAL : qwen2 ? QWEN2 : LLAMA);
    return config;
  }

  /** If the field is missing, Mistral has 8; null means as many as heads. */
  private static int keyValueHeads(ConfigReader fields, boolean mistral, int heads) {
    String field = "num_key_value_heads";
    return fields.count(field, mistral && !fields.isNull(field) ? 8 : heads);
  }

  /** Null means none; if the field is missing, transformers' default. */
  private static int window(ConfigReader fields) {
    return fields.isNull("sliding_window") ? 0 : fields.count("sliding_window", 4096);
  }

  /** A Qwen2 with windows in some layers is not supported. */
  private static void requireFullAttention(ConfigReader fields, int layers) {
    layerTypes(fields, layers, FULL_ATTENTION);
    boolean windows =
        fields.flag("use_sliding_window", false)
            && !fields.isNull("sliding_window")
            && fields.index("max_window_layers", 28) < layers;
    if (windows && fields.texts("layer_types").isEmpty()) {
      throw fields.bad("use_sliding_window", "false, as windows are not supported");
    }
  }

  private static void layerTypes(ConfigReader fields, int layers, String all) {
    List<String> types = fields.texts("layer_types");
    if (!types.isEmpty() && !types.equals(Collections.nCopies(layers, all))) {
      throw fields.bad("layer_types", "for each of the " + layers + " layers " + all);
    }
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
        rope,
        rate,
        initializerRange);
  }

  @Override
  public boolean positionTable() {
    return false;
  }

  @Override
  public boolean causal() {
    return true;
  }

  @Override
  public LlamaConfig untied() {
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
        false,
        rmsNormEpsilon,
        rope,
        attentionDropout,
        initializerRange);
  }

  @Override
  public void write(ObjectNode config) {
    config.put("attention_dropout", attentionDropout);
    config.put("tie_word_embeddings", tied);
    rope.write(config);
  }

  @Override
  public TransformerModel model(Head head) {
    return new Llama(this, head);
  }
}
