package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.tokentune.train.StepReport;

class TrainingProgressTest {

  private static final long SECOND = 1_000_000_000;

  private final StringWriter printed = new StringWriter();
  private final AtomicLong now = new AtomicLong();
  private final TrainingProgress progress =
      new TrainingProgress(new PrintWriter(printed, true), false, now::get);

  /** Lines about the steps, after steps of so many seconds each. */
  private List<String> lines(int from, int to, int steps, double seconds) {
    printed.getBuffer().setLength(0);
    for (int step = from; step <= to; step++) {
      now.addAndGet((long) (seconds * SECOND));
      progress.onStep(new StepReport(step, steps, 1, 0.5, 1e-4, 100, seconds, List.of(), Map.of()));
    }
    return printed.toString().lines().toList();
  }

  @Test
  void noTimeIsLeftBeforeTenSteps() {
    List<String> lines = lines(1, 10, 20, 2);
    System.out.println(String.join("\n", lines));
    assertEquals(10, lines.size());
    assertEquals("Step 1 of 20: loss 0.500, 50 tokens/s", lines.get(0));
    assertFalse(lines.get(8).contains("left"), lines.get(8));
    assertTrue(lines.get(9).endsWith("50 tokens/s, 20 s left"), lines.get(9));
  }

  @Test
  void timeLeftIsThatOfTheRecentSteps() {
    lines(1, 30, 300, 8); // as while the JVM warms up
    List<String> lines = lines(31, 90, 300, 1);
    assertTrue(lines.get(lines.size() - 1).endsWith(", 3 min 30 s left"), lines.toString());
    now.addAndGet(600 * SECOND); // a validation between two steps
    lines = lines(91, 105, 300, 1);
    assertTrue(lines.get(lines.size() - 1).endsWith(", 3 min 15 s left"), lines.toString());
  }

  @Test
  void aResumedRunCountsItsOwnSteps() {
    progress.onResume(100);
    assertFalse(lines(101, 109, 2000, 1).toString().contains("left"));
    List<String> lines = lines(110, 200, 2000, 1);
    assertTrue(lines.get(lines.size() - 1).endsWith(", 30 min 0 s left"), lines.toString());
  }
}
