package org.tokentune.formats;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * A GGUF file's metadata as a Hugging Face {@code config.json}.
 *
 * @param weights under Hugging Face's names; which tensors exist tells more about the model
 */
record GgufConfig(GgufMetadata metadata, Gguf weights) {

  /** Divisors of the rotary frequencies, [headSize / 2]: how Llama 3's scaling is stored. */
  private static final String ROPE_FACTORS = "rope_freqs.weight";

  /** LongRoPE's divisors for texts within the original positions, and beyond. */
  private static final String SHORT_FACTORS = "rope_factors_short.weight";

  private static final String LONG_FACTORS = "rope_factors_long.weight";

  /** Llama 3's constants; a file made with others is rejected. */
  private static final double LOW_FREQUENCY_FACTOR = 1;

  private static final double HIGH_FREQUENCY_FACTOR = 4;
  private static final int ORIGINAL_POSITIONS = 8192;

  /** Architectures that may rotate only the beginning of each head. */
  private static final Set<String> PARTLY_ROTATED = Set.of("phi3", "stablelm");

  private static final String BEGIN = "tokenizer.ggml.bos_token_id";
  private static final String END = "tokenizer.ggml.eos_token_id";
  private static final String END_OF_TURN = "tokenizer.ggml.eot_token_id";

  /** Architecture keys that do not change results. */
  private static final Set<String> HARMLESS =
      Set.of(
          "attention.layer_norm_epsilon",
          "attention.sliding_window_pattern",
          "rope.scaling.finetuned",
          "rope.scaling.original_context_length",
          "rope.scaling.yarn_attn_factor",
          "rope.scaling.yarn_beta_fast",
          "rope.scaling.yarn_beta_slow",
          "rope.scaling.yarn_ext_factor",
          "rope.scaling.yarn_log_multiplier",
          "tensor_data_layout",
          "vocab_size");

  /** Keys that change results, with the value that does not (source: llama.cpp's hparams). */
  private static final Map<String, Object> NEUTRAL =
      Map.ofEntries(
          Map.entry("attention.causal", true),
          Map.entry("attention.clamp_kqv", 0),
          Map.entry("attention.max_alibi_bias", 0),
          Map.entry("attention.scale", 0),
          Map.entry("attention.sliding_window", 0),
          Map.entry("attention.temperature_scale", 0),
          Map.entry("attn_logit_softcapping", 0),
          Map.entry("embedding_scale", 1),
          Map.entry("expert_shared_count", 0),
          Map.entry("expert_used_count", 0),
          Map.entry("final_logit_softcapping", 0),
          Map.entry("logit_scale", 1),
          Map.entry("nextn_predict_layers", 0),
          Map.entry("residual_scale", 1),
          Map.entry("rope.scaling.attn_factor", 1),
          Map.entry("use_parallel_residual", false));

  /**
   * The file's architecture.
   *
   * @throws BadInputException for one that is not supported
   */
  static GgufArchitecture architecture(GgufMetadata metadata) {
    String kind = metadata.text("general.type", "model");
    if (!kind.equals("model")) {
      throw bad(metadata, "is of type " + kind + " and not a model", "the model's own file");
    }
    String name = metadata.text("general.architecture");
    return GgufArchitecture.of(name)
        .orElseThrow(
            () ->
                bad(
                    metadata,
                    "holds a model of type " + name + ", which is not supported",
                    "one of type " + String.join(", ", GgufArchitecture.all())));
  }

  ObjectNode read() {
    GgufArchitecture architecture = weights.architecture();
    GgufKeys keys = new GgufKeys(metadata, architecture.name());
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.putArray("architectures").add(architecture.className());
    if (keys.count("expert_count", 0) > 0) {
      throw bad("holds a mixture of experts, which is not supported", "a dense model");
    }
    int hidden = keys.count("embedding_length");
    int heads = keys.count("attention.head_count");
    if (heads < 1) {
      throw bad("claims " + heads + " attention heads", "an undamaged file");
    }
    int headSize = keys.count("attention.key_length", hidden / heads);
    int rotated = keys.count("rope.dimension_count", headSize);
    boolean partly = rotated != headSize && PARTLY_ROTATED.contains(architecture.name());
    if (keys.count("attention.value_length", headSize) != headSize
        || (rotated != headSize && !partly)) {
      throw bad(
          "has values and keys of different sizes, or rotates only part of a head, which is not"
              + " supported",
          "another model");
    }
    String embeddings = architecture.named("token_embd.weight");
    if (!weights.names().contains(embeddings)) {
      throw bad("has no tensor token_embd.weight", "a complete model");
    }
    config
        .put("model_type", architecture.modelType())
        .put("hidden_act", "silu")
        .put("vocab_size", weights.shape(embeddings)[0])
        .put("hidden_size", hidden)
        .put("intermediate_size", keys.count("feed_forward_length"))
        .put("num_hidden_layers", layers(keys))
        .put("num_attention_heads", heads)
        .put("num_key_value_heads", keys.count("attention.head_count_kv", heads))
        .put("head_dim", headSize)
        .put("max_position_embeddings", keys.count("context_length"))
        .put("tie_word_embeddings", !weights.names().contains(architecture.named("output.weight")))
        .put("torch_dtype", "float32");
    if (architecture.layerNorms()) {
      config.put("layer_norm_eps", keys.number("attention.layer_norm_epsilon"));
    } else {
      config.put("rms_norm_eps", keys.number("attention.layer_norm_rms_epsilon"));
    }
    double theta = keys.number("rope.freq_base", 10000);
    config.put("rope_theta", theta);
    scaling(config, keys, theta, headSize);
    if (architecture.biased().contains(GgufArchitecture.ATTENTION)) {
      config.put("attention_bias", weights.isBiased(GgufArchitecture.ATTENTION));
    }
    if (architecture.biased().contains(GgufArchitecture.MLP)) {
      config.put("mlp_bias", weights.isBiased(GgufArchitecture.MLP));
    }
    architecture.fields().read(keys, weights, config);
    if (partly) {
      double share = (double) rotated / headSize;
      // so that its product with the head size, which is cut, is not just below the number
      boolean below = (int) (headSize * share) < rotated;
      config.put("partial_rotary_factor", below ? Math.nextUp(share) : share);
    }
    if (metadata.has(BEGIN)) {
      config.put("bos_token_id", metadata.count(BEGIN));
    }
    // The end of a text or of a turn in a conversation; transformers also lists both.
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
    metadata.finish(architecture.name() + ".", HARMLESS, NEUTRAL);
    return config;
  }

