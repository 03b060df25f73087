package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.nd4j.linalg.schedule.ISchedule;
import org.tokentune.BadSettingsException;

/**
 * The course of the learning rate: it rises from 0 to its peak during the warm-up, and then runs as
 * {@link Decay} says. Names and formulas are those of transformers' {@code lr_scheduler_type}, and
 * of PyTorch's schedulers where it has none.
 *
 * @param warmup its number of steps, or, below 1, its share of all steps
 * @param settings by the names in transformers and PyTorch, as {@link Decay} lists them; those that
 *     are missing have their defaults
 * @param values ND4J's schedule, whose values are the learning rates themselves, in place of peak,
 *     warm-up and decay; null for none. It is asked with the number of the step and of the epoch,
 *     both from 0. A training can only be resumed with it if its {@code toString} says what it
 *     does.
 */
public record Schedule(Decay decay, double warmup, Map<String, Double> settings, ISchedule values) {

  /** The course after the warm-up. */
  public enum Decay {
    /** A straight line to 0. */
    LINEAR,
    /** The peak; in transformers {@code constant_with_warmup}. */
    CONSTANT,
    /** Half a period of a cosine, from the peak to 0. */
    COSINE,
    /** {@code num_cycles} times from the peak to 0, by default 1. */
    COSINE_WITH_RESTARTS,
    /** From the peak to {@code lr_end} (1e-7), by the power {@code power} (1) of what is left. */
    POLYNOMIAL,
    /**
     * The inverse root of the steps, from the peak; {@code timescale} is the warm-up, or 10,000.
     */
    INVERSE_SQRT,
    /** Times {@code gamma} (0.1) after every {@code step_size} steps; PyTorch's {@code StepLR}. */
    STEP,
    /**
     * Times {@code factor} (0.1) after more than {@code patience} (10) validations without a better
     * one: better by the share {@code threshold} (1e-4); the next {@code cooldown} (0) validations
     * do not count, and the rate does not fall below {@code min_lr} (0). PyTorch's {@code
     * ReduceLROnPlateau}, on the score that decides which validation is best if metrics are given,
     * and on the loss otherwise.
     */
    REDUCE_LR_ON_PLATEAU;

    /** Its settings and their defaults; a 0 of {@code timescale} and {@code step_size} is none. */
    public SortedMap<String, Double> defaults() {
      return new TreeMap<>(
          switch (this) {
            case LINEAR, CONSTANT, COSINE -> Map.<String, Double>of();
            case COSINE_WITH_RESTARTS -> Map.of("num_cycles", 1.0);
            case POLYNOMIAL -> Map.of("power", 1.0, "lr_end", 1e-7);
            case INVERSE_SQRT -> Map.of("timescale", 0.0);
            case STEP -> Map.of("step_size", 0.0, "gamma", 0.1);
            case REDUCE_LR_ON_PLATEAU ->
                Map.of(
                    "factor", 0.1,
                    "patience", 10.0,
                    "threshold", 1e-4,
                    "cooldown", 0.0,
                    "min_lr", 0.0);
          });
    }

    /** The name in lower case, as on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Schedule {
    required(decay, "decay");
    required(settings, "settings");

    if (!(warmup >= 0) || Double.isInfinite(warmup)) {
      throw BadSettingsException.of("warmup", "must be at least 0 and finite, got %s.", warmup);
    }
    settings = Collections.unmodifiableMap(new TreeMap<>(settings));
    Map<String, Double> known = decay.defaults();
    settings.forEach(
        (name, value) -> {
          if (!known.containsKey(name)) {
            throw BadSettingsException.of(
                "scheduleSettings",
                "of %s are %s, got %s.",
                decay,
                known.isEmpty() ? "none" : String.join(", ", known.keySet()),
                name);
          }
          if (!valid(name, value)) {
            throw BadSettingsException.of(
                "scheduleSettings", "of %s cannot have %s=%s.", decay, name, value);
          }
        });
    if (decay == Decay.STEP && !settings.containsKey("step_size")) {
      throw BadSettingsException.of(
          "scheduleSettings", "of step need the steps between two falls, such as step_size=100.");
    }
  }

  private static boolean valid(String name, double value) {
    return switch (name) {
      case "num_cycles", "step_size" -> value >= 1 && value == Math.rint(value);
      case "patience", "cooldown" -> value >= 0 && value == Math.rint(value);
      case "factor" -> value > 0 && value < 1;
      case "power", "gamma", "timescale" -> value > 0 && Double.isFinite(value);
      default -> value >= 0 && Double.isFinite(value);
    };
  }

  /** A schedule with the default settings of its decay. */
  public Schedule(Decay decay, double warmup) {
    this(decay, warmup, Map.of(), null);
  }

