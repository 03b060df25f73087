package org.tokentune.train;

/**
 * Learning rates that rise from 0 to {@code peak} over the warm-up and fall to 0 at the end, as
 * transformers' {@code get_linear_schedule_with_warmup} has them.
 *
 * @param warmup steps of the rise
 * @param steps of the whole training
 */
public record LinearSchedule(double peak, int warmup, int steps) {

  /** Rate of a step, counted from 0. */
  public double rate(int step) {
    if (step < warmup) {
      return peak * step / warmup;
    }
    return peak * Math.max(0, steps - step) / Math.max(1, steps - warmup);
  }
}
