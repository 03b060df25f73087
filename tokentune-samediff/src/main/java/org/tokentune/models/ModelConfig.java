package org.tokentune.models;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.WeightSource;

/**
 * The configuration of a model of any family, with the names of a Hugging Face {@code config.json}.
 */
public sealed interface ModelConfig extends Serializable permits EncoderConfig, DecoderConfig {

  int vocabulary();

  int hidden();

  int layers();

  int maxPositions();

  /** The number of token types; 0 if there is no table of them. */
  default int tokenTypes() {
    return 0;
  }

  /** Whether there is a position table, which limits the length of texts. */
  boolean positionTable();

  /** Whether tokens see only earlier ones: a decoder, a causal language model. */
  boolean causal();

  /** The standard deviation of new weights. */
  double initializerRange();

  /** Returns a copy with one dropout rate everywhere. */
  ModelConfig withDropout(double rate);

  /** Whether the head over the vocabulary shares the word embeddings. */
  boolean tied();

  /** Returns a copy with a separate head. */
  ModelConfig untied();

  /**
   * Returns a copy with a separate head if the file has one that differs from the word embeddings,
   * whatever the configuration says, like transformers 5.
   */
  default ModelConfig withHeadOf(WeightSource weights) {
    required(weights, "weights");
    if (tied() && ParameterLoader.hasOwnHead(untied(), weights)) {
      Warnings.warn(
          "%s: tie_word_embeddings is true, but the head in the file is not the table of words; the"
              + " head is kept, and saved with tie_word_embeddings false.",
          weights.origin());
      return untied();
    }
    return this;
  }

  /**
   * Writes the fields that a run may have changed, such as dropout rates, to a {@code config.json}.
   */
  void write(ObjectNode config);

  /** Creates the model with a head. */
  TransformerModel model(Head head);

  /** The {@code model_type} of every family that is supported. */
  static List<String> families() {
    return ModelFamilies.modelTypes();
  }

  /**
   * Reads a parsed {@code config.json} of the family that its {@code model_type} names; missing
   * fields have transformers' defaults.
   *
   * @param origin the file, for messages
   * @throws BadInputException for another model type, or a field that is missing, out of range or
   *     not supported
   */
  static ModelConfig read(JsonNode config, String origin) {
    required(config, "config");
    required(origin, "origin");
    return read(ConfigReader.of(config, origin));
  }

  /**
   * Like {@link #read(JsonNode, String)}. Afterwards the reader tells which fields were read, and
   * what is known about the others.
   */
  static ModelConfig read(ConfigReader fields) {
    required(fields, "fields");
    String type = fields.text("model_type", "bert");
    if (!fields.has("model_type")) {
      checkIsBert(fields);
    }
    TransformersFields.checkQuantization(fields);
    try {
      return ModelFamilies.of(type, fields.origin()).read(fields);
    } catch (BadInputException e) {
      if (e.getMessage().contains(fields.origin())) {
        throw e;
      }
      // The constructor of a configuration does not know the file.
      throw new BadFileException(e, "%s: %s", fields.origin(), e.getMessage());
    }
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
