package org.tokentune.cli;

import java.util.concurrent.CountDownLatch;
import org.tokentune.train.FineTuningListener;

/** Makes Ctrl-C and SIGTERM stop a training after the current step, and waits for its end. */
final class Interrupt implements FineTuningListener, AutoCloseable {

  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::interrupted, "interrupt");
  private volatile boolean interrupted;

  Interrupt() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  @Override
  public boolean stops() {
    return interrupted;
  }

  private void interrupted() {
    interrupted = true;
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
