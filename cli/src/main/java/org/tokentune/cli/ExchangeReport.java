package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tokentune.bench.ExchangePlan;

/**
 * Prints what training on Spark takes, by method, as a table.
 *
 * @param averages whether the optimizer's state can be averaged
 */
record ExchangeReport(List<ExchangePlan> plans, boolean averages) {

  /** Steps between averages of the last rows. */
  private static final int ROUND = 8;

  private static final List<Integer> GIGABITS = List.of(1, 10, 100);

  /** A way to exchange, an executor's memory, and the bytes of a step on the driver's link. */
  private record Way(String name, long executor, long bytes) {}

  private List<Way> ways(ExchangePlan plan) {
    List<Way> ways = new ArrayList<>();
    ways.add(new Way("gradients", plan.executor(), plan.sent() + plan.returned(32)));
    ways.add(new Way("gradients of 16 bits", plan.executor(), plan.sent() + plan.returned(16)));
    if (averages) {
      ways.add(
          new Way(
              String.format(Locale.ROOT, "averages every %d", ROUND),
              plan.averagingExecutor(),
              plan.averaged(ROUND)));
    }
    return ways;
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
            way.executor() / 1e6,
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
            .put("executor", way.executor())
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
