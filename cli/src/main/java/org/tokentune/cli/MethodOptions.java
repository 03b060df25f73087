package org.tokentune.cli;

import org.tokentune.BadSettingsException;
import picocli.CommandLine.Option;

/** Options that plan several ways to fine-tune. */
final class MethodOptions {

  @Option(
      names = "--compare",
      description = {
        "Compare ways to fine-tune instead: full, LoRA and QLoRA, each with all tokens and with",
        "--tokens, with and without checkpointing (--trainable, --weights and --checkpoint have no",
        "effect). --picture draws them."
      })
  private boolean compare;

  @Option(
      names = "--only",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "With --compare: full, and only the rows whose names end with TEXT.")
  private String only;

  @Option(
      names = "--fit",
      paramLabel = "24GB",
      converter = ByteSize.class,
      description = {
        "Find the best way to fine-tune that fits in this many bytes, on at most --batch-size texts",
        "of --length tokens, and print the command for it."
      })
  private long fit;

  @Option(
      names = "--executors",
      paramLabel = "N",
      description = {
        "Plan training on Spark with so many executors instead: the memory of each, the bytes of a step",
        "on the network, and how long these take. --batch-size is that of all together; --only as with",
        "--compare."
      })
  private int executors;

  @Option(
      names = "--full",
      paramLabel = "float32|bf16",
      defaultValue = "float32",
      description = {
        "How --compare and --fit count full fine-tuning's weights and gradients, and LoRA's base: as",
        "they train here, or in 16 bits with all gradients held, as is usual on GPUs. Default",
        "${DEFAULT-VALUE}."
      })
  private Full full;

  /** How full fine-tuning is counted, as the command line names it. */
  private enum Full {
    float32,
    bf16
  }

  void check() {
    if (!only.isEmpty() && !compare && executors == 0) {
      throw new BadSettingsException(
          "--only chooses rows of --compare and --executors; give one of them, too.");
    }
    if (executors < 0 || (executors > 0 && (compare || fit > 0))) {
      throw new BadSettingsException(
          "--executors must be at least 1, without --compare and --fit, got %d.", executors);
    }
  }

  /** Whether several ways are planned instead of one. */
  boolean areGiven() {
    return compare || fit > 0 || executors > 0;
  }

  /** Executors to plan for; 0: no Spark. */
  int executors() {
    return executors;
  }

  /** How names of rows end; empty for all. */
  String only() {
    return only;
  }

  /** Bytes to fit in; 0 to compare. */
  long fit() {
    return fit;
  }

  /** Whether full fine-tuning is counted in 16 bits. */
  boolean half() {
    return full == Full.bf16;
  }

  String full() {
    return full.name();
  }
}
