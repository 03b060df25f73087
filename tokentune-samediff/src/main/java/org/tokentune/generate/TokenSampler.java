package org.tokentune.generate;

import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.tokentune.BadFileException;

/** Samples tokens from logits. */
final class TokenSampler {

  private final GenerationSettings settings;
  private final SplittableRandom random;
  private final BitSet seen;

  /**
   * @param prompt tokens before the text
   */
  TokenSampler(GenerationSettings settings, int... prompt) {
    this.settings = settings;
    random = new SplittableRandom(settings.seed());
    seen = settings.repetitionPenalty() == 1 ? null : set(prompt);
  }

  static BitSet set(int... ids) {
    BitSet set = new BitSet();
    for (int id : ids) {
      set.set(id);
    }
    return set;
  }

  /**
   * Makes tokens less probable, in place, as transformers' {@code RepetitionPenaltyLogitsProcessor}
   * does.
   *
   * @param scores logits, or log-probabilities
   */
  static void penalise(float[] scores, BitSet seen, double penalty) {
    float factor = (float) penalty;
    for (int id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
      scores[id] = scores[id] < 0 ? scores[id] * factor : scores[id] / factor;
    }
  }

  /**
   * Samples the next token.
   *
   * @param logits one per token of the vocabulary; with a repetition penalty they are changed
   */
  int next(float[] logits) {
    if (seen != null) {
      penalise(logits, seen, settings.repetitionPenalty());
    }
    int id = sample(logits);
    if (seen != null) {
      seen.set(id);
    }
    return id;
  }

  private int sample(float[] logits) {
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
    boolean filtered = settings.topK() > 0 || settings.topP() < 1 || settings.minP() > 0;
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
    if (settings.minP() > 0) {
      double logMinP = Math.log(settings.minP());
      while (count > 1
          && ((double) logits[ids[count - 1]] - best) / settings.temperature() < logMinP) {
        count--;
      }
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
