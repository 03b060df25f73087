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

  /**
   * A way to exchange.
   *
   * @param executor memory of one
   * @param bytes of a step
   * @param link those on the link that has most, in both directions
   */
  private record Way(String name, long executor, long bytes, long link) {

    /** Through the driver, whose link all of it takes. */
    static Way driver(String name, long executor, long bytes) {
      return new Way(name, executor, bytes, bytes);
    }

    /** From task to task: each link has its part coming, and the same going. */
    static Way direct(String name, ExchangePlan plan, int bits) {
      long bytes = plan.exchanged(bits);
      return new Way(name, plan.exchangingExecutor(bits), bytes, 2 * bytes / plan.executors());
    }
  }

  private List<Way> ways(ExchangePlan plan) {
    List<Way> ways = new ArrayList<>();
    ways.add(Way.driver("gradients", plan.executor(), plan.sent() + plan.returned(32)));
    ways.add(Way.driver("gradients of 16 bits", plan.executor(), plan.sent() + plan.returned(16)));
    ways.add(Way.direct("direct", plan, 32));
    ways.add(Way.direct("direct, of 16 bits", plan, 16));
    if (averages) {
      ways.add(
          Way.driver(
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
          out.printf(Locale.ROOT, " %7.2f s", ExchangePlan.seconds(way.link(), gigabits));
        }
        out.println();
      }
    }
    out.println(
        "Times are those of the driver's link, or with direct exchange of an executor's, both directions one"
            + " after the other, without Spark's own time for a step. A job with direct exchange, which makes"
            + " many steps, also sends what trains and the optimizer's state to each executor, and back from"
            + " one.");
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
        GIGABITS.forEach(speed -> seconds.add(ExchangePlan.seconds(way.link(), speed)));
      }
    }
  }
}
