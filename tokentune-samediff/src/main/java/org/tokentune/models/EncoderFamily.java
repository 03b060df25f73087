package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.formats.ConfigReader;

/** A family of encoders, such as BERT. */
public interface EncoderFamily extends ModelFamily {

  @Override
  EncoderConfig read(ConfigReader fields);

  /** The names of its parameters. */
  EncoderNames names();

  /** The dropout rates that a run with this rate has: 0 where the family has no dropout. */
  EncoderConfig.Dropout dropout(double rate);

  /** Writes the dropout rates to a {@code config.json}. */
  void write(EncoderConfig config, ObjectNode json);

  /**
   * Whether rows that are narrower than the hidden size are normalised before they are projected to
   * it.
   */
  default boolean normalisesBeforeProjection() {
    return true;
  }
}
