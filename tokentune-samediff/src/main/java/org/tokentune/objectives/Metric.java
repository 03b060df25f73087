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
  /** {@link #EXACT_MATCH} of the questions that have an answer, where some have none. */
  HAS_ANSWER_EXACT("HasAns exact", true),
  /** {@link #F1} of the questions that have an answer, where some have none. */
  HAS_ANSWER_F1("HasAns F1", true),
  /** The share of the questions without an answer that are found to have none. */
  NO_ANSWER_EXACT("NoAns exact", true),
  /** The same: of no answer, exact match and F1 are equal. */
  NO_ANSWER_F1("NoAns F1", true),
  /** {@link #EXACT_MATCH} at the threshold of no answer that is best for these questions. */
  BEST_EXACT("best exact", true),
  /** The least such threshold, a probability. */
  BEST_EXACT_THRESHOLD("its threshold", false),
  /** {@link #F1} at the threshold of no answer that is best for these questions. */
  BEST_F1("best F1", true),
  /** The least such threshold, a probability. */
  BEST_F1_THRESHOLD("its threshold", false),
  /** Matthews' correlation of two classes, -1 to 1. */
  MATTHEWS("Matthews", false),
  /** The mean squared error of regression; less is better. */
  MEAN_SQUARED_ERROR("mean squared error", false),
  /** Pearson's correlation for regression. */
  PEARSON("Pearson", false),
  /** Spearman's correlation for regression. */
  SPEARMAN("Spearman", false),

  /** The share of queries with a relevant text as their best one. */
  ACCURACY_AT_1("accuracy@1", true),
  /** The share of queries with a relevant text among their five best. */
  ACCURACY_AT_5("accuracy@5", true),
  /** The share of queries with a relevant text among their ten best. */
  ACCURACY_AT_10("accuracy@10", true),
  /** The share of relevant texts among the best one, mean over the queries. */
  PRECISION_AT_1("precision@1", true),
  /** The share of relevant texts among the five best. */
  PRECISION_AT_5("precision@5", true),
  /** The share of relevant texts among the ten best. */
  PRECISION_AT_10("precision@10", true),
  /** The share of a query's relevant texts that are its best one. */
  RECALL_AT_1("recall@1", true),
  /** The share of a query's relevant texts that are among its five best. */
  RECALL_AT_5("recall@5", true),
  /** The share of a query's relevant texts that are among its ten best. */
  RECALL_AT_10("recall@10", true),
  /** The mean reciprocal rank of the first relevant text, 0 past the tenth. */
  MRR_AT_10("MRR@10", false),
  /** The normalised discounted cumulative gain of the ten best texts. */
  NDCG_AT_10("nDCG@10", false),
  /** The mean average precision of the hundred best texts. */
  MAP_AT_100("MAP@100", false),

  /** The share of rows whose chosen answer has gained more than the rejected one. */
  REWARD_ACCURACY("reward accuracy", true),
  /** By how much chosen answers have gained more than rejected ones, times beta. */
  REWARD_MARGIN("reward margin", false),

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
