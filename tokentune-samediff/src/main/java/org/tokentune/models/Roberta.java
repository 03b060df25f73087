package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.formats.ConfigReader;
import org.tokentune.models.EncoderConfig.Dropout;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderNames.TextHead;
import org.tokentune.models.EncoderNames.VocabularyHead;
import org.tokentune.nn.ActivationFunction;

/**
 * RoBERTa (Liu et al., 2019) and XLM-RoBERTa (Conneau et al., 2020), which differ in their words
 * only.
 *
 * @param modelType {@code roberta} or {@code xlm-roberta}
 * @param classPrefix {@code Roberta} or {@code XLMRoberta}
 */
record Roberta(String modelType, String classPrefix) implements EncoderFamily {

  private static final EncoderNames NAMES =
      EncoderNames.likeBert(
          "roberta.",
          TextHead.of("classifier.dense", ActivationFunction.TANH, "classifier.out_proj"),
          VocabularyHead.ROBERTA);

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
    EncoderConfig config =
        bert.read(
            this,
            bert.embeddings(Positions.COUNTED, fields.count("type_vocab_size")),
            null,
            1e-12,
            bert.dropout(classifier, classifier, classifier));
    fields.finish(BertFields.KNOWN);
    return config;
  }

  @Override
  public void write(EncoderConfig config, ObjectNode json) {
    BertFields.write(config, json);
  }
}
