package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.Mlp;
import org.tokentune.models.EncoderConfig.Attention;
import org.tokentune.models.EncoderConfig.Dropout;
import org.tokentune.models.EncoderConfig.Embeddings;
import org.tokentune.models.EncoderConfig.Norms;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderNames.Block;
import org.tokentune.models.EncoderNames.TextHead;
import org.tokentune.models.EncoderNames.VocabularyHead;
import org.tokentune.nn.ActivationFunction;

/** DistilBERT (Sanh et al., 2019): no token types, and no dropout after attention. */
record DistilBert() implements EncoderFamily {

  private static final EncoderNames NAMES =
      EncoderNames.likeBert(
              "distilbert.",
              TextHead.of("pre_classifier", ActivationFunction.RELU, "classifier"),
              new VocabularyHead(
                  "vocab_transform",
                  true,
                  null,
                  "vocab_layer_norm",
                  "vocab_projector",
                  "vocab_projector.bias"))
          .with(
              new Block(
                  "transformer.layer.",
                  "attention.q_lin",
                  "attention.k_lin",
                  "attention.v_lin",
                  null,
                  "attention.out_lin",
                  "sa_layer_norm",
                  "ffn.lin1",
                  "ffn.lin2",
                  "output_layer_norm"));

  private static final KnownFields KNOWN =
      TransformersFields.COMMON.harmless("tie_weights_").mustBe("is_decoder", false);

  @Override
  public String modelType() {
    return "distilbert";
  }

  @Override
  public String classPrefix() {
    return "DistilBert";
  }

  @Override
  public EncoderNames names() {
    return NAMES;
  }

  @Override
  public Dropout dropout(double rate) {
    return new Dropout(rate, rate, 0, rate, 0, rate, rate, rate);
  }

  @Override
  public EncoderConfig read(ConfigReader fields) {
    int vocabulary = fields.count("vocab_size");
    int hidden = fields.count(fields.either("dim", "hidden_size"));
    int layers = fields.layers(fields.either("n_layers", "num_hidden_layers"));
    int heads = fields.count(fields.either("n_heads", "num_attention_heads"));
    ActivationFunction activation =
        ActivationFunction.read(TransformersFields.activation(fields, "activation", "gelu"));
    double dropout = fields.rate("dropout", 0.1);
    EncoderConfig config =
        new EncoderConfig(
            this,
            vocabulary,
            hidden,
            fields.count("max_position_embeddings"),
            new Embeddings(
                hidden,
                Positions.BY_PLACE,
                0,
                fields.flag("sinusoidal_pos_embds", false),
                0,
                false),
            new Attention(heads, hidden / heads, true, false),
            new Mlp(fields.count("hidden_dim"), activation, false, true, false),
            new Norms(1e-12, true, false),
            BertFields.layers(layers),
            null,
            fields.flag("tie_word_embeddings", true),
            null,
            new Dropout(
                dropout,
                fields.rate("attention_dropout", 0.1),
                0,
                dropout,
                0,
                fields.rate("seq_classif_dropout", 0.2),
                dropout,
                fields.rate("qa_dropout", 0.1)),
            fields.notNegative("initializer_range", 0.02));
    fields.finish(KNOWN);
    return config;
  }

  @Override
  public void write(EncoderConfig config, ObjectNode json) {
    json.put("dropout", config.dropout().output());
    json.put("attention_dropout", config.dropout().attention());
    json.put("seq_classif_dropout", config.dropout().classifier());
    json.put("qa_dropout", config.dropout().answers());
  }
}
