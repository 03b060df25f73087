package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.IntStream;
import org.tokentune.BadFileException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.DecoderConfig.Mlp;
import org.tokentune.models.EncoderConfig.Attention;
import org.tokentune.models.EncoderConfig.Dropout;
import org.tokentune.models.EncoderConfig.Embeddings;
import org.tokentune.models.EncoderConfig.Norms;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderNames.Block;
import org.tokentune.models.EncoderNames.Tables;
import org.tokentune.models.EncoderNames.TextHead;
import org.tokentune.models.EncoderNames.VocabularyHead;
import org.tokentune.nn.ActivationFunction;

/**
 * ModernBERT (Warner et al., 2024): inputs are normalised, rotary positions, gates, and windows in
 * two of three layers.
 */
record ModernBert() implements EncoderFamily {

  private static final EncoderNames NAMES =
      new EncoderNames(
          "model.",
          new Tables("embeddings.tok_embeddings", null, null, "embeddings.norm", null),
          new Block(
              "layers.",
              null,
              null,
              null,
              "attn.Wqkv",
              "attn.Wo",
              "attn_norm",
              "mlp.Wi",
              "mlp.Wo",
              "mlp_norm"),
          "final_norm",
          null,
          null,
          new TextHead(
              "head.dense", false, ActivationFunction.GELU, "head.norm", "classifier", true),
          new VocabularyHead(
              "head.dense", false, ActivationFunction.GELU, "head.norm", "decoder", "decoder.bias"),
          "classifier",
          "classifier");

  private static final KnownFields KNOWN =
      TransformersFields.COMMON
          .harmless("deterministic_flash_attn", "initializer_cutoff_factor", "layer_norm_eps")
          .harmless("position_embedding_type", "reference_compile", "repad_logits_with_grad")
          .harmless("sparse_pred_ignore_index", "sparse_prediction")
          .mustBe("classifier_activation", "gelu")
          .mustBe("classifier_bias", false)
          .mustBe("decoder_bias", true);

  private static final String POOLING = "classifier_pooling";

  @Override
  public String modelType() {
    return "modernbert";
  }

  @Override
  public String classPrefix() {
    return "ModernBert";
  }

  @Override
  public EncoderNames names() {
    return NAMES;
  }

  @Override
  public Dropout dropout(double rate) {
    return new Dropout(rate, rate, rate, rate, 0, rate, rate, rate);
  }

  @Override
  public EncoderConfig read(ConfigReader fields) {
    LlamaFields layout = new LlamaFields(fields);
    List<LayerType> layers = layers(layout);
    int hidden = fields.count("hidden_size");
    int heads = fields.count("num_attention_heads");
    ActivationFunction activation =
        ActivationFunction.read(TransformersFields.activation(fields, "hidden_activation", "gelu"));
    if (!activation.gates()) {
      throw fields.bad("hidden_activation", "silu or a kind of gelu");
    }
    double attention = fields.rate("attention_dropout", 0);
    double classifier = fields.rate("classifier_dropout", 0);
    boolean mlpBias = fields.flag("mlp_bias", false);
    EncoderConfig config =
        new EncoderConfig(
            this,
            fields.count("vocab_size"),
            hidden,
            layout.positions(layers),
            new Embeddings(hidden, Positions.NONE, 0, false, 0, false),
            new Attention(heads, hidden / heads, fields.flag("attention_bias", false), true),
            new Mlp(fields.count("intermediate_size"), activation, true, mlpBias, true),
            new Norms(fields.positive("norm_eps", 1e-5), fields.flag("norm_bias", false), true),
            layers,
            null,
            fields.flag("tie_word_embeddings", true),
            pooling(fields),
            new Dropout(
                fields.rate("embedding_dropout", 0),
                attention,
                attention,
                fields.rate("mlp_dropout", 0),
                0,
                classifier,
                classifier,
                classifier),
            fields.notNegative("initializer_range", 0.02));
    fields.finish(KNOWN);
    return config;
  }

  /** A window of 128 reaches 64 tokens to either side. */
  private static List<LayerType> layers(LlamaFields layout) {
    ConfigReader fields = layout.fields();
    int every = fields.count("global_attn_every_n_layers", 3);
    List<String> types =
        layout.layerTypes(
            IntStream.range(0, layout.layers())
                .mapToObj(
                    i ->
                        i % every == 0 ? LlamaFields.FULL_ATTENTION : LlamaFields.SLIDING_ATTENTION)
                .toList());
    int window = fields.count("local_attention", 128) / 2 + 1;
    RopeParameters full =
        RopeParameters.read(
            fields,
            LlamaFields.FULL_ATTENTION,
            layout.positions(),
            fields.positive("global_rope_theta", 160000));
    RopeParameters sliding =
        RopeParameters.read(
            fields,
            LlamaFields.SLIDING_ATTENTION,
            layout.positions(),
            fields.positive("local_rope_theta", 10000));
    return types.stream()
        .map(
            type ->
                type.equals(LlamaFields.FULL_ATTENTION)
                    ? new LayerType(0, full)
                    : new LayerType(window, sliding))
        .toList();
  }

  /** The first token's row is read as the {@link Head} says. */
  private static Pooling pooling(ConfigReader fields) {
    return switch (fields.text(POOLING, "cls")) {
      case "cls" -> null;
      case "mean" -> Pooling.MEAN;
      default ->
          throw new BadFileException(
              "%s: %s must be cls or mean.", fields.origin(), fields.name(POOLING));
    };
  }

  @Override
  public void write(EncoderConfig config, ObjectNode json) {
    json.put("embedding_dropout", config.dropout().embeddings());
    json.put("attention_dropout", config.dropout().attention());
    json.put("mlp_dropout", config.dropout().output());
    json.put("classifier_dropout", config.dropout().classifier());
  }
}
