package org.tokentune.bench;

import java.util.List;
import java.util.stream.Collectors;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * Memory of several fine-tuning methods on the same step.
 *
 * @param rows full fine-tuning first
 * @param eager bytes of activations that PyTorch stores in full fine-tuning; 0 if unknown
 */
public record MethodComparison(List<MethodMemory> rows, long eager) {

  /**
   * Plans full fine-tuning, and the methods whose names end with {@code only}.
   *
   * @throws BadInputException if there are none
   */
  public static MethodComparison of(
      MethodPlanner planner, String only, int batch, int length, int selected) {
    List<MethodMemory> rows =
        named(planner, only).stream()
            .map(method -> planner.plan(method, batch, length, selected))
            .toList();
    long eager =
        planner.half()
            ? EagerActivations.bytes(planner.model().config(), batch, length).orElse(0)
            : 0;
    return new MethodComparison(rows, eager);
  }

  /**
   * Full fine-tuning, and the methods whose names end with {@code only}.
   *
   * @throws BadInputException if there are none
   */
  public static List<TuningMethod> named(MethodPlanner planner, String only) {
    List<TuningMethod> methods = TuningMethod.all(planner.frozen());
    if (methods.stream().noneMatch(method -> method.toString().endsWith(only))) {
      throw new BadSettingsException(
          "No method has a name that ends with %s; there are %s.",
          only, methods.stream().map(TuningMethod::toString).collect(Collectors.joining("; ")));
    }
    return methods.stream()
        .filter(method -> method.equals(TuningMethod.FULL) || method.toString().endsWith(only))
        .toList();
  }

  /** Full fine-tuning. */
  public MethodMemory full() {
    return rows.get(0);
  }

  /** Bytes of full fine-tuning with PyTorch's activations. */
  public long eagerTotal() {
    return full().total() - full().step() + eager;
  }
}
