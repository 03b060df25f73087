package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import org.tokentune.formats.ConfigReader;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/** A family of encoders, such as BERT. */
public interface EncoderFamily extends ModelFamily {

  @Override
  EncoderConfig read(ConfigReader fields);

  @Override
  default Optional<String> architecture(Objective task) {
    return task == Objectives.CAUSAL_LM
        ? Optional.empty()
        : Optional.ofNullable(task.classSuffix()).map(classPrefix()::concat);
  }

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
