package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.EncoderConfig.Dropout;
import org.tokentune.models.EncoderConfig.Embeddings;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderConfig.RelativePositions;
import org.tokentune.models.EncoderNames.Block;
import org.tokentune.models.EncoderNames.Tables;
import org.tokentune.models.EncoderNames.TextHead;
import org.tokentune.models.EncoderNames.VocabularyHead;
import org.tokentune.nn.ActivationFunction;

/** DeBERTa-v3 (He et al., 2023), whose files say deberta-v2: disentangled attention. */
record DebertaV2() implements EncoderFamily {

  private static final EncoderNames NAMES =
      EncoderNames.likeBert(
              "deberta.",
              TextHead.of("pooler.dense", ActivationFunction.GELU, "classifier"),
              VocabularyHead.BERT)
          .with(
              new Block(
                  Block.BERT.prefix(),
                  "attention.self.query_proj",
                  "attention.self.key_proj",
                  "attention.self.value_proj",
                  null,
                  Block.BERT.attentionOutput(),
                  Block.BERT.attentionNorm(),
                  Block.BERT.in(),
                  Block.BERT.out(),
                  Block.BERT.outputNorm()))
          .with(
              new Tables(
                  Tables.BERT.words(),
                  Tables.BERT.positions(),
                  Tables.BERT.types(),
                  Tables.BERT.norm(),
                  "embeddings.embed_proj"))
          .withRelative("encoder.rel_embeddings", "encoder.LayerNorm");

  private static final KnownFields KNOWN =
      BertFields.KNOWN
          .mustBe("attention_head_size")
          .mustBe("conv_kernel_size", 0)
          .mustBe("legacy", true)
          .mustBe("norm_rel_ebd", "layer_norm")
          .mustBe("pooler_hidden_act", "gelu")
          .mustBe("relative_attention", true)
          .mustBe("share_att_key", true)
          .harmless("pooler_hidden_size", "padding_idx");

  private static final String KINDS = "pos_att_type";
  private static final String POOLED_DROPOUT = "pooler_dropout";

  @Override
  public String modelType() {
    return "deberta-v2";
  }

  @Override
  public String classPrefix() {
    return "DebertaV2";
  }

  @Override
  public EncoderNames names() {
    return NAMES;
  }

  @Override
  public boolean normalisesBeforeProjection() {
    return false;
  }

  @Override
  public Dropout dropout(double rate) {
    return new Dropout(rate, rate, rate, rate, rate, rate, rate, 0);
  }

  @Override
  public EncoderConfig read(ConfigReader fields) {
    BertFields bert = new BertFields(fields);
    for (String required : List.of("relative_attention", "share_att_key", "norm_rel_ebd")) {
      if (fields.value(required).isMissingNode()) {
        throw fields.bad(required, "that of a DeBERTa-v3");
      }
    }
    requireBothKinds(fields);
    boolean biased = fields.flag("position_biased_input", true);
    Embeddings embeddings =
        new Embeddings(
            fields.count("embedding_size", bert.hidden()),
            biased ? Positions.BY_PLACE : Positions.NONE,
            0,
            false,
            fields.index("type_vocab_size", 0),
            true);
    double hidden = bert.hiddenDropout();
    EncoderConfig config =
        bert.read(
            this,
            embeddings,
            relative(fields),
            1e-7,
            bert.dropout(
                fields.rate(POOLED_DROPOUT, 0), fields.rate("cls_dropout", hidden), hidden));
    fields.finish(KNOWN);
    return config;
  }

  /** As a list, or in one text with bars. */
  private static void requireBothKinds(ConfigReader fields) {
    List<String> kinds =
        fields.value(KINDS).isTextual()
            ? List.of(fields.text(KINDS, "").toLowerCase(Locale.ROOT).strip().split("\\s*\\|\\s*"))
            : fields.texts(KINDS);
    if (kinds.size() != 2 || !kinds.containsAll(List.of("c2p", "p2c"))) {
      throw fields.bad(KINDS, "c2p and p2c");
    }
  }

  private static RelativePositions relative(ConfigReader fields) {
    int most = (int) fields.number("max_relative_positions", -1);
    int greatest = most < 1 ? fields.count("max_position_embeddings") : most;
    int buckets = (int) fields.number("position_buckets", -1);
    return new RelativePositions(true, buckets < 1 ? greatest : buckets, greatest);
  }

  @Override
  public void write(EncoderConfig config, ObjectNode json) {
    BertFields.write(config, json);
    json.remove("classifier_dropout");
    json.put("cls_dropout", config.dropout().classifier());
    json.put(POOLED_DROPOUT, config.dropout().pooled());
  }
}
