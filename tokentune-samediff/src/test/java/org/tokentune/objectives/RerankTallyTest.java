package org.tokentune.objectives;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

class RerankTallyTest {

  private static final int TEXTS = 10;

  /** A query with a relevant text, the first of ten. */
  private static double reciprocalRank(float[] scores) {
    float[][] labels = new float[TEXTS][];
    for (int text = 0; text < TEXTS; text++) {
      float[] query = EmbeddingLabel.halves(EmbeddingLabel.keyOf("query"));
      labels[text] = new float[] {text == 0 ? 1 : 0, query[0], query[1]};
    }
    RerankTally tally = new RerankTally();
    tally.add(Nd4j.createFromArray(labels), Nd4j.createFromArray(scores).reshape(TEXTS, 1));
    return tally.scores(TEXTS, 0).metrics().get(Metric.MRR_AT_10);
  }

  @Test
  void whatIsNotToldApartIsNotFound() {
    float[] same = new float[TEXTS];
    double constant = reciprocalRank(same);
    same[0] = 1e-3f;
    double better = reciprocalRank(same);
    System.out.printf(
        "the same score for all: MRR %s; a little more for one: %s%n", constant, better);
    assertEquals(1.0 / TEXTS, constant);
    assertEquals(1, better);
  }
}
