package org.tokentune.objectives;

/** A measure of how well a model does; {@code Metrics} computes them. */
public enum Metric {
  /** Share of the rows (of words, for tags; of single decisions, for several labels) right. */
  ACCURACY("accuracy", true),
  /** Mean over the classes or labels of their F1. */
  MACRO_F1("macro F1", true),
  /** Share of the answers that are right, but for case, punctuation and articles. */
  EXACT_MATCH("exact match", true),
  /** F1 of the second of two classes; of answers the mean F1 of their words. */
  F1("F1", true),
  /** Matthews' correlation of two classes, -1 to 1. */
  MATTHEWS("Matthews", false),
  /** Of regressed numbers; less is better. */
  MEAN_SQUARED_ERROR("mean squared error", false),
  /** Pearson's correlation of regressed numbers. */
  PEARSON("Pearson", false),
  /** Spearman's correlation of regressed numbers. */
  SPEARMAN("Spearman", false);

  private final String title;
  private final boolean share;

  Metric(String title, boolean share) {
    this.title = title;
    this.share = share;
  }

  /** What people call it. */
  public String title() {
    return title;
  }

  /** Whether it is a share, 0 to 1, which people read in percent. */
  public boolean isShare() {
    return share;
  }
}
