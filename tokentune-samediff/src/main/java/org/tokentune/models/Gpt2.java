package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.Optional;
import org.tokentune.BadFileException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.Attention;
import org.tokentune.models.DecoderConfig.Dropout;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.DecoderConfig.Mlp;
import org.tokentune.models.DecoderConfig.Multipliers;
import org.tokentune.models.DecoderConfig.Norms;
import org.tokentune.models.DecoderNames.Part;
import org.tokentune.nn.ActivationFunction;
import org.tokentune.objectives.Objective;

/** GPT-2 (Radford et al., 2019): layer norms, a position table, weights stored [in, out]. */
record Gpt2() implements DecoderFamily {

  private static final DecoderNames NAMES =
      new DecoderNames("transformer.", "h.", "attn")
          .with(Part.WORDS, "wte")
          .with(Part.POSITIONS, "wpe")
          .with(Part.ATTENTION_NORM, "ln_1")
          .with(Part.QUERY_KEY_VALUE, "attn.c_attn")
          .with(Part.ATTENTION_OUTPUT, "attn.c_proj")
          .with(Part.MLP_NORM, "ln_2")
          .with(Part.UP, "mlp.c_fc")
          .with(Part.DOWN, "mlp.c_proj")
          .with(Part.LAST_NORM, "ln_f")
          .with(Part.HEAD, "lm_head");

  private static final KnownFields KNOWN =
      TransformersFields.COMMON
          .harmless("is_decoder", "n_ctx", "reorder_and_upcast_attn")
          .harmless("summary_activation", "summary_first_dropout", "summary_proj_to_labels")
          .harmless("summary_type", "summary_use_proj")
          .mustBe("scale_attn_by_inverse_layer_idx", false)
          .mustBe("scale_attn_weights", true);

  @Override
  public String modelType() {
    return "gpt2";
  }

  @Override
  public String classPrefix() {
    return "GPT2";
  }

  @Override
  public Optional<String> architecture(Objective task) {
    return DecoderFamily.super.architecture(task).map(usual -> "GPT2LMHeadModel");
  }

  @Override
  public DecoderNames names() {
    return NAMES;
  }

  @Override
  public boolean inputFirst() {
    return true;
  }

  @Override
  public Dropout dropout(double rate) {
    return new Dropout(rate, rate, rate);
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    int vocabulary = fields.count("vocab_size");
    int hidden = fields.count(fields.either("n_embd", "hidden_size"));
    int layers = fields.layers(fields.either("n_layer", "num_hidden_layers"));
    int heads = fields.count(fields.either("n_head", "num_attention_heads"));
    if (hidden % heads != 0) {
      throw new BadFileException(
          "n_embd %d is not a multiple of n_head %d; correct config.json.", hidden, heads);
    }
    ActivationFunction activation =
        ActivationFunction.read(
            TransformersFields.activation(fields, "activation_function", "gelu_new"));
    DecoderConfig config =
        new DecoderConfig(
            this,
            vocabulary,
            hidden,
            fields.count(fields.either("n_positions", "max_position_embeddings")),
            true,
            fields.flag("tie_word_embeddings", true),
            Attention.of(heads, heads, hidden / heads).withBias(true, true).withPacked(),
            new Mlp(fields.count("n_inner", 4 * hidden), activation, false, true, false),
            new Norms(false, fields.positive("layer_norm_epsilon", 1e-5), false, true, false),
            Collections.nCopies(layers, new LayerType(0, null)),
            Multipliers.NONE,
            new Dropout(
                fields.rate("embd_pdrop", 0.1),
                fields.rate("attn_pdrop", 0.1),
                fields.rate("resid_pdrop", 0.1)),
            fields.notNegative("initializer_range", 0.02));
    fields.finish(KNOWN);
    return config;
  }

  @Override
  public void write(DecoderConfig config, ObjectNode json) {
    json.put("embd_pdrop", config.dropout().embeddings());
    json.put("attn_pdrop", config.dropout().attention());
    json.put("resid_pdrop", config.dropout().residual());
    json.put("tie_word_embeddings", config.tied());
  }
}
