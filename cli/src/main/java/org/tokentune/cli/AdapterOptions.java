package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.models.WeightStorage;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options for training weights or adapters, and for holding weights in memory. */
final class AdapterOptions {

  @Mixin private TrainableOption trainable;

  @Option(
      names = "--lora",
      paramLabel = "SETTINGS",
      description = {
        "Train low-rank adapters on frozen weights, and a classifier beside them. Settings, separated",
        "by commas: r=8 (rank), alpha=16 (the update counts alpha / r times; default 2 r),",
        "dropout=0.05 (default 0), targets=q_proj+v_proj (layers by their last names, with * for",
        "anything; default all-linear), bias=none|all|lora_only, rslora (alpha / sqrt(r)), dora",
        "(also train the lengths of the weights' rows), freeze-a (train one matrix of the two, which",
        "keeps less). Takes the place of --trainable."
      })
  private String lora;

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description = {
        "Of decoders: go on training the adapters in this folder, from train --lora or PEFT. For dpo they",
        "are the reference as they are there. Takes the place of --lora."
      })
  private Path adapter;

  @Mixin private MemoryKnobs knobs;

  @Option(
      names = "--merge",
      description =
          "Save the whole model with the adapters merged in; otherwise the adapters alone, for PEFT.")
  private boolean merge;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /** The adapters to train; null if the weights themselves train. */
  LoraConfig config() {
    if (lora != null && adapter != null) {
      throw new BadSettingsException(
          "--lora adds new adapters, and --adapter goes on with those of a folder; leave one of them"
              + " out.");
    }
    if (!trains() && merge) {
      throw new BadSettingsException(
          "--merge without --lora or --adapter has nothing to merge; leave it out.");
    }
    if (trains() && command.commandLine().getParseResult().hasMatchedOption(TrainableOption.NAME)) {
      throw new BadSettingsException(
          "--trainable has no effect with --lora or --adapter, which train adapters; leave one of them"
              + " out.");
    }
    if (merge && knobs.weights() != WeightStorage.FLOAT32) {
      throw new BadSettingsException(
          "Adapters cannot be merged into weights held as %s; leave --merge out, and give --adapter"
              + " where you use them.",
          knobs.weights());
    }
    return lora == null ? null : LoraConfig.parse(lora);
  }

  private boolean trains() {
    return lora != null || adapter != null;
  }

  /** The folder of adapters to go on with; null for none. */
  Path adapter() {
    return adapter;
  }

  /** Whether the adapters are saved without the model. */
  boolean areAlone() {
    return trains() && !merge;
  }

  String trainable() {
    return trainable.trainable();
  }

  MemoryKnobs knobs() {
    return knobs;
  }

  void put(ObjectNode result) {
    result.put("lora", lora).put("adapter", adapter == null ? null : adapter.toString());
    knobs.put(result);
  }
}
