package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.tokentune.BadInputException;
import org.tokentune.nn.Activation;

/**
 * Sizes of a GPT-2 decoder, as a Hugging Face {@code config.json} names them (Radford et al.,
 * 2019).
 *
 * @param activation as {@link Activation#read} knows it
 * @param tied whether the head is the table of word embeddings
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

  public Gpt2Config {
    if (hidden % heads != 0) {
      throw new BadInputException(
          "n_embd %d is not a multiple of n_head %d; correct config.json.", hidden, heads);
    }
    Activation.read(activation);
  }

  /**
   * Reads a parsed {@code config.json}; what it leaves out has transformers' defaults.
   *
   * @param origin the file, for messages
   * @throws BadInputException for a field that is missing, out of range or not supported
   */
  public static Gpt2Config read(JsonNode config, String origin) {
    ConfigFields fields = new ConfigFields(config, origin);
    fields.require("scale_attn_weights", "true");
    fields.require("scale_attn_by_inverse_layer_idx", "false");
    int hidden = fields.positive("n_embd");
    return new Gpt2Config(
        fields.positive("vocab_size"),
        hidden,
        fields.positive("n_layer"),
        fields.positive("n_head"),
        fields.positive("n_inner", 4 * hidden),
        fields.positive("n_positions"),
        config.path("activation_function").asText("gelu_new"),
        fields.flag("tie_word_embeddings", true),
        fields.number("layer_norm_epsilon", 1e-5),
        fields.rate("embd_pdrop", 0.1),
        fields.rate("attn_pdrop", 0.1),
        fields.rate("resid_pdrop", 0.1),
        fields.number("initializer_range", 0.02));
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
  public boolean causal() {
    return true;
  }

  @Override
  public Map<String, Double> dropouts() {
    return Map.of(
        "embd_pdrop",
        embeddingDropout,
        "attn_pdrop",
        attentionDropout,
        "resid_pdrop",
        residualDropout);
  }

  @Override
  public Model model(Head head) {
    return new Gpt2(this, head);
  }
}
