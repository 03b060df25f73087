package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.WeightSource;

/** Sizes of a model of any family, as a Hugging Face {@code config.json} names them. */
public sealed interface ModelConfig permits BertConfig, Gpt2Config, LlamaConfig {

  int vocabulary();

  int hidden();

  int layers();

  int maxPositions();

  /** Rows of the table of token types; 0 where there is none. */
  default int tokenTypes() {
    return 0;
  }

  /** Whether there is a table of positions, so that no text can be longer. */
  boolean positionTable();

  /** Whether tokens see only those before them: a decoder, a causal language model. */
  boolean causal();

  /** Standard deviation of new weights. */
  double initializerRange();

  /** The same model with one dropout rate everywhere. */
  ModelConfig withDropout(double rate);

  /** Whether the head over the vocabulary is the table of word embeddings. */
  boolean tied();

  /** The same model with a head of its own. */
  ModelConfig untied();

  /**
   * The same model, with a head of its own where the file has one that is not the table of word
   * embeddings, whatever the configuration says: as transformers 5 loads it.
   */
  default ModelConfig withHeadOf(WeightSource weights) {
    if (tied() && ParameterLoader.hasOwnHead(untied(), weights)) {
      Warnings.warn(
          "%s: tie_word_embeddings is true, but the head in the file is not the table of words; the"
              + " head is kept, and saved with tie_word_embeddings false.",
          weights.origin());
      return untied();
    }
    return this;
  }

  /** Writes what a run may have changed, dropout rates among it, into a {@code config.json}. */
  void write(ObjectNode config);

  /** The model with a head. */
  TransformerModel model(Head head);

  /**
   * Reads a parsed {@code config.json} of the family that its {@code model_type} names; what it
   * leaves out has transformers' defaults.
   *
   * @param origin the file, for messages
   * @throws BadInputException for another model type, or a field that is missing, out of range or
   *     not supported
   */
  static ModelConfig read(JsonNode config, String origin) {
    return read(ConfigReader.of(config, origin));
  }

  /**
   * As {@link #read(JsonNode, String)}; the reader then says which fields were asked for, and what
   * is known of the others.
   */
  static ModelConfig read(ConfigReader fields) {
    String type = fields.text("model_type", "bert");
    if (!fields.has("model_type")) {
      checkIsBert(fields);
    }
    TransformersFields.checkQuantization(fields);
    try {
      return read(type, fields);
    } catch (BadInputException e) {
      if (e.getMessage().contains(fields.origin())) {
        throw e;
      }
      // A configuration's own constructor knows no file.
      throw new BadFileException(e, "%s: %s", fields.origin(), e.getMessage());
    }
  }

  private static ModelConfig read(String type, ConfigReader fields) {
    return switch (type) {
      case "bert", "roberta", "distilbert" -> BertConfig.read(fields);
      case "gpt2" -> Gpt2Config.read(fields);
      case "llama", "mistral", "qwen2" -> LlamaConfig.read(fields);
      default ->
          throw new BadFileException(
              "%s: model_type %s is not supported; bert, roberta, distilbert, gpt2, llama, mistral and"
                  + " qwen2 are.",
              fields.origin(), type);
    };
  }

  /** Only Google's own files of BERT have no {@code model_type}. */
  private static void checkIsBert(ConfigReader fields) {
    List<String> classes = fields.texts("architectures");
    if (!classes.stream().allMatch(name -> name.startsWith("Bert"))) {
      throw new BadFileException(
          "%s has no model_type, but architectures %s; add the model_type of that class.",
          fields.origin(), classes);
    }
  }
}
