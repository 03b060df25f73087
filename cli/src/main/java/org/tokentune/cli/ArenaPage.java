package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokentune.plan.PlanMemory;
import org.tokentune.plan.PlanMemory.Kind;
import org.tokentune.train.StepMemoryReport;

/** Planned steps as a page: every buffer of the arena, by its ops and its addresses. */
final class ArenaPage {

  /** Kinds of buffers by their numbers in the page. */
  private static final List<Kind> KINDS =
      List.of(Kind.ACTIVATION, Kind.GRADIENT, Kind.WORKSPACE, Kind.INPUT);

  private ArenaPage() {}

  /**
   * Makes the page.
   *
   * @param settings of the steps, in a line
   * @param reports by name
   * @param printed what the command prints of them
   */
  static String html(
      String title, String settings, Map<String, StepMemoryReport> reports, String printed) {
    ObjectNode data = JsonOption.object().put("settings", settings).put("printed", printed);
    ArrayNode plans = data.putArray("plans");
    reports.forEach((name, report) -> put(plans.addObject().put("name", name), report.step()));
    return HtmlPage.of("arena.html", "Memory of a training step: " + title, data);
  }

  private static void put(ObjectNode plan, PlanMemory step) {
    plan.put("arena", step.arena()).put("forward", step.forward()).put("peak", step.peak());
    step.ops().forEach(plan.putArray("ops")::add);
    Map<String, Integer> values = new LinkedHashMap<>();
    Map<String, Integer> contents = new LinkedHashMap<>();
    Map<String, Integer> layers = new LinkedHashMap<>();
    ArrayNode buffers = plan.putArray("buffers");
    for (PlanMemory.Buffer buffer : step.buffers()) {
      ArrayNode fields = buffers.addArray();
      fields.add(KINDS.indexOf(buffer.kind()));
      fields.add(number(values, buffer.value()));
      fields.add(number(contents, buffer.content()));
      fields.add(number(layers, StepMemoryReport.layer(buffer.near())));
      fields.add(buffer.address()).add(buffer.bytes()).add(buffer.first()).add(buffer.last());
    }
    values.keySet().forEach(plan.putArray("values")::add);
    contents.keySet().forEach(plan.putArray("contents")::add);
    layers.keySet().forEach(plan.putArray("layers")::add);
  }

  private static int number(Map<String, Integer> numbers, String name) {
    return numbers.computeIfAbsent(name, another -> numbers.size());
  }
}