  private int layers(GgufKeys keys) {
    int layers = keys.count("block_count");
    if (layers < 1 || layers > Limits.LAYERS) {
      throw bad("claims " + layers + " layers", "a file with 1 to " + Limits.LAYERS);
    }
    return layers;
  }

  /**
   * A factor without a type means linear scaling, as in llama.cpp; early files store it under
   * another key.
   */
  private void scaling(ObjectNode config, GgufKeys keys, double theta, int headSize) {
    double oldFactor = keys.number("rope.scale_linear", 0);
    double factor = keys.number("rope.scaling.factor", oldFactor);
    String scaling = keys.text("rope.scaling.type", factor == 0 ? "none" : "linear");
    boolean linear = scaling.equals("linear") && factor != 0 && factor != 1;
    if (weights.names().contains(ROPE_FACTORS)) {
      if (linear) {
        throw bad(
            "scales rotary positions twice, by "
                + ROPE_FACTORS
                + " and a factor, which is not supported",
            "a model with only one of them");
      }
      config
          .putObject("rope_scaling")
          .put("rope_type", "llama3")
          .put("factor", llama3Factor(theta, headSize))
          .put("low_freq_factor", LOW_FREQUENCY_FACTOR)
          .put("high_freq_factor", HIGH_FREQUENCY_FACTOR)
          .put("original_max_position_embeddings", ORIGINAL_POSITIONS);
    } else if (weights.names().contains(SHORT_FACTORS)) {
      longRope(config, keys);
    } else if (linear) {
      config.putObject("rope_scaling").put("rope_type", "linear").put("factor", factor);
    } else if (scaling.equals("yarn")) {
      yarn(config, keys, factor);
    } else if (!scaling.equals("none") && !scaling.equals("linear")) {
      throw bad(
          "scales rotary positions by " + scaling + ", which is not supported",
          "a model with no scaling, linear scaling, YaRN, LongRoPE or Llama 3's");
    }
  }

  /** With llama.cpp's defaults, which are transformers'. */
  private void yarn(ObjectNode config, GgufKeys keys, double factor) {
    if (factor == 0) {
      throw bad("scales rotary positions by yarn, but has no factor", "a complete model");
    }
    keys.mustBe("rope.scaling.yarn_ext_factor", 1);
    keys.mustBe("rope.scaling.yarn_attn_factor", 1);
    keys.mustBe("rope.scaling.yarn_log_multiplier", 0);
    config
        .putObject("rope_scaling")
        .put("rope_type", "yarn")
        .put("factor", factor)
        .put("beta_fast", keys.number("rope.scaling.yarn_beta_fast", 32))
        .put("beta_slow", keys.number("rope.scaling.yarn_beta_slow", 1))
        .put(
            "original_max_position_embeddings",
            keys.count("rope.scaling.original_context_length", keys.count("context_length")));
  }

  private void longRope(ObjectNode config, GgufKeys keys) {
    int original = keys.count("rope.scaling.original_context_length", keys.count("context_length"));
    config.put("original_max_position_embeddings", original);
    ObjectNode scaling = config.putObject("rope_scaling").put("rope_type", "longrope");
    for (float factor : weights.values(SHORT_FACTORS)) {
      scaling.withArray("short_factor").add(factor);
    }
    for (float factor : weights.values(LONG_FACTORS)) {
      scaling.withArray("long_factor").add(factor);
    }
    scaling
        .put("attention_factor", keys.number("rope.scaling.attn_factor", 1))
        .put("original_max_position_embeddings", original);
  }

  /** The factor of Llama 3's scaling, if the stored factors match its formula. */
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
          "scales rotary positions by factors other than Llama 3's, which is not supported",
          "another model");
    }
    return factor;
  }

  private BadInputException bad(String what, String instead) {
    return bad(metadata, what, instead);
  }

  private static BadInputException bad(GgufMetadata metadata, String what, String instead) {
    return new BadFileException("%s %s; name %s.", metadata.file(), what, instead);
  }
}
