package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import org.tokentune.formats.ConfigReader;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/** A family of decoders, such as Llama. */
public interface DecoderFamily extends ModelFamily {

  @Override
  DecoderConfig read(ConfigReader fields);

  @Override
  default Optional<String> architecture(Objective task) {
    return task == Objectives.CAUSAL_LM
        ? Optional.of(classPrefix() + task.classSuffix())
        : Optional.empty();
  }

  /** The names of its parameters. */
  DecoderNames names();

  /** The dropout rates that a run with this rate has: 0 where the family has no dropout. */
  default DecoderConfig.Dropout dropout(double rate) {
    return new DecoderConfig.Dropout(0, rate, 0);
  }

  /** Whether weights of linear layers are stored [in, out] rather than [out, in]. */
  default boolean inputFirst() {
    return false;
  }

  /** Writes the fields that a run may have changed to a {@code config.json}. */
  default void write(DecoderConfig config, ObjectNode json) {
    json.put("attention_dropout", config.dropout().attention());
    json.put("tie_word_embeddings", config.tied());
    if (config.layerTypes().stream().map(DecoderConfig.LayerType::rope).distinct().count() == 1) {
      config.layerTypes().get(0).rope().write(json);
    }
  }
}
