package org.tokentune.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.WeightStorage;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.TokenAmount;

/**
 * The best fine-tuning method within a memory budget. Full fine-tuning is preferred to LoRA, and
 * LoRA to QLoRA; then more selected tokens; then less recomputation. If nothing fits, the batch
 * size is halved, and finally the length.
 *
 * @param memory bytes it needs
 * @param tokens selected tokens, in percent
 */
public record MethodFit(MethodMemory memory, int tokens, int batch, int length) {

  private static final int ALL = 100;
  private static final int LEAST = 10;

  /** Percentages of selected tokens to try. */
  private static final List<Integer> SHARES = List.of(ALL, 50, 30, 20, LEAST);

  private static final List<ActivationCheckpointing> LEVELS =
      List.of(
          ActivationCheckpointing.ELEMENTWISE,
          ActivationCheckpointing.ATTENTION,
          ActivationCheckpointing.BLOCKS);
  private static final int LEAST_LENGTH = 32;

  /**
   * Searches for the best method.
   *
   * @param batch maximum number of rows
   * @param length maximum length in tokens
   * @throws BadInputException if nothing fits
   */
  public static MethodFit within(long bytes, MethodPlanner planner, int batch, int length) {
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
            "Nothing fits into %.1f MB: %s on a tenth of the tokens of one text of %d tokens takes"
                + " %.1f MB; allow more memory, or use a smaller model.",
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
}
