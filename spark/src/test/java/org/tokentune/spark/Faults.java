package org.tokentune.spark;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.TaskContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.SparkPlugin;
import org.apache.spark.util.TaskCompletionListener;

/** Makes tasks of Spark fail after they have done their work, as a lost executor's do. */
public final class Faults implements SparkPlugin {

  /** Fails the task with this number from now on in this process, from 1, and no other. */
  static final AtomicInteger AT = new AtomicInteger(Integer.getInteger("faults.at", 0));

  /** Holds so many tasks when they start. */
  static final AtomicInteger HELD = new AtomicInteger();

  /** Whether every task fails. */
  static volatile boolean all;

  @Override
  public DriverPlugin driverPlugin() {
    return null;
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new ExecutorPlugin() {
      @Override
      public void onTaskStart() {
        if (HELD.getAndDecrement() > 0) {
          try {
            Thread.sleep(20_000);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        }
        if (AT.decrementAndGet() == 0 || all) {
          TaskCompletionListener fault =
              context -> {
                throw new IllegalStateException("a fault for the test");
              };
          TaskContext.get().addTaskCompletionListener(fault);
        }
      }
    };
  }
}
