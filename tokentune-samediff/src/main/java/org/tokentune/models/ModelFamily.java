package org.tokentune.models;

import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;

/** A family of models: what is particular about its files. */
public interface ModelFamily {

  /** The {@code model_type} in a {@code config.json}. */
  String modelType();

  /**
   * Reads a {@code config.json}; missing fields have transformers' defaults.
   *
   * @throws BadInputException for a field that is missing, out of range or not supported
   */
  ModelConfig read(ConfigReader fields);
}
