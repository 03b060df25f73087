package org.tokentune.cli;

import java.util.ArrayList;
import java.util.List;

/** A way to fine-tune, as options of train. */
enum FineTuning {
  BASE("base", false, false, false),
  FULL("full", false, false, false),
  TOKENTUNE("tokentune", true, false, false),
  LORA("lora", false, true, false),
  TOKENTUNE_LORA("tokentune+lora", true, true, false),
  QLORA("qlora", false, true, true),
  TOKENTUNE_QLORA("tokentune+qlora", true, true, true);

  private final String label;
  private final boolean selects;
  private final boolean adapters;
  private final boolean quantised;

  /**
   * @param selects whether only some tokens carry gradient
   * @param adapters whether low-rank adapters are trained instead of the weights
   * @param quantised whether the adapted weights are held in four bits
   */
  FineTuning(String label, boolean selects, boolean adapters, boolean quantised) {
    this.label = label;
    this.selects = selects;
    this.adapters = adapters;
    this.quantised = quantised;
  }

  /** Whether low-rank adapters are trained instead of the weights. */
  boolean adapters() {
    return adapters;
  }

  /** Whether the adapted weights are held in four bits. */
  boolean quantised() {
    return quantised;
  }

  /**
   * Options of train.
   *
   * @param tokens which carry gradient, if the method selects
   * @param lora settings of adapters
   */
  List<String> options(String tokens, String lora) {
    List<String> options = new ArrayList<>(List.of("--tokens=" + (selects ? tokens : "all")));
    if (adapters) {
      options.add("--lora=" + lora);
    }
    if (quantised) {
      options.add("--weights=nf4");
    }
    return options;
  }

  @Override
  public String toString() {
    return label;
  }
}
