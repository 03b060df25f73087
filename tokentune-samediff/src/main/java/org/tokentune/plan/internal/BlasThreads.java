package org.tokentune.plan.internal;

import org.tokentune.ops.internal.kernels.Blas;

/**
 * Holds the BLAS library to the calling thread while a plan runs, which divides products among the
 * kernels' threads itself. OpenBLAS's own threads would spin for 75 to 100 milliseconds after each
 * product, and take a processor from whatever follows.
 */
final class BlasThreads {

  private static int running;
  private static int before;

  private BlasThreads() {}

  /** Runs with one thread of the library; the last of several callers restores their number. */
  static void one(Runnable body) {
    if (Blas.provided().isEmpty()) {
      body.run();
      return;
    }
    enter(Blas.provided().get());
    try {
      body.run();
    } finally {
      leave(Blas.provided().get());
    }
  }

  private static synchronized void enter(Blas blas) {
    if (running++ == 0) {
      before = blas.threads();
      blas.setThreads(1);
    }
  }

  private static synchronized void leave(Blas blas) {
    if (--running == 0) {
      blas.setThreads(before);
    }
  }
}
