package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.nn.ActivationFunction;

/**
 * The configuration of a GPT-2 decoder (Radford et al., 2019), with the names of a Hugging Face
 * {@code config.json}.
 *
 * @param activation see {@link ActivationFunction#read}
 * @param tied whether the head shares the word embeddings
 */
record Gpt2Config(
    int vocabulary,
    int hidden,
    int layers,
    int heads,
    int intermediate,
    int maxPositions,
    String activation,
    boolean tied,
    double layerNormEpsilon,
    double embeddingDropout,
    double attentionDropout,
    double residualDropout,
    double initializerRange)
    implements ModelConfig {

  /** Fields of GPT-2's configuration that are not read here. */
  private static final KnownFields GPT2 =
      TransformersFields.COMMON
          .harmless("is_decoder", "n_ctx", "reorder_and_upcast_attn")
          .harmless("summary_activation", "summary_first_dropout", "summary_proj_to_labels")
          .harmless("summary_type", "summary_use_proj")
          .mustBe("scale_attn_by_inverse_layer_idx", false)
          .mustBe("scale_attn_weights", true);

  public Gpt2Config {
    if (hidden % heads != 0) {
      throw new BadFileException(
          "n_embd %d is not a multiple of n_head %d; correct config.json.", hidden, heads);
    }
    ActivationFunction.read(activation);
  }

  /**
   * Reads a {@code config.json}; missing fields have transformers' defaults.
   *
   * @throws BadInputException for a field that is missing, out of range or not supported
   */
  static Gpt2Config read(ConfigReader fields) {
    int hidden = fields.count(fields.either("n_embd", "hidden_size"));
    Gpt2Config config =
        new Gpt2Config(
            fields.count("vocab_size"),
            hidden,
            fields.layers(fields.either("n_layer", "num_hidden_layers")),
            fields.count(fields.either("n_head", "num_attention_heads")),
            fields.count("n_inner", 4 * hidden),
            fields.count(fields.either("n_positions", "max_position_embeddings")),
            TransformersFields.activation(fields, "activation_function", "gelu_new"),
            fields.flag("tie_word_embeddings", true),
            fields.positive("layer_norm_epsilon", 1e-5),
            fields.rate("embd_pdrop", 0.1),
            fields.rate("attn_pdrop", 0.1),
            fields.rate("resid_pdrop", 0.1),
            fields.notNegative("initializer_range", 0.02));
    fields.finish(GPT2);
    return config;
  }

  @Override
  public Gpt2Config withDropout(double rate) {
    return new Gpt2Config(
        vocabulary,
        hidden,
        layers,
        heads,
        intermediate,
        maxPositions,
        activation,
        tied,
        layerNormEpsilon,
        rate,
        rate,
        rate,
        initializerRange);
  }

  @Override
  public boolean positionTable() {
    return true;
  }

  @Override
  public boolean causal() {
    return true;
  }

  @Override
  public Gpt2Config untied() {
    return new Gpt2Config(
        vocabulary,
        hidden,
        layers,
        heads,
        intermediate,
        maxPositions,
        activation,
        false,
        layerNormEpsilon,
        embeddingDropout,
        attentionDropout,
        residualDropout,
        initializerRange);
  }

  @Override
  public void write(ObjectNode config) {
    config.put("embd_pdrop", embeddingDropout);
    config.put("attn_pdrop", attentionDropout);
    config.put("resid_pdrop", residualDropout);
    config.put("tie_word_embeddings", tied);
  }

  @Override
  public TransformerModel model(Head head) {
    return new Gpt2(this, head);
  }
}
