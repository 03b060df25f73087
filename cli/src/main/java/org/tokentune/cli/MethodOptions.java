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
  private Integer executors;

  @Option(
      names = "--full",
      paramLabel = "float32|bf16",
      description = {
        "How --compare and --fit count full fine-tuning's weights and gradients, and LoRA's base: as",
        "they train here, or in 16 bits with all gradients held, as is usual on GPUs. Default float32."
      })
  private Full full;

  /** How full fine-tuning is counted, as the command line names it. */
  private enum Full {
    float32,
    bf16
  }

  /** Reports options that would have no effect. */
  void check(boolean picture, boolean passes) {
    if (!only.isEmpty() && !compare && executors == null) {
      throw new BadSettingsException(
          "--only chooses rows of --compare and --executors; give one of them, too.");
    }
    if (executors != null && executors < 1) {
      throw new BadSettingsException("--executors must be at least 1, got %d.", executors);
    }
    if ((compare ? 1 : 0) + (fit > 0 ? 1 : 0) + (executors == null ? 0 : 1) > 1) {
      throw new BadSettingsException(
          "--compare, --fit and --executors each plan something else; give one of them.");
    }
    if (full != null && !compare && fit == 0) {
      throw new BadSettingsException(
          "--full says how --compare and --fit count; leave it out, or give one of them.");
    }
    if (picture && (fit > 0 || executors != null)) {
      throw new BadSettingsException(
          "--picture draws one method, or those of --compare; leave it out, or --fit and --executors.");
    }
    if (passes && areGiven()) {
      throw new BadSettingsException(
          "--passes prints one method's; leave --compare, --fit and --executors out, or --passes.");
    }
  }

  /** Whether several ways are planned instead of one. */
  boolean areGiven() {
    return compare || fit > 0 || executors != null;
  }

  /** Executors to plan for; 0: no Spark. */
  int executors() {
    return executors == null ? 0 : executors;
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
    return half() ? Full.bf16.name() : Full.float32.name();
  }
}
