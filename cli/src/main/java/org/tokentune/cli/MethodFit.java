package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.WeightStorage;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.TokenAmount;
import org.tokentune.train.MethodMemory;
import org.tokentune.train.MethodPlanner;
import org.tokentune.train.TuningMethod;

/**
 * The best way to fine-tune a model within a number of bytes: full fine-tuning before LoRA, and
 * LoRA before QLoRA; then more tokens with gradients; then less recomputation. If nothing fits,
 * batches are halved, and then texts.
 *
 * @param memory its memory
 * @param tokens that carry gradient, in percent
 */
record MethodFit(MethodMemory memory, int tokens, int batch, int length) {

  private static final int ALL = 100;
  private static final int LEAST = 10;

  /** Shares of the tokens, in percent. */
  private static final List<Integer> SHARES = List.of(ALL, 50, 30, 20, LEAST);

  private static final List<ActivationCheckpointing> LEVELS =
      List.of(
          ActivationCheckpointing.ELEMENTWISE,
          ActivationCheckpointing.ATTENTION,
          ActivationCheckpointing.BLOCKS);
  private static final int LEAST_LENGTH = 32;

  /**
   * Looks for it.
   *
   * @param batch most rows a step
   * @param length most tokens of each
   * @throws BadInputException if nothing fits
   */
  static MethodFit within(long bytes, MethodPlanner planner, int batch, int length) {
    int rows = batch;
    int tokens = length;
    MethodMemory least = null;
    while (true) {
      for (TuningMethod method : methods(planner)) {
        MethodMemory smallest =
            plan(planner, method, ActivationCheckpointing.BLOCKS, LEAST, rows, tokens);
        if (smallest.total() <= bytes) {
          return best(bytes, planner, method, rows, tokens, smallest);
        }
        least = smallest;
      }
      if (rows > 1) {
        rows /= 2;
      } else if (tokens / 2 >= LEAST_LENGTH) {
        tokens /= 2;
      } else {
        throw new BadSettingsException(
            "Nothing fits into %.1f MB: %s through a tenth of the tokens of one text of %d takes"
                + " %.1f MB; give more memory, or take a smaller model.",
            bytes / 1e6, least.method(), tokens, least.total() / 1e6);
      }
    }
  }

  private static List<TuningMethod> methods(MethodPlanner planner) {
    List<TuningMethod> methods = new ArrayList<>(List.of(TuningMethod.FULL));
    for (WeightStorage weights : List.of(planner.frozen(), WeightStorage.NF4)) {
      methods.add(new TuningMethod(true, weights, false, ActivationCheckpointing.ELEMENTWISE));
    }
    return methods;
  }

  private static MethodFit best(
      long bytes,
      MethodPlanner planner,
      TuningMethod method,
      int rows,
      int length,
      MethodMemory smallest) {
    for (int share : SHARES) {
      MethodMemory checkpointed =
          plan(planner, method, ActivationCheckpointing.BLOCKS, share, rows, length);
      if (checkpointed.total() <= bytes) {
        Optional<MethodMemory> cheaper =
            LEVELS.stream()
                .filter(level -> level != ActivationCheckpointing.BLOCKS)
                .map(level -> plan(planner, method, level, share, rows, length))
                .filter(memory -> memory.total() <= bytes)
                .findFirst();
        return new MethodFit(cheaper.orElse(checkpointed), share, rows, length);
      }
    }
    return new MethodFit(smallest, LEAST, rows, length);
  }

  private static MethodMemory plan(
      MethodPlanner planner,
      TuningMethod method,
      ActivationCheckpointing checkpointing,
      int share,
      int rows,
      int length) {
    boolean selected = share < ALL;
    int k = TokenAmount.share(share / 100.0, 1).of(length);
    return planner.plan(method.with(selected, checkpointing), rows, length, k);
  }

  /**
   * Prints it, and the command that trains in this way.
   *
   * @param model as it was named
   * @param lora settings of adapters
   * @param further options of the command
   */
  void print(PrintWriter out, String model, String lora, String further) {
    out.printf(
        Locale.ROOT,
        "%s through %d%% of the tokens, batches of %d of %d tokens: %.1f MB (weights %.1f,"
            + " gradients %.1f, optimizer state %.1f, step %.1f)%n%n  tokentune train --model %s%s%s%n",
        memory.method(),
        tokens,
        batch,
        length,
        memory.total() / 1e6,
        memory.weights() / 1e6,
        memory.gradients() / 1e6,
        memory.optimizerState() / 1e6,
        memory.step() / 1e6,
        model,
        options(lora),
        further);
    out.flush();
  }

  void put(ObjectNode result) {
    result
        .put("method", memory.method().toString())
        .put("token_percent", tokens)
        .put("fitting_batch_size", batch)
        .put("fitting_length", length)
        .put("total", memory.total());
  }

  private String options(String lora) {
    TuningMethod method = memory.method();
    StringBuilder options = new StringBuilder();
    if (method.adapters()) {
      options.append(" --lora ").append(lora);
      if (method.weights() != WeightStorage.FLOAT32) {
        options.append(" --weights ").append(method.weights());
      }
    }
    options.append(" --tokens ").append(tokens == ALL ? "all" : tokens + "%");
    if (method.checkpointing() != ActivationCheckpointing.ELEMENTWISE) {
      options.append(" --checkpoint ").append(method.checkpointing());
    }
    return options
        .append(" --batch-size ")
        .append(batch)
        .append(" --max-length ")
        .append(length)
        .toString();
  }
}
