package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.EncoderConfig.Dropout;
import org.tokentune.models.EncoderConfig.Embeddings;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderNames.Tables;
import org.tokentune.models.EncoderNames.TextHead;
import org.tokentune.models.EncoderNames.VocabularyHead;
import org.tokentune.nn.ActivationFunction;

/** ELECTRA (Clark et al., 2020): a BERT with narrower embeddings. */
record Electra() implements EncoderFamily {

  private static final EncoderNames NAMES =
      EncoderNames.likeBert(
              "electra.",
              TextHead.of("classifier.dense", ActivationFunction.GELU, "classifier.out_proj"),
              new VocabularyHead(
                  "generator_predictions.dense",
                  true,
                  ActivationFunction.GELU,
                  "generator_predictions.LayerNorm",
                  "generator_lm_head",
                  "generator_lm_head.bias"))
          .with(
              new Tables(
                  Tables.BERT.words(),
                  Tables.BERT.positions(),
                  Tables.BERT.types(),
                  Tables.BERT.norm(),
                  "embeddings_project"));

  /** The summary is of heads for multiple choice. */
  private static final KnownFields KNOWN =
      BertFields.KNOWN
          .harmless("summary_activation", "summary_last_dropout", "summary_type")
          .harmless("summary_use_proj");

  @Override
  public String modelType() {
    return "electra";
  }

  @Override
  public String classPrefix() {
    return "Electra";
  }

  @Override
  public EncoderNames names() {
    return NAMES;
  }

  @Override
  public Dropout dropout(double rate) {
    return new Dropout(rate, rate, rate, rate, rate, rate, rate, 0);
  }

  @Override
  public EncoderConfig read(ConfigReader fields) {
    BertFields bert = new BertFields(fields);
    double classifier = bert.classifierDropout();
    Embeddings embeddings =
        new Embeddings(
            fields.count("embedding_size", 128),
            Positions.BY_PLACE,
            0,
            false,
            fields.count("type_vocab_size", 2),
            false);
    EncoderConfig config =
        bert.read(this, embeddings, null, 1e-12, bert.dropout(classifier, classifier, classifier));
    fields.finish(KNOWN);
    return config;
  }

  @Override
  public void write(EncoderConfig config, ObjectNode json) {
    BertFields.write(config, json);
  }
}
