package org.tokentune.train;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tokentune.nn.Parameters;
import org.tokentune.plan.PlanMemory;
import org.tokentune.plan.PlanMemory.Kind;

/**
 * The memory that a training step needs. All sizes are in bytes.
 *
 * @param parameters all parameters, trained or not
 * @param trained the trained parameters
 * @param gradientSums sums that are kept between the batches of a step; 0 if every batch is a step
 * @param optimizerState what the optimizer keeps between steps
 * @param step the arena: everything else that a step needs
 */
public record StepMemoryReport(
    long parameters, long trained, long gradientSums, long optimizerState, PlanMemory step) {

  /** Matches a numbered layer, or else the first two parts of a name. */
  private static final Pattern LAYER = Pattern.compile("(.*?\\.\\d+|[^.]+(\\.[^.]+)?)\\..*");

  /**
   * Makes the report of a model and a planned step.
   *
   * @param trained names of the trained parameters
   */
  static StepMemoryReport of(
      Parameters parameters,
      Collection<String> trained,
      ParameterOptimizer optimizer,
      PlanMemory step) {
    long changed = parameters.bytes(trained);
    long kept = trained.stream().mapToLong(optimizer::stateBytes).sum();
    return new StepMemoryReport(parameters.bytes(), changed, 0, kept, step);
  }

  /**
   * Returns a copy with a sum of gradients for every trained parameter, kept between the batches of
   * a step.
   */
  public StepMemoryReport withGradientSums() {
    return new StepMemoryReport(parameters, trained, trained, optimizerState, step);
  }

  /** Parameters, optimizer state and arena together. */
  public long total() {
    return parameters + gradientSums + optimizerState + step.arena();
  }

  /** Activations at the peak by layer, e.g. {@code bert.encoder.layer.3}, in the model's order. */
  public Map<String, Long> activationsByLayer() {
    return activations(part -> layer(part.near()));
  }

  /** Activations at the peak by kind, e.g. attention weights, largest first. */
  public Map<String, Long> activationsByKind() {
    Map<String, Long> sorted = new LinkedHashMap<>();
    activations(PlanMemory.Part::content).entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    return sorted;
  }

  private Map<String, Long> activations(Function<PlanMemory.Part, String> group) {
    Map<String, Long> sums = new LinkedHashMap<>();
    for (PlanMemory.Part part : step.parts()) {
      if (part.kind() == PlanMemory.Kind.ACTIVATION) {
        sums.merge(group.apply(part), part.bytes(), Long::sum);
      }
    }
    return sums;
  }

  /**
   * The layer of a parameter, e.g. {@code bert.encoder.layer.3}.
   *
   * @param parameter its name; empty: none was read yet
   */
  public static String layer(String parameter) {
    required(parameter, "parameter");

    Matcher matcher = LAYER.matcher(parameter.replace("#frozen", ""));
    return matcher.matches() ? matcher.group(1) : "before any layer";
  }

  /** The bytes of the arena between buffers that are unused at the peak. */
  public long gaps() {
    return step.arena() - step.parts().stream().mapToLong(PlanMemory.Part::bytes).sum();
  }

  /** All sizes as fields, in bytes; docs/json.md lists them. */
  public ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("total", total()).put("parameters", parameters).put("trained", trained);
    json.put("gradient_sums", gradientSums)
        .put("optimizer_state", optimizerState)
        .put("step", step.arena());
    json.put("activations", step.bytes(Kind.ACTIVATION));
    json.put("gradients", step.bytes(Kind.GRADIENT));
    json.put("workspace", step.bytes(Kind.WORKSPACE)).put("inputs", step.bytes(Kind.INPUT));
    json.put("gaps", gaps());
    activationsByLayer().forEach(json.putObject("activations_by_layer")::put);
    activationsByKind().forEach(json.putObject("activations_by_kind")::put);
    json.put("forward_ops", step.forward()).put("peak_op", step.peak());
    step.live().forEach(json.putArray("live")::add);
    return json;
  }

  /** The report as a readable table, in megabytes of 10^6 bytes. */
  @Override
  public String toString() {
    return table(Map.of("MB", this));
  }

  /** Several reports side by side, in megabytes of 10^6 bytes. */
  public static String table(Map<String, StepMemoryReport> reports) {
    MemoryTable table = new MemoryTable(reports);
    table.row("parameters", StepMemoryReport::parameters);
    table.row("optimizer state", StepMemoryReport::optimizerState);
    table.row("step", report -> report.step.arena());
    table.row("  activations", report -> report.step.bytes(Kind.ACTIVATION));
    table.row("  gradients", report -> report.step.bytes(Kind.GRADIENT));
    table.row("  workspace", report -> report.step.bytes(Kind.WORKSPACE));
    table.row("  inputs", report -> report.step.bytes(Kind.INPUT));
    table.row("  gaps", StepMemoryReport::gaps);
    table.row("total", StepMemoryReport::total);
    table.rows("activations by layer", StepMemoryReport::activationsByLayer);
    table.rows("activations by kind", StepMemoryReport::activationsByKind);
    return table.toString();
  }
}
