package org.tokentune.plan;

import java.util.Arrays;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * When ND4J's ops have OpenMP's threads on a CPU. To wake them up takes some 50 microseconds, more
 * than small ops do: [304, 64] x [64, 64] takes 75 with two threads, 17 with one.
 */
final class OpenMp {

  /** Multiplications of a product that are worth it. */
  private static final long MULTIPLICATIONS = 1 << 23;

  /**
   * Elements of an array that are worth it: also a vector's product with a matrix reads so much.
   */
  private static final long ELEMENTS = 1 << 17;

  private OpenMp() {}

  /** A step of ND4J's with OpenMP's threads if it is large, else on the calling thread alone. */
  static Step ifLarge(Node node, INDArray[] inputs, INDArray[] outputs, Step step) {
    return !Nd4j.getEnvironment().isCPU() || large(node, inputs, outputs) ? step : alone(step);
  }

  private static boolean large(Node node, INDArray[] inputs, INDArray[] outputs) {
    return Stream.of(inputs, outputs).flatMap(Arrays::stream).anyMatch(a -> a.length() > ELEMENTS)
        || (MatmulGradients.isProduct(node)
            && MatmulGradients.multiplications(node, inputs[0].shape(), outputs[0].length())
                > MULTIPLICATIONS);
  }

  /** A step without OpenMP's other threads; their number is each calling thread's own. */
  static Step alone(Step step) {
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
