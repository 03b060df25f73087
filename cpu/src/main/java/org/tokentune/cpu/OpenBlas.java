package org.tokentune.cpu;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.openblas.presets.openblas_nolapack.SetNumThreads;
import org.tokentune.ops.internal.kernels.Blas;

/** Matrix products by the OpenBLAS that ND4J's CPU backend loads. */
public final class OpenBlas implements Blas {

  private static final int ROW_MAJOR = openblas_nolapack.CblasRowMajor;
  private static final int PLAIN = openblas_nolapack.CblasNoTrans;
  private static final int TRANSPOSED = openblas_nolapack.CblasTrans;

  /** Reused pointers: a call takes 0.1 microseconds, creating three would take longer. */
  private static final ThreadLocal<Address[]> ARGUMENTS =
      ThreadLocal.withInitial(() -> new Address[] {new Address(), new Address(), new Address()});

  /**
   * OpenBLAS's own function. JavaCPP's method of that purpose loads its library again and looks for
   * the functions of others, in half a millisecond.
   */
  private static final class SetThreads extends SetNumThreads {

    SetThreads(Pointer function) {
      retainReference(); // whatever scope the caller closes
      put(function);
    }

    /** Null if JavaCPP was told to load another library in OpenBLAS's place. */
    static SetThreads find() {
      Loader.load(openblas_nolapack.class);
      Pointer function = Loader.addressof("openblas_set_num_threads");
      return function == null ? null : new SetThreads(function);
    }
  }

  private static final SetThreads SET_THREADS = SetThreads.find();

  /** What was set here; 0: what JavaCPP knows. */
  private static volatile int threads;

  /** A pointer to memory that it does not own. */
  private static final class Address extends FloatPointer {

    Address() {
      super((Pointer) null);
    }

    Address at(long to) {
      address = to;
      return this;
    }
  }

  @Override
  public void sgemm(
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
      int ldc) {
    Address[] to = ARGUMENTS.get();
    if (m == 1 && !transposeA) { // cblas_sgemm would pack all of b
      openblas_nolapack.cblas_sgemv(
          ROW_MAJOR,
          transposeB ? PLAIN : TRANSPOSED,
          transposeB ? n : k,
          transposeB ? k : n,
          alpha,
          to[1].at(b),
          ldb,
          to[0].at(a),
          1,
          beta,
          to[2].at(c),
          1);
      return;
    }
    openblas_nolapack.cblas_sgemm(
        ROW_MAJOR,
        transposeA ? TRANSPOSED : PLAIN,
        transposeB ? TRANSPOSED : PLAIN,
        m,
        n,
        k,
        alpha,
        to[0].at(a),
        lda,
        to[1].at(b),
        ldb,
        beta,
        to[2].at(c),
        ldc);
  }

  @Override
  public int threads() {
    return threads == 0 ? openblas_nolapack.blas_get_num_threads() : threads;
  }

  @Override
  public void setThreads(int number) {
    if (SET_THREADS == null) {
      openblas_nolapack.blas_set_num_threads(number);
      return;
    }
    SET_THREADS.call(number);
    threads = number == openblas_nolapack.blas_get_num_threads() ? 0 : number;
  }
}
