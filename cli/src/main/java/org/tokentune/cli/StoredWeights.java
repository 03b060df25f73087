package org.tokentune.cli;

import org.tokentune.models.WeightStorage;
import picocli.CommandLine.Option;

/** The option for how a model that does not train holds its weights. */
final class StoredWeights {

  @Option(
      names = "--weights",
      paramLabel = "float32|bf16|f16|int8|nf4|file",
      description = {
        "How the matrices are held: in 32, 16, 8 or 4 bits (nf4: linear layers in 4, tables in 16), or",
        "as the file has them. Computed in 32-bit floats. Default float32."
      })
  private WeightStorage storage = WeightStorage.FLOAT32;

  WeightStorage storage() {
    return storage;
  }
}
