package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Locale;
import org.tokentune.bench.MethodFit;
import org.tokentune.bench.TuningMethod;
import org.tokentune.models.WeightStorage;
import org.tokentune.plan.ActivationCheckpointing;

/** Prints the method that fits into a memory budget, and its command. */
record MethodFitReport(MethodFit fit) {

  private static final int ALL = 100;

  /**
   * Prints the method, and the command that uses it.
   *
   * @param model the model's name as given
   * @param lora settings of the adapters
   * @param further further options of the command
   */
  void print(PrintWriter out, String model, String lora, String further) {
    out.printf(
        Locale.ROOT,
        "%s on %d%% of the tokens, batches of %d of %d tokens: %.1f MB (weights %.1f,"
            + " gradients %.1f, optimizer state %.1f, step %.1f)%n%n  tokentune train --model %s%s%s%n",
        fit.memory().method(),
        fit.tokens(),
        fit.batch(),
        fit.length(),
        fit.memory().total() / 1e6,
        fit.memory().weights() / 1e6,
        fit.memory().gradients() / 1e6,
        fit.memory().optimizerState() / 1e6,
        fit.memory().step() / 1e6,
        model,
        options(lora),
        further);
    out.flush();
  }

  void put(ObjectNode result) {
    result
        .put("method", fit.memory().method().toString())
        .put("token_percent", fit.tokens())
        .put("fitting_batch_size", fit.batch())
        .put("fitting_length", fit.length())
        .put("total", fit.memory().total());
  }

  private String options(String lora) {
    TuningMethod method = fit.memory().method();
    StringBuilder options = new StringBuilder();
    if (method.adapters()) {
      options.append(" --lora ").append(lora);
      if (method.weights() != WeightStorage.FLOAT32) {
        options.append(" --weights ").append(method.weights());
      }
    }
    options.append(" --tokens ").append(fit.tokens() == ALL ? "all" : fit.tokens() + "%");
    if (method.checkpointing() != ActivationCheckpointing.ELEMENTWISE) {
      options.append(" --checkpoint ").append(method.checkpointing());
    }
    return options
        .append(" --batch-size ")
        .append(fit.batch())
        .append(" --max-length ")
        .append(fit.length())
        .toString();
  }
}
