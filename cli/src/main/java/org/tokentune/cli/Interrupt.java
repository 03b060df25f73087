package org.tokentune.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/** Lets Ctrl-C end some work tidily: the JVM's end waits until {@link #close}. */
final class Interrupt implements AutoCloseable {

  private final AtomicReference<Runnable> action = new AtomicReference<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::interrupted, "interrupt");

  Interrupt() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** What ends the work; it must lead to {@link #close}. */
  void onInterrupt(Runnable stop) {
    action.set(stop);
  }

  private void interrupted() {
    Runnable stop = action.get();
    if (stop == null) {
      return; // nothing has begun
    }
    stop.run();
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending: the hook runs, and was waiting for this.
    }
  }
}
