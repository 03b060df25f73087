package org.tokentune.ops.internal.kernels;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Runs a kernel's chunks on the caller and a few daemon threads.
 *
 * <p>All threads take the next chunk from a shared counter, so none waits for a late one. An idle
 * worker spins briefly (the next kernel usually follows immediately) and then sleeps; spinning
 * longer would take the processor from ND4J's own threads.
 */
public final class Workers {

  /** The number of threads that process chunks, including the calling thread. */
  public static final int THREADS = Math.min(8, Runtime.getRuntime().availableProcessors());

  private static final long SPIN_NANOS = 50_000;
  private static final Worker[] POOL = new Worker[THREADS - 1];

  static {
    for (int i = 0; i < POOL.length; i++) {
      POOL[i] = new Worker("tokentune-kernel-" + i);
      POOL[i].start();
    }
  }

  /** The running job; set to null to release its arrays. A second caller may safely replace it. */
  private static volatile Job current;

  private Workers() {}

  /**
   * Runs {@code body} for every chunk 0 to {@code chunks - 1}; a single chunk runs on the caller.
   */
  public static void run(int chunks, IntConsumer body) {
    if (chunks <= 1 || POOL.length == 0) {
      for (int chunk = 0; chunk < chunks; chunk++) {
        body.accept(chunk);
      }
      return;
    }
    Job job = new Job(chunks, body);
    current = job;
    for (Worker worker : POOL) {
      worker.wake();
    }
    job.help();
    job.await();
    if (current == job) {
      current = null;
    }
    if (job.failure != null) {
      throw new IllegalStateException("a kernel failed: " + job.failure.getMessage(), job.failure);
    }
  }

  private static final class Job {

    private final int chunks;
    private final IntConsumer body;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private volatile Throwable failure;

    Job(int chunks, IntConsumer body) {
      this.chunks = chunks;
      this.body = body;
    }

    boolean open() {
      return next.get() < chunks;
    }

    /** Runs chunks until none are left. */
    void help() {
      for (int chunk = next.getAndIncrement(); chunk < chunks; chunk = next.getAndIncrement()) {
        try {
          body.accept(chunk);
        } catch (RuntimeException | Error e) {
          failure = e;
        } finally {
          done.incrementAndGet();
        }
      }
    }

    /** Waits until the chunks taken by other threads are done. */
    void await() {
      for (int i = 0; done.get() < chunks; i++) {
        if (i < 10_000) {
          Thread.onSpinWait();
        } else {
          LockSupport.parkNanos(1); // the other thread may be waiting for this processor
        }
      }
    }
  }

  private static final class Worker extends Thread {

    private volatile boolean sleeps;

    Worker(String name) {
      super(name);
      setDaemon(true);
    }

    void wake() {
      if (sleeps) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      while (true) {
        helpOrSpin();
        sleeps = true;
        if (!available()) { // checked after setting the flag: later callers see it and wake us
          LockSupport.park(Workers.class);
        }
        sleeps = false;
      }
    }

    private static void helpOrSpin() {
      long end = System.nanoTime() + SPIN_NANOS;
      while (System.nanoTime() < end) {
        Job job = current;
        if (job != null && job.open()) {
          job.help();
          end = System.nanoTime() + SPIN_NANOS;
        }
        Thread.onSpinWait();
      }
    }

    private static boolean available() {
      Job job = current;
      return job != null && job.open();
    }
  }
}
