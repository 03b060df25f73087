package org.tokentune.models;

import java.util.List;
import java.util.stream.IntStream;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.Multipliers;
import org.tokentune.models.DecoderConfig.Norms;
import org.tokentune.models.DecoderNames.Part;
import org.tokentune.quantization.HalfPrecision;

/**
 * Gemma 2 (Gemma Team, 2024): inputs and outputs are normalised, windows in every other layer, soft
 * caps of scores and logits.
 */
record Gemma2() implements DecoderFamily {

  static final DecoderNames NAMES =
      DecoderNames.LLAMA
          .with(Part.AFTER_ATTENTION_NORM, "post_attention_layernorm")
          .with(Part.MLP_NORM, "pre_feedforward_layernorm")
          .with(Part.AFTER_MLP_NORM, "post_feedforward_layernorm");

  static final KnownFields KNOWN =
      LlamaFields.KNOWN
          .harmless("cache_implementation", "hidden_act")
          .mustBe("use_bidirectional_attention", false);

  static final LlamaFields.Defaults DEFAULTS =
      LlamaFields.Defaults.LLAMA
          .withKeyValueHeads(4)
          .withHeadSize(256)
          .withTied()
          .withActivation("hidden_activation", "gelu_pytorch_tanh");

  @Override
  public String modelType() {
    return "gemma2";
  }

  @Override
  public String classPrefix() {
    return "Gemma2";
  }

  @Override
  public DecoderNames names() {
    return NAMES;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    LlamaFields llama = new LlamaFields(fields);
    DecoderConfig config = llama.read(this, DEFAULTS);
    List<String> types =
        llama.layerTypes(
            IntStream.range(0, config.layers())
                .mapToObj(
                    i -> i % 2 == 0 ? LlamaFields.SLIDING_ATTENTION : LlamaFields.FULL_ATTENTION)
                .toList());
    RopeParameters rope = config.layerTypes().get(0).rope();
    config = gemma(fields, config, 50, 30).with(llama.windows(types, llama.window(4096), rope));
    fields.finish(KNOWN);
    return config;
  }

  /**
   * What Gemma 2 and 3 share.
   *
   * @param scoreCap of scores where the field is missing; 0 for none
   * @param logitCap of logits, likewise
   */
  static DecoderConfig gemma(
      ConfigReader fields, DecoderConfig llama, double scoreCap, double logitCap) {
    boolean bias = fields.flag("attention_bias", false);
    double scale = 1 / Math.sqrt(fields.positive("query_pre_attn_scalar", 256));
    return llama
        .with(
            llama
                .attention()
                .withBias(bias, bias)
                .withScores(scale, cap(fields, "attn_logit_softcapping", scoreCap)))
        .with(new Norms(true, llama.norms().epsilon(), true, true, true))
        .with(
            new Multipliers(
                embeddingFactor(fields, llama.hidden()),
                1,
                1,
                cap(fields, "final_logit_softcapping", logitCap)));
  }

  /** Null means none. */
  private static double cap(ConfigReader fields, String field, double otherwise) {
    return fields.isNull(field) ? 0 : fields.positive(field, otherwise);
  }

  /** The root of the hidden size, rounded as in the type of the weights, with which it trained. */
  private static double embeddingFactor(ConfigReader fields, int hidden) {
    String type = fields.text(fields.either("dtype", "torch_dtype"), "float32");
    return HalfPrecision.rounded((float) Math.sqrt(hidden), type);
  }
}
