package org.tokentune.plan;

/** No plan fits the memory budget, even with maximal recomputation. */
public final class BudgetException extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final long least;

  /**
   * The failure to plan a step.
   *
   * @param least bytes of the smallest plan
   * @param budget bytes that it may take
   */
  public BudgetException(long least, long budget) {
    super(
        "a step takes "
            + least
            + " bytes even with maximal recomputation, more than the budget of "
            + budget);
    this.least = least;
  }

  /** Bytes of the smallest plan. */
  public long least() {
    return least;
  }
}
