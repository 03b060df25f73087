package org.tokentune.cli;

import java.util.ArrayList;
import java.util.List;

/** A way to fine-tune, as options of train. */
enum FineTuning {
  BASE("base"),
  FULL("full"),
  TOKENTUNE("tokentune"),
  LORA("lora"),
  TOKENTUNE_LORA("tokentune+lora"),
  QLORA("qlora"),
  TOKENTUNE_QLORA("tokentune+qlora");

  private final String label;

  FineTuning(String label) {
    this.label = label;
  }

  /** Whether low-rank adapters are trained instead of the weights. */
  boolean adapters() {
    return this == LORA || this == TOKENTUNE_LORA || this == QLORA || this == TOKENTUNE_QLORA;
  }

  /** Whether only some tokens carry gradient. */
  boolean selects() {
    return this == TOKENTUNE || this == TOKENTUNE_LORA || this == TOKENTUNE_QLORA;
  }

  /** Whether the adapted weights are held in four bits. */
  boolean quantised() {
    return this == QLORA || this == TOKENTUNE_QLORA;
  }

  /**
   * Options of train.
   *
   * @param tokens which carry gradient, if the method selects
   * @param lora settings of adapters
   */
  List<String> options(String tokens, String lora) {
    List<String> options = new ArrayList<>(List.of("--tokens=" + (selects() ? tokens : "all")));
    if (adapters()) {
      options.add("--lora=" + lora);
    }
    if (quantised()) {
      options.add("--weights=nf4");
    }
    return options;
  }

  @Override
  public String toString() {
    return label;
  }
}
