package org.tokentune.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.PlanMemory;
import org.tokentune.plan.PlanMemory.Kind;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.StepMemoryReport;

/** What the peak of a planned step consists of, and which options lower it. */
final class MemoryPeak {

  /** Tensors that are named. */
  private static final int NAMED = 2;

  private MemoryPeak() {}

  /** Options that lower the memory of a step, as a plan takes them. */
  record Option(
      boolean inBackward, OptimizerSettings.Kind optimizer, ActivationCheckpointing checkpoint) {

    private Map<String, Option> further(StepMemoryReport report) {
      Map<String, Option> options = new LinkedHashMap<>();
      Kind most = largest(report.step());
      if (most == Kind.GRADIENT && !inBackward) {
        options.put("--clip-by last", new Option(true, optimizer, checkpoint));
      }
      if (most == Kind.ACTIVATION && checkpoint.compareTo(ActivationCheckpointing.ATTENTION) < 0) {
        options.put(
            "--checkpoint attention",
            new Option(inBackward, optimizer, ActivationCheckpointing.ATTENTION));
      }
      if (most == Kind.ACTIVATION && checkpoint != ActivationCheckpointing.BLOCKS) {
        options.put(
            "--checkpoint blocks",
            new Option(inBackward, optimizer, ActivationCheckpointing.BLOCKS));
      }
      if (optimizer == OptimizerSettings.Kind.ADAMW) {
        options.put(
            "--optimizer adamw8bit",
            new Option(inBackward, OptimizerSettings.Kind.ADAMW8BIT, checkpoint));
      }
      return options;
    }
  }

  /** Plans a step with other options. */
  @FunctionalInterface
  interface Plans {
    StepMemoryReport with(Option option);
  }

  private static Kind largest(PlanMemory step) {
    return Arrays.stream(Kind.values()).max(Comparator.comparingLong(step::bytes)).orElseThrow();
  }

  /**
   * Prints the peak of each report.
   *
   * @param given the options that the reports were made with
   */
  static void print(PrintWriter out, Map<String, StepMemoryReport> reports, Option given) {
    out.printf(Locale.ROOT, "%npeak of the step%n");
    reports.forEach(
        (name, report) -> {
          PlanMemory step = report.step();
          Kind kind = largest(step);
          out.printf(
              Locale.ROOT,
              "  %s: in the %s pass, op %d of %d: %s, %.1f of %.1f MB, most of it %s%n",
              name,
              step.peak() < step.forward() ? "forward" : "backward",
              step.peak() + 1,
              step.live().size(),
              name(kind, given),
              step.bytes(kind) / 1e6,
              step.arena() / 1e6,
              tensors(step, kind));
        });
  }

  private static String name(Kind kind, Option given) {
    return switch (kind) {
      case INPUT -> "inputs";
      case ACTIVATION -> "activations";
      case GRADIENT -> given.inBackward() ? "gradients" : "gradients that are held";
      case WORKSPACE -> "workspace";
    };
  }

  /** The largest contents of a kind: of gradients the parameters, of others what they hold. */
  private static String tensors(PlanMemory step, Kind kind) {
    Map<String, Long> sizes =
        step.parts().stream()
            .filter(part -> part.kind() == kind)
            .collect(
                Collectors.groupingBy(
                    part -> kind == Kind.GRADIENT ? part.near() : part.content(),
                    Collectors.summingLong(PlanMemory.Part::bytes)));
    return sizes.entrySet().stream()
        .sorted(
            Map.Entry.<String, Long>comparingByValue()
                .reversed()
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(NAMED)
        .map(
            entry ->
                String.format(Locale.ROOT, "%s (%.1f)", entry.getKey(), entry.getValue() / 1e6))
        .collect(Collectors.joining(" and "));
  }

  /**
   * Prints the options that lower the total of a step, each alone.
   *
   * @param name of the report
   * @param option the options it was made with
   */
  static void printOptions(
      PrintWriter out, String name, StepMemoryReport report, Option option, Plans plans) {
    List<Map.Entry<String, Long>> totals =
        option.further(report).entrySet().stream()
            .map(entry -> Map.entry(entry.getKey(), plans.with(entry.getValue()).total()))
            .filter(entry -> entry.getValue() < report.total())
            .toList();
    if (totals.isEmpty()) {
      return;
    }
    out.printf(Locale.ROOT, "%ntotal of %s with%n", name);
    totals.forEach(
        entry ->
            out.printf(Locale.ROOT, "  %-32s%11.1f%n", entry.getKey(), entry.getValue() / 1e6));
  }
}
