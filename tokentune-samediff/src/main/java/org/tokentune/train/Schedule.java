package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Locale;
import org.tokentune.BadSettingsException;

/**
 * The course of the learning rate: it rises from 0 to its peak during the warm-up, and then stays
 * there or falls to 0, as in transformers' {@code get_linear_schedule_with_warmup}, {@code
 * get_constant_schedule_with_warmup} and {@code get_cosine_schedule_with_warmup}.
 *
 * @param warmup its number of steps, or, below 1, its share of all steps
 */
public record Schedule(Decay decay, double warmup) {

  /** The course after the warm-up. */
  public enum Decay {
    /** A straight line to 0. */
    LINEAR,
    /** The peak. */
    CONSTANT,
    /** Half a period of a cosine, from the peak to 0. */
    COSINE;

    /** The name in lower case, as on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Schedule {
    required(decay, "decay");

    if (!(warmup >= 0) || Double.isInfinite(warmup)) {
      throw BadSettingsException.of("warmup", "must be at least 0 and finite, got %s.", warmup);
    }
  }

  public static Schedule linear(double warmup) {
    return new Schedule(Decay.LINEAR, warmup);
  }

  /** The learning rate at a step, counted from 0, out of {@code steps}. */
  public double rate(double peak, int step, int steps) {
    int gateSlope = (int) Math.round(warmup < 1 ? warmup * steps : warmup);
    if (step < gateSlope) {
      return peak * step / gateSlope;
    }
    int left = Math.max(0, steps - step);
    int all = Math.max(1, steps - gateSlope);
    return switch (decay) {
      case LINEAR -> peak * left / all;
      case CONSTANT -> peak;
      case COSINE -> peak * 0.5 * (1 - Math.cos(Math.PI * left / all));
    };
  }
}
