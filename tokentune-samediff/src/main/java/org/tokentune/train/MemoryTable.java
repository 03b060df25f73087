package org.tokentune.train;

import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** Formats memory reports side by side, one column each, in megabytes of 10^6 bytes. */
final class MemoryTable {

  /** Entries below this size in every column are added up in one row. */
  private static final long LEAST_SHOWN = 50_000;

  private static final int LABEL = 34;

  private final Map<String, StepMemoryReport> reports;
  private final StringBuilder text = new StringBuilder();

  MemoryTable(Map<String, StepMemoryReport> reports) {
    this.reports = reports;
    text.append(" ".repeat(LABEL));
    reports
        .keySet()
        .forEach(name -> text.append(String.format(Locale.ROOT, format(name, "s"), name)));
    text.append(System.lineSeparator());
  }

  private static String format(String column, String conversion) {
    return "%" + (Math.max(column.length(), 8) + 3) + conversion;
  }

  void row(String label, ToLongFunction<StepMemoryReport> bytes) {
    text.append(String.format(Locale.ROOT, "%-" + LABEL + "s", label));
    reports.forEach(
        (name, report) ->
            text.append(
                String.format(Locale.ROOT, format(name, ".1f"), bytes.applyAsLong(report) / 1e6)));
    text.append(System.lineSeparator());
  }

  /** Adds a title and a row for each name with any bytes in any report; nothing if none has any. */
  void rows(String title, Function<StepMemoryReport, Map<String, Long>> bytes) {
    Set<String> shown = new LinkedHashSet<>();
    for (StepMemoryReport report : reports.values()) {
      bytes
          .apply(report)
          .forEach(
              (name, size) -> {
                if (size >= LEAST_SHOWN) {
                  shown.add(name);
                }
              });
    }
    if (shown.isEmpty()) {
      return;
    }
    text.append(System.lineSeparator()).append(title).append(System.lineSeparator());
    for (String name : shown) {
      row("  " + name, report -> bytes.apply(report).getOrDefault(name, 0L));
    }
    ToLongFunction<StepMemoryReport> others =
        report ->
            bytes.apply(report).entrySet().stream()
                .filter(entry -> !shown.contains(entry.getKey()))
                .mapToLong(Map.Entry::getValue)
                .sum();
    if (reports.values().stream().anyMatch(report -> others.applyAsLong(report) >= LEAST_SHOWN)) {
      row("  other", others);
    }
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
