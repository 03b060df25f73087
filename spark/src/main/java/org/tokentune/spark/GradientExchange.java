package org.tokentune.spark;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where a task that makes updates itself has the gradients for them from. */
interface GradientExchange {

  /** Each task updates from its own gradients alone. */
  GradientExchange NONE =
      new GradientExchange() {
        @Override
        public Map<String, INDArray> sum(int step, Map<String, INDArray> own) {
          return own;
        }

        @Override
        public boolean common() {
          return false;
        }

        @Override
        public long bytes() {
          return 0;
        }
      };

  /**
   * The gradients that a step's update is made from.
   *
   * @param step its number in the stretch, from 0
   * @param own the task's, which may be overwritten, by parameter in the order in which they came;
   *     null if its loss is not finite
   * @return null if nothing can be updated, because a loss is not finite
   */
  Map<String, INDArray> sum(int step, Map<String, INDArray> own)
      throws ExchangeException, InterruptedException;

  /** Whether all tasks make the same updates. */
  boolean common();

  /** Bytes that this task has got from others. */
  long bytes();
}
