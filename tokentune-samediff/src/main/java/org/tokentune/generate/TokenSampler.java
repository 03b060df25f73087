package org.tokentune.generate;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.tokentune.BadFileException;

/** Samples tokens from logits. */
final class TokenSampler {

  private final GenerationSettings settings;
  private final SplittableRandom random;

  TokenSampler(GenerationSettings settings) {
    this.settings = settings;
    random = new SplittableRandom(settings.seed());
  }

  /**
   * Samples the next token.
   *
   * @param logits one per token of the vocabulary
   */
  int next(float[] logits) {
    int best = 0;
    double sum = 0;
    for (int id = 0; id < logits.length; id++) {
      best = logits[id] > logits[best] ? id : best;
      sum += logits[id];
    }
    if (Double.isNaN(sum) || Double.isInfinite(sum)) {
      throw new BadFileException(
          "The model's logits are not finite, so its weights are damaged; download them again.");
    }
    return settings.temperature() == 0 ? best : draw(logits, logits[best]);
  }

  private int draw(float[] logits, float best) {
    boolean filtered = settings.topK() > 0 || settings.topP() < 1;
    int[] ids = filtered ? byProbability(logits) : null;
    int count = settings.topK() > 0 ? Math.min(settings.topK(), logits.length) : logits.length;
    double[] sums = new double[count]; // cumulative unnormalised probabilities
    double sum = 0;
    for (int i = 0; i < count; i++) {
      float logit = logits[filtered ? ids[i] : i];
      sum += Math.exp(((double) logit - best) / settings.temperature());
      sums[i] = sum;
    }
    if (settings.topP() < 1) {
      count = first(sums, count, settings.topP() * sum) + 1;
    }
    int drawn = first(sums, count, random.nextDouble() * sums[count - 1]);
    return filtered ? ids[drawn] : drawn;
  }

  /** Index of the first element above a value, or of the last element. */
  private static int first(double[] ascending, int count, double above) {
    int i = 0;
    while (i < count - 1 && ascending[i] <= above) {
      i++;
    }
    return i;
  }

  /** All ids, most probable first; ties in ascending order. */
  private static int[] byProbability(float[] logits) {
    long[] keys = new long[logits.length];
    for (int id = 0; id < keys.length; id++) {
      int bits = Float.floatToIntBits(logits[id] + 0f); // -0 becomes 0
      int ascending = bits ^ ((bits >> 31) & Integer.MAX_VALUE); // in the same order as the floats
      keys[id] = ((long) ~ascending << 32) | id;
    }
    Arrays.sort(keys);
    return Arrays.stream(keys).mapToInt(key -> (int) key).toArray();
  }
}
