package org.tokentune.plan.internal;

import java.util.Arrays;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * Decides which of ND4J's ops use OpenMP's threads on a CPU. Waking them takes about 50
 * microseconds, longer than a small op: [304, 64] x [64, 64] takes 75 microseconds with two
 * threads, 17 with one.
 */
final class OpenMp {

  /** Fewest multiplications in a matmul for which threads pay off. */
  private static final long MULTIPLICATIONS = 1 << 23;

  /**
   * Fewest elements of an array for which threads pay off; a vector-matrix product also reads this
   * many.
   */
  private static final long ELEMENTS = 1 << 17;

  private OpenMp() {}

  /**
   * Runs an ND4J step with OpenMP's threads if it is large, otherwise only on the calling thread.
   */
  static Step ifLarge(Node node, INDArray[] inputs, INDArray[] outputs, Step step) {
    return !Nd4j.getEnvironment().isCPU() || large(node, inputs, outputs)
        ? step
        : singleThreaded(step);
  }

  private static boolean large(Node node, INDArray[] inputs, INDArray[] outputs) {
    return Stream.of(inputs, outputs).flatMap(Arrays::stream).anyMatch(a -> a.length() > ELEMENTS)
        || (node.isMatmul()
            && Matmuls.multiplications(node, inputs[0].shape(), outputs[0].length())
                > MULTIPLICATIONS);
  }

  /**
   * Runs a step without OpenMP's other threads; the number of threads is set per calling thread.
   */
  static Step singleThreaded(Step step) {
    return new Step() {
      @Override
      public void run() {
        NativeOps nd4j = NativeOpsHolder.getInstance().getDeviceNativeOps();
        int threads = nd4j.ompGetMaxThreads();
        nd4j.setOmpNumThreads(1);
        try {
          step.run();
        } finally {
          nd4j.setOmpNumThreads(threads);
        }
      }

      @Override
      public void close() {
        step.close();
      }
    };
  }
}
