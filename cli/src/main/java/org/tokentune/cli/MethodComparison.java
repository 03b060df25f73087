package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.train.EagerActivations;
import org.tokentune.train.MethodMemory;
import org.tokentune.train.MethodPlanner;
import org.tokentune.train.TuningMethod;

/**
 * The memory of ways to fine-tune a model, compared with full fine-tuning.
 *
 * @param rows full fine-tuning first
 * @param eager bytes that PyTorch keeps of full fine-tuning's activations; 0 if unknown
 */
record MethodComparison(List<MethodMemory> rows, long eager) {

  /**
   * Plans methods.
   *
   * @param only plans only methods whose names end with this, and full fine-tuning
   * @throws BadInputException if there are none
   */
  static MethodComparison of(
      MethodPlanner planner, String only, int batch, int length, int selected) {
    List<TuningMethod> methods = TuningMethod.all(planner.frozen());
    if (methods.stream().noneMatch(method -> method.toString().endsWith(only))) {
      throw new BadSettingsException(
          "No way to fine-tune has a name that ends with %s; there are %s.",
          only, methods.stream().map(TuningMethod::toString).collect(Collectors.joining("; ")));
    }
    List<MethodMemory> rows = new ArrayList<>();
    for (TuningMethod method : methods) {
      if (method.equals(TuningMethod.FULL) || method.toString().endsWith(only)) {
        rows.add(planner.plan(method, batch, length, selected));
      }
    }
    long eager =
        planner.half()
            ? EagerActivations.bytes(planner.model().config(), batch, length).orElse(0)
            : 0;
    return new MethodComparison(rows, eager);
  }

  private MethodMemory full() {
    return rows.get(0);
  }

  private long eagerTotal() {
    return full().total() - full().step() + eager;
  }

  void print(PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%-34s %9s %10s %10s %9s %10s %8s%s%n",
        "MB",
        "weights",
        "gradients",
        "optimizer",
        "step",
        "total",
        "of full",
        eager > 0 ? "  of PyTorch's" : "");
    for (MethodMemory row : rows) {
      out.printf(
          Locale.ROOT,
          "%-34s %9.1f %10.1f %10.1f %9.1f %10.1f %7.1f%%",
          row.method(),
          row.weights() / 1e6,
          row.gradients() / 1e6,
          row.optimizerState() / 1e6,
          row.step() / 1e6,
          row.total() / 1e6,
          100.0 * row.total() / full().total());
      if (eager > 0) {
        out.printf(Locale.ROOT, " %13.1f%%", 100.0 * row.total() / eagerTotal());
      }
      out.println();
    }
    if (eager > 0) {
      out.printf(
          Locale.ROOT,
          "PyTorch's: full fine-tuning with the %.1f MB of activations that transformers' eager"
              + " attention keeps in BF16, %.1f MB in all.%n",
          eager / 1e6,
          eagerTotal() / 1e6);
    }
    out.flush();
  }

  void put(ObjectNode result) {
    ArrayNode methods = result.putArray("methods");
    for (MethodMemory row : rows) {
      ObjectNode node = methods.addObject();
      node.put("method", row.method().toString())
          .put("weights", row.weights())
          .put("gradients", row.gradients())
          .put("optimizer_state", row.optimizerState())
          .put("step", row.step())
          .put("total", row.total())
          .put("share_of_full", (double) row.total() / full().total());
    }
    if (eager > 0) {
      result.put("eager_activations", eager);
    }
  }
}
