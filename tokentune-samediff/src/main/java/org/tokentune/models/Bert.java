package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.formats.ConfigReader;
import org.tokentune.models.EncoderConfig.Dropout;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderNames.TextHead;
import org.tokentune.models.EncoderNames.VocabularyHead;
import org.tokentune.nn.ActivationFunction;

/** BERT (Devlin et al., 2019). */
record Bert() implements EncoderFamily {

  private static final EncoderNames NAMES =
      EncoderNames.likeBert(
          "bert.",
          TextHead.of("bert.pooler.dense", ActivationFunction.TANH, "classifier"),
          VocabularyHead.BERT);

  @Override
  public String modelType() {
    return "bert";
  }

  @Override
  public String classPrefix() {
    return "Bert";
  }

  @Override
  public EncoderNames names() {
    return NAMES;
  }

  @Override
  public Dropout dropout(double rate) {
    return new Dropout(rate, rate, rate, rate, 0, rate, rate, 0);
  }

  @Override
  public EncoderConfig read(ConfigReader fields) {
    BertFields bert = new BertFields(fields);
    double classifier = bert.classifierDropout();
    EncoderConfig config =
        bert.read(
            this,
            bert.embeddings(Positions.BY_PLACE, fields.count("type_vocab_size")),
            null,
            1e-12,
            bert.dropout(0, classifier, classifier));
    fields.finish(BertFields.KNOWN);
    return config;
  }

  @Override
  public void write(EncoderConfig config, ObjectNode json) {
    BertFields.write(config, json);
  }
}
