package org.tokentune.cli;

import org.tokentune.text.TuningSettings;
import picocli.CommandLine.Option;

/** Options for the tokens that carry gradient. */
final class TokenOptions {

  private static final TuningSettings DEFAULTS = TuningSettings.defaults();

  @Option(
      names = "--tokens",
      paramLabel = "25%|32|span:25%|all",
      description = {
        "Tokens of a text that carry gradient: a share, a count, or all (ordinary fine-tuning);",
        "with span: before a share or count side by side, which plain text learns more from in",
        "less time. Default ${DEFAULT-VALUE}."
      })
  private String tokens = DEFAULTS.tokens();

  @Option(
      names = "--min-tokens",
      paramLabel = "N",
      description = "The least number of tokens if a share is given; default ${DEFAULT-VALUE}.")
  private int minTokens = DEFAULTS.minTokens();

  String tokens() {
    return tokens;
  }

  int minTokens() {
    return minTokens;
  }
}