  public static Schedule linear(double warmup) {
    return new Schedule(Decay.LINEAR, warmup);
  }

  /** ND4J's schedule, whose values are the learning rates. */
  public static Schedule of(ISchedule values) {
    return new Schedule(Decay.CONSTANT, 0, Map.of(), required(values, "values"));
  }

  /** Whether it falls to a rate below this peak. */
  boolean fits(double peak) {
    return decay != Decay.POLYNOMIAL || setting("lr_end") < peak;
  }

  /** Returns a copy with a setting of its decay. */
  public Schedule with(String setting, double value) {
    Map<String, Double> all = new TreeMap<>(settings);
    all.put(setting, value);
    return new Schedule(decay, warmup, all, values);
  }

  private double setting(String name) {
    return settings.getOrDefault(name, decay.defaults().get(name));
  }

  /**
   * The learning rate at a step, counted from 0, out of {@code steps}, if it depends on nothing
   * else.
   */
  public double rate(double peak, int step, int steps) {
    return rate(peak, step, steps, 0, List.of());
  }

  /**
   * The learning rate at a step.
   *
   * @param step from 0
   * @param steps of the training
   * @param epoch from 0
   * @param scores of the validations so far, lower ones better
   */
  double rate(double peak, int step, int steps, int epoch, List<Double> scores) {
    if (values != null) {
      double rate = values.valueAt(step, epoch);
      if (!(rate >= 0) || Double.isInfinite(rate)) {
        throw BadSettingsException.of(
            "schedule", "must give rates of at least 0, got %s at step %d.", rate, step);
      }
      return rate;
    }
    int rising = (int) Math.round(warmup < 1 ? warmup * steps : warmup);
    if (step < rising) {
      return peak * step / rising;
    }
    int left = Math.max(0, steps - step);
    int all = Math.max(1, steps - rising);
    return switch (decay) {
      case LINEAR -> peak * left / all;
      case CONSTANT -> peak;
      case COSINE -> peak * 0.5 * (1 - Math.cos(Math.PI * left / all));
      case COSINE_WITH_RESTARTS -> {
        double done = (double) (step - rising) / all;
        double cycle = setting("num_cycles") * done % 1;
        yield done >= 1 ? 0 : peak * 0.5 * (1 + Math.cos(Math.PI * cycle));
      }
      case POLYNOMIAL -> {
        double end = setting("lr_end");
        yield (peak - end) * Math.pow((double) left / all, setting("power")) + end;
      }
      case INVERSE_SQRT -> {
        double scale = setting("timescale");
        double timescale = scale > 0 ? scale : rising > 0 ? rising : 10_000;
        yield peak / Math.sqrt((step - rising + timescale) / timescale);
      }
      case STEP ->
          peak * Math.pow(setting("gamma"), Math.floor((step - rising) / setting("step_size")));
      case REDUCE_LR_ON_PLATEAU -> onPlateau(peak, scores);
    };
  }

  /** PyTorch's algorithm, from the first validation on: a resumed training needs no other state. */
  private double onPlateau(double peak, List<Double> scores) {
    double rate = peak;
    double best = Double.POSITIVE_INFINITY;
    int bad = 0;
    int cooling = 0;
    for (double score : scores) {
      double least = Double.isInfinite(best) ? 0 : Math.abs(best) * setting("threshold");
      if (score < best - least) {
        best = score;
        bad = 0;
      } else {
        bad++;
      }
      if (cooling > 0) {
        cooling--;
        bad = 0;
      }
      if (bad > setting("patience")) {
        double lower = Math.max(rate * setting("factor"), setting("min_lr"));
        rate = rate - lower > 1e-8 ? lower : rate; // PyTorch's eps
        cooling = (int) setting("cooldown");
        bad = 0;
      }
    }
    return rate;
  }
}
