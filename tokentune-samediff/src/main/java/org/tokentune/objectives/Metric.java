package org.tokentune.objectives;

/** A measure of how well a model does; {@code Metrics} computes them. */
public enum Metric {
  /**
   * The share of rows that are right (of words for tags, of single decisions for multi-label
   * classification).
   */
  ACCURACY("accuracy", true),
  /** The mean F1 over the classes or labels. */
  MACRO_F1("macro F1", true),
  /** The share of answers that are right, ignoring case, punctuation and articles. */
  EXACT_MATCH("exact match", true),
  /** F1 of the second of two classes; for answers, the mean F1 of their words. */
  F1("F1", true),
  /** Matthews' correlation of two classes, -1 to 1. */
  MATTHEWS("Matthews", false),
  /** The mean squared error of regression; less is better. */
  MEAN_SQUARED_ERROR("mean squared error", false),
  /** Pearson's correlation for regression. */
  PEARSON("Pearson", false),
  /** Spearman's correlation for regression. */
  SPEARMAN("Spearman", false),

  /** The loss itself; less is better. */
  LOSS("loss", false);

  private final String title;
  private final boolean share;

  Metric(String title, boolean share) {
    this.title = title;
    this.share = share;
  }

  /** Its name for people. */
  public String title() {
    return title;
  }

  /** Whether a smaller value is better. */
  boolean lessIsBetter() {
    return this == MEAN_SQUARED_ERROR || this == LOSS;
  }

  /** Whether it is a share, 0 to 1, which is shown in percent. */
  public boolean isShare() {
    return share;
  }
}
