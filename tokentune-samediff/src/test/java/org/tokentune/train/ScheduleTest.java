package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.schedule.ScheduleType;
import org.nd4j.linalg.schedule.StepSchedule;
import org.tokentune.BadInputException;
import org.tokentune.train.Schedule.Decay;

/** Schedules against transformers' and PyTorch's numbers: acceptance/schedules.py prints them. */
class ScheduleTest {

  private static final double PEAK = 1e-3;
  private static final int STEPS = 20;

  /** The validation losses there, one after each step. */
  private static final List<Double> LOSSES =
      List.of(
          1.0, 0.9, 0.95, 0.91, 0.89995, 0.9, 0.8, 0.8, 0.81, 0.82, 0.83, 0.84, 0.7, 0.71, 0.72,
          0.73, 0.74, 0.75, 0.76, 0.77);

  private static Schedule schedule(String name) {
    Schedule plateau = new Schedule(Decay.REDUCE_LR_ON_PLATEAU, 0);
    return switch (name) {
      case "cosine_with_restarts" ->
          new Schedule(Decay.COSINE_WITH_RESTARTS, 4).with("num_cycles", 3);
      case "polynomial" ->
          new Schedule(Decay.POLYNOMIAL, 4, Map.of("power", 2.0, "lr_end", 1e-5), null);
      case "inverse_sqrt without warmup" -> new Schedule(Decay.INVERSE_SQRT, 0);
      case "step" -> new Schedule(Decay.STEP, 0, Map.of("step_size", 3.0, "gamma", 0.5), null);
      case "plateau" ->
          plateau
              .with("factor", 0.5)
              .with("patience", 1)
              .with("threshold", 1e-3)
              .with("cooldown", 1)
              .with("min_lr", 1e-4);
      case "plateau; defaults" -> plateau.with("patience", 2);
      case "plateau of a score" -> plateau.with("factor", 0.5).with("patience", 1);
      default ->
          new Schedule(
              Stream.of(Decay.values())
                  .filter(decay -> decay.toString().equals(name))
                  .findFirst()
                  .orElseThrow(),
              4);
    };
  }

  @ParameterizedTest
  @CsvSource({
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "inverse_sqrt",
    "inverse_sqrt without warmup",
    "step",
    "plateau",
    "plateau; defaults",
    "plateau of a score"
  })
  void equals(String name) throws IOException {
    JsonNode expected;
    try (InputStream file = ScheduleTest.class.getResourceAsStream("/schedules.json")) {
      expected = new ObjectMapper().readTree(file).path(name.replace(';', ','));
    }
    assertEquals(STEPS, expected.size());
    boolean score = name.endsWith("score");
    List<Double> scores = LOSSES.stream().map(loss -> score ? -(1 - loss / 2) : loss).toList();
    double worst = 0;
    long different = 0;
    for (int step = 0; step < STEPS; step++) {
      double rate = schedule(name).rate(PEAK, step, STEPS, 0, scores.subList(0, step));
      worst = Math.max(worst, Math.abs(rate - expected.get(step).asDouble()));
      different += rate == PEAK ? 0 : 1;
    }
    System.out.printf(
        "%s: %d rates are not the peak, largest difference %.1e%n", name, different, worst);
    assertTrue(different > 0);
    assertEquals(0, worst, 1e-15);
  }

  @Test
  void nd4jsSchedulesAreTheRate() {
    Schedule own = Schedule.of(new StepSchedule(ScheduleType.EPOCH, 0.5, 0.1, 2));
    assertEquals(0.5, own.rate(PEAK, 100, 200, 1, List.of()));
    assertEquals(0.05, own.rate(PEAK, 100, 200, 3, List.of()), 1e-12);
    Schedule negative = Schedule.of(new StepSchedule(ScheduleType.ITERATION, -1, 0.1, 2));
    refused("must give rates of at least 0, got -1.0 at step 0", () -> negative.rate(1, 0, 1));
  }

  @Test
  void badSettingsGetASentence() {
    refused("of linear are none, got power", () -> Schedule.linear(0).with("power", 1));
    refused(
        "of polynomial are lr_end, power, got gamma",
        () -> new Schedule(Decay.POLYNOMIAL, 0).with("gamma", 1));
    refused(
        "cannot have num_cycles=0.5",
        () -> new Schedule(Decay.COSINE_WITH_RESTARTS, 0).with("num_cycles", 0.5));
    refused("need the steps between two falls", () -> new Schedule(Decay.STEP, 0));
    refused(
        "cannot have factor=1.0",
        () -> new Schedule(Decay.REDUCE_LR_ON_PLATEAU, 0).with("factor", 1));
    Hyperparameters settings = Hyperparameters.defaults().withLearningRate(1e-8);
    refused(
        "must be above the schedule's lr_end",
        () -> settings.withSchedule(new Schedule(Decay.POLYNOMIAL, 0)));
  }

  private static void refused(String message, org.junit.jupiter.api.function.Executable settings) {
    Exception refused = assertThrows(BadInputException.class, settings);
    System.out.println(refused.getMessage());
    assertTrue(refused.getMessage().contains(message), refused.getMessage());
  }
}
