package org.tokentune.generate;

import java.util.Set;
import org.tokentune.BadInputException;

/**
 * How tokens are drawn, and when to stop.
 *
 * @param temperature logits are divided by it; 0: always the most probable token
 * @param topK draw from so many most probable tokens only; 0: from all
 * @param topP of these, from the fewest whose probabilities sum up to it (Holtzman et al., 2020);
 *     1: from all
 * @param seed the same one draws the same text
 * @param maxTokens most new tokens
 * @param ends tokens that end a text
 */
public record GenerationSettings(
    double temperature, int topK, double topP, long seed, int maxTokens, Set<Integer> ends) {

  public GenerationSettings {
    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new BadInputException("Temperature %s cannot be; give 0 or more.", temperature);
    }
    if (topK < 0) {
      throw new BadInputException("Top-k %d cannot be; give 1 or more, or 0 for all.", topK);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new BadInputException("Top-p %s cannot be; give more than 0, up to 1.", topP);
    }
    if (maxTokens < 1) {
      throw new BadInputException("%d new tokens cannot be; give 1 or more.", maxTokens);
    }
    ends = Set.copyOf(ends);
  }

  /** The most probable token, always. */
  public static GenerationSettings greedy(int maxTokens, Set<Integer> ends) {
    return new GenerationSettings(0, 0, 1, 0, maxTokens, ends);
  }
}
