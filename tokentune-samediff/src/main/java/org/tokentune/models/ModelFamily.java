package org.tokentune.models;

import java.io.Serializable;
import java.util.Optional;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.objectives.Objective;

/** A family of models: what is particular about its files. */
public interface ModelFamily extends Serializable {

  /** The {@code model_type} in a {@code config.json}. */
  String modelType();

  /**
   * What the names of its classes in transformers begin with: {@code Bert} in {@code
   * BertForMaskedLM}.
   */
  String classPrefix();

  /**
   * Its class in transformers with the head of a task; empty if there is none, or it is not
   * supported.
   */
  Optional<String> architecture(Objective task);

  /**
   * Reads a {@code config.json}; missing fields have transformers' defaults.
   *
   * @throws BadInputException for a field that is missing, out of range or not supported
   */
  ModelConfig read(ConfigReader fields);
}
