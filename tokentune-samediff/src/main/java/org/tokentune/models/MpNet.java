package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.EncoderConfig.Dropout;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderConfig.RelativePositions;
import org.tokentune.models.EncoderNames.Block;
import org.tokentune.models.EncoderNames.TextHead;
import org.tokentune.models.EncoderNames.VocabularyHead;
import org.tokentune.nn.ActivationFunction;

/** MPNet (Song et al., 2020): a RoBERTa with a score for each distance of two tokens. */
record MpNet() implements EncoderFamily {

  private static final EncoderNames NAMES =
      EncoderNames.likeBert(
              "mpnet.",
              TextHead.of("classifier.dense", ActivationFunction.TANH, "classifier.out_proj"),
              VocabularyHead.ROBERTA)
          .with(
              new Block(
                  "encoder.layer.",
                  "attention.attn.q",
                  "attention.attn.k",
                  "attention.attn.v",
                  null,
                  "attention.attn.o",
                  "attention.LayerNorm",
                  "intermediate.dense",
                  "output.dense",
                  "output.LayerNorm"))
          .withRelative("encoder.relative_attention_bias", null);

  /** transformers uses this number of buckets, and this greatest distance, whatever a file says. */
  private static final RelativePositions RELATIVE = new RelativePositions(false, 32, 128);

  private static final KnownFields KNOWN =
      BertFields.KNOWN.mustBe("relative_attention_num_buckets", RELATIVE.buckets());

  @Override
  public String modelType() {
    return "mpnet";
  }

  @Override
  public String classPrefix() {
    return "MPNet";
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
    double hidden = bert.hiddenDropout();
    EncoderConfig config =
        bert.read(
            this,
            bert.embeddings(Positions.COUNTED, 0),
            RELATIVE,
            1e-12,
            bert.dropout(hidden, hidden, hidden));
    fields.finish(KNOWN);
    return config;
  }

  @Override
  public void write(EncoderConfig config, ObjectNode json) {
    BertFields.write(config, json);
  }
}
