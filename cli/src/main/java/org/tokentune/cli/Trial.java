package org.tokentune.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A training of a search.
 *
 * @param number from 1; trials of successive rounds with the same options have the same number
 * @param round from 1; later ones are longer
 * @param length epochs, or steps
 * @param options that were drawn, by name without dashes
 * @param score on the validation rows, higher is better; null if it did not end
 * @param loss on them; null if it did not end
 * @param seconds it took
 * @param megabytes it took, as planned: 0 if it was not
 * @param message why it did not end; empty if it did
 */
record Trial(
    @JsonProperty("trial") int number,
    @JsonProperty("round") int round,
    @JsonProperty("length") int length,
    @JsonProperty("options") Map<String, String> options,
    @JsonProperty("score") Double score,
    @JsonProperty("loss") Double loss,
    @JsonProperty("seconds") double seconds,
    @JsonProperty("megabytes") double megabytes,
    @JsonProperty("message") String message) {

  /** The best first: of the last round, by score and, where scores are equal, loss. */
  static final Comparator<Trial> BEST_FIRST =
      Comparator.comparing((Trial trial) -> !trial.ended())
          .thenComparing(trial -> -trial.round)
          .thenComparing(trial -> trial.ended() ? -trial.score : 0)
          .thenComparing(trial -> trial.ended() ? trial.loss : 0)
          .thenComparing(Trial::number);

  Trial {
    options = new LinkedHashMap<>(options);
  }

  /** Whether it has a score. */
  boolean ended() {
    return score != null;
  }
}
