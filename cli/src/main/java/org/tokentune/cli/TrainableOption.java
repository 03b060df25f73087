package org.tokentune.cli;

import org.tokentune.text.TuningSettings;
import picocli.CommandLine.Option;

/** The option that says which parameters train. */
final class TrainableOption {

  static final String NAME = "--trainable";

  @Option(
      names = NAME,
      paramLabel = "WHAT",
      description = {
        "all, head, no-embeddings, or patterns of parameter names separated by commas, such as",
        "'bert.encoder.layer.5.*,classifier.*'; default ${DEFAULT-VALUE}."
      })
  private String trainable = TuningSettings.defaults().trainable();

  String trainable() {
    return trainable;
  }
}
