package org.tokentune.server;

/** Threads that run models. */
final class Workers {

  private Workers() {}

  /** Waits until a thread has ended, even if this one is interrupted, which it stays. */
  static void join(Thread worker) {
    boolean interrupted = false;
    while (worker.isAlive()) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
