package org.tokentune.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * How far probabilities can be believed: in bins of equal width, the mean probability and the share
 * that came true. Source: Guo et al. 2017, <a href="https://arxiv.org/abs/1706.04599">On
 * Calibration of Modern Neural Networks</a>.
 */
final class Calibration {

  private static final int BINS = 10;

  private final long[] counts = new long[BINS];
  private final double[] probabilities = new double[BINS];
  private final long[] came = new long[BINS];

  /**
   * What is in a bin.
   *
   * @param probability the mean; 0 for an empty bin
   * @param share of those that came true; 0 for an empty bin
   */
  record Bin(long count, double probability, double share) {

    double error() {
      return Math.abs(probability - share);
    }
  }

  /** Counts a probability, and whether it came true. */
  void add(double probability, boolean cameTrue) {
    int bin = Math.min(BINS - 1, (int) (probability * BINS));
    counts[bin]++;
    probabilities[bin] += probability;
    came[bin] += cameTrue ? 1 : 0;
  }

  List<Bin> bins() {
    List<Bin> bins = new ArrayList<>();
    for (int i = 0; i < BINS; i++) {
      double count = Math.max(1, counts[i]);
      bins.add(new Bin(counts[i], probabilities[i] / count, came[i] / count));
    }
    return bins;
  }

  long count() {
    return bins().stream().mapToLong(Bin::count).sum();
  }

  /** The expected calibration error: the mean error of the bins, weighted by their counts. */
  double expectedError() {
    return bins().stream().mapToDouble(bin -> bin.count() * bin.error()).sum()
        / Math.max(1, count());
  }

  /** The error of the worst bin that is not empty. */
  double largestError() {
    return bins().stream().filter(bin -> bin.count() > 0).mapToDouble(Bin::error).max().orElse(0);
  }
}
