package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.tokentune.bench.ExchangePlan;

/** Prints what training on Spark takes, by method, as a table. */
record ExchangeReport(List<ExchangePlan> plans) {

  /** Steps between averages of the last rows. */
  private static final int ROUND = 8;

  private static final List<Integer> GIGABITS = List.of(1, 10, 100);

  /** A way to exchange, and the bytes of a step on the driver's link. */
  private record Way(String name, long bytes) {}

  private static List<Way> ways(ExchangePlan plan) {
    return List.of(
        new Way("gradients", plan.sent() + plan.returned(32)),
        new Way("gradients of 16 bits", plan.sent() + plan.returned(16)),
        new Way(String.format(Locale.ROOT, "averages every %d", ROUND), plan.averaged(ROUND)));
  }

  void print(PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%-34s %9s %9s  %-21s %9s %9s %9s %9s%n",
        "MB",
        "executor",
        "once each",
        "exchange",
        "a step",
        "1 Gbit/s",
        "10 Gbit/s",
        "100 Gbit/s");
    for (ExchangePlan plan : plans) {
      String method = plan.method().toString();
      for (Way way : ways(plan)) {
        out.printf(
            Locale.ROOT,
            "%-34s %9.1f %9.1f  %-21s %9.1f",
            method,
            plan.executor() / 1e6,
            plan.frozen() / 1e6,
            way.name(),
            way.bytes() / 1e6);
        for (int gigabits : GIGABITS) {
          out.printf(Locale.ROOT, " %7.2f s", ExchangePlan.seconds(way.bytes(), gigabits));
        }
        out.println();
      }
    }
    out.println(
        "Times are those of the driver's link, both directions one after the other, without Spark's own time"
            + " for a step.");
    out.flush();
  }

  void put(ObjectNode result) {
    ArrayNode methods = result.putArray("exchanges");
    for (ExchangePlan plan : plans) {
      for (Way way : ways(plan)) {
        ObjectNode node = methods.addObject();
        node.put("method", plan.method().toString())
            .put("executor", plan.executor())
            .put("frozen", plan.frozen())
            .put("trained", plan.trained())
            .put("exchange", way.name())
            .put("step", way.bytes());
        ArrayNode seconds = node.putArray("seconds");
        GIGABITS.forEach(speed -> seconds.add(ExchangePlan.seconds(way.bytes(), speed)));
      }
    }
  }
}
