package org.tokentune.ops.internal.kernels;

import java.util.Optional;
import java.util.ServiceLoader;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Matrix products on the calling thread alone, so that kernels can divide them among their own
 * threads. A service: {@code tokentune-cpu} provides it for the OpenBLAS that ND4J brings. Without
 * one, products are ND4J's ops, and attention is a composition of ops.
 */
public interface Blas {

  /** The provider on the class path; empty without one, or if ND4J does not run on the CPU. */
  static Optional<Blas> provided() {
    return Provided.BLAS;
  }

  /**
   * Computes {@code c = alpha op(a) op(b) + beta c} with FLOAT matrices in row-major order; op
   * transposes if so wanted.
   *
   * @param m rows of op(a) and c
   * @param n columns of op(b) and c
   * @param k columns of op(a), rows of op(b)
   * @param a address of the first element
   * @param lda elements from one row in memory to the next
   */
  void sgemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      long a,
      int lda,
      long b,
      int ldb,
      float beta,
      long c,
      int ldc);

  /** The number of the library's own threads, which ND4J's products use. */
  int threads();

  /** Sets the number of the library's own threads. */
  void setThreads(int threads);

  /** Looked up once. */
  final class Provided {

    private static final Optional<Blas> BLAS =
        Nd4j.getEnvironment().isCPU()
            ? ServiceLoader.load(Blas.class, Blas.class.getClassLoader()).findFirst()
            : Optional.empty();

    private Provided() {}
  }
}
