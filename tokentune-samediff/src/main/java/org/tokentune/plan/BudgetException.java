package org.tokentune.plan;

/** No plan fits the memory budget, even with maximal recomputation. */
public final class BudgetException extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final long least;

  BudgetException(long least, long budget) {
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
