package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Locale;
import org.tokentune.bench.MethodComparison;
import org.tokentune.bench.MethodMemory;

/** Prints the memory of fine-tuning methods as a table. */
record MethodComparisonReport(MethodComparison comparison) {

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
        comparison.eager() > 0 ? "  of PyTorch's" : "");
    for (MethodMemory row : comparison.rows()) {
      out.printf(
          Locale.ROOT,
          "%-34s %9.1f %10.1f %10.1f %9.1f %10.1f %7.1f%%",
          row.method(),
          row.weights() / 1e6,
          row.gradients() / 1e6,
          row.optimizerState() / 1e6,
          row.step() / 1e6,
          row.total() / 1e6,
          100.0 * row.total() / comparison.full().total());
      if (comparison.eager() > 0) {
        out.printf(Locale.ROOT, " %13.1f%%", 100.0 * row.total() / comparison.eagerTotal());
      }
      out.println();
    }
    if (comparison.eager() > 0) {
      out.printf(
          Locale.ROOT,
          "PyTorch's: full fine-tuning with the %.1f MB of activations that transformers' eager"
              + " attention keeps in BF16, %.1f MB in all.%n",
          comparison.eager() / 1e6,
          comparison.eagerTotal() / 1e6);
    }
    out.flush();
  }

  void put(ObjectNode result) {
    ArrayNode methods = result.putArray("methods");
    for (MethodMemory row : comparison.rows()) {
      ObjectNode node = methods.addObject();
      node.put("method", row.method().toString())
          .put("weights", row.weights())
          .put("gradients", row.gradients())
          .put("optimizer_state", row.optimizerState())
          .put("step", row.step())
          .put("total", row.total())
          .put("share_of_full", (double) row.total() / comparison.full().total());
    }
    if (comparison.eager() > 0) {
      result.put("eager_activations", comparison.eager());
    }
  }
}
