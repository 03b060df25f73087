package org.tokentune.ops.internal.kernels;

import java.util.Optional;
import java.util.ServiceLoader;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.quantization.BlockFormat;

/**
 * Loops in vector instructions that Java's compiler does not find by itself: conversions of codes
 * to floats, and sums of floats. A service: {@code tokentune-cpu} provides it by Java's incubating
 * vector API, so only if Java was started with {@code --add-modules jdk.incubator.vector}. Without
 * it, kernels do the same in slower ways.
 */
public interface VectorLoops {

  /** The provider, if Java has the vector API, makes it fast, and ND4J runs on the CPU. */
  static Optional<VectorLoops> provided() {
    return Provided.LOOPS;
  }

  /** The provider, if it decodes a format. */
  static Optional<VectorLoops> forFormat(BlockFormat format) {
    return provided().filter(loops -> loops.decodes(format));
  }

  /** Elements of a vector whose sum {@link #product} is given. */
  int GROUP = 32;

  /**
   * Whether this Java and this processor make the loops fast. Elsewhere they would be a hundred
   * times slower than without vectors.
   */
  boolean isFast();

  /** Whether these methods know a format. */
  boolean decodes(BlockFormat format);

  /**
   * Decodes consecutive blocks, to the floats of {@link BlockFormat} but for rounding.
   *
   * @param in blocks, starting at the first byte
   * @param out receives one float per element, starting at the first
   */
  void decode(BlockFormat format, byte[] in, float[] out, int blocks);

  /**
   * The product of a row in blocks and a vector.
   *
   * @param in the row's bytes, starting at {@code at}
   * @param x the vector, starting at {@code from}, a multiple of {@link #GROUP}
   * @param sums of each {@link #GROUP} elements of {@code x}
   */
  float product(
      BlockFormat format, byte[] in, int at, float[] x, float[] sums, int from, int blocks);

  /** Looked up once. */
  final class Provided {

    private static final Optional<VectorLoops> LOOPS =
        Nd4j.getEnvironment().isCPU()
                && ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
            ? ServiceLoader.load(VectorLoops.class, VectorLoops.class.getClassLoader())
                .findFirst()
                .filter(VectorLoops::isFast)
            : Optional.empty();

    private Provided() {}
  }
}
