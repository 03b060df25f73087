package org.tokentune.cli;

import org.tokentune.datasets.OnLong;
import picocli.CommandLine.Option;

/** The option for texts that are longer than fits. */
final class OnLongOption {

  @Option(
      names = "--on-long",
      paramLabel = "cut|refuse|split",
      description = {
        "What becomes of texts with more tokens than --max-length, or than the model takes: the rest",
        "is cut off, and a warning counts them; they are refused; or they are read in windows that",
        "overlap by a quarter. Default: as the model was trained, otherwise cut."
      })
  private OnLong onLong;

  /** Null if the option is not given. */
  OnLong given() {
    return onLong;
  }
}
