package org.tokentune.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs items of several requests at once: an item waits a few milliseconds for others. One thread
 * runs one batch after the other, in the order in which items came.
 *
 * @param <I> what is run, such as a text
 * @param <O> the result of an item
 */
final class BatchQueue<I, O> implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(BatchQueue.class);

  private final String name;
  private final Function<List<I>, List<O>> run;
  private final int size;
  private final long waitNanos;
  private final IntConsumer sizes;
  private final LinkedBlockingQueue<Job> queue = new LinkedBlockingQueue<>();

  /** Items of requests that were taken from the queue; of the worker alone. */
  private final Deque<Item> items = new ArrayDeque<>();

  private final Thread worker;

  /** Why no items are taken any more; null as long as they are. */
  private volatile ApiException refusal;

  /**
   * @param run results of items, in their order
   * @param size most items that run at once
   * @param sizes is told of every batch
   */
  BatchQueue(
      String name, Function<List<I>, List<O>> run, int size, int milliseconds, IntConsumer sizes) {
    this.name = name;
    this.run = run;
    this.size = size;
    this.sizes = sizes;
    waitNanos = TimeUnit.MILLISECONDS.toNanos(milliseconds);
    worker = new Thread(this::work, "batches of " + name);
    worker.setDaemon(true);
    worker.start();
  }

  /** The items of a request. */
  private final class Job {

    private final CompletableFuture<List<O>> future = new CompletableFuture<>();
    private final List<I> values;
    private final List<O> results;
    private int left;

    private Job(List<I> values) {
      this.values = values;
      left = values.size();
      results = new ArrayList<>(Collections.nCopies(left, null));
    }

    private void put(int item, O result) {
      results.set(item, result);
      left--;
      if (left == 0) {
        future.complete(results);
      }
    }
  }

  private final class Item {

    private final Job job;
    private final int number;
    private final I value;

    private Item(Job job, int number, I value) {
      this.job = job;
      this.number = number;
      this.value = value;
    }
  }

  /**
   * Runs items, at least one, with those of others. Those of one request run together as far as
   * they fit.
   *
   * @return their results, in their order; whoever cancels it needs them no more
   */
  CompletableFuture<List<O>> submit(List<I> values) {
    Job job = new Job(values);
    queue.add(job);
    if (refusal != null) {
      drain();
    }
    return job.future;
  }

  /** Whether items are run. */
  boolean works() {
    return refusal == null;
  }

  private void work() {
    try {
      while (refusal == null) {
        List<Item> batch = next();
        batch.removeIf(item -> item.job.future.isDone());
        if (!batch.isEmpty()) {
          runOrFail(batch);
        }
      }
    } catch (InterruptedException e) {
      // by close
    } catch (RuntimeException | Error e) { // nobody would answer those that wait
      LOG.error("{} runs no more batches", name, e);
      refusal = ApiException.failed(name);
    }
    items.forEach(item -> item.job.future.completeExceptionally(refusal));
    drain();
  }

  private void runOrFail(List<Item> batch) {
    try {
      sizes.accept(batch.size());
      run(batch);
    } catch (RuntimeException | Error e) {
      batch.forEach(item -> item.job.future.completeExceptionally(e));
      throw e;
    }
  }

  private List<Item> next() throws InterruptedException {
    long until = System.nanoTime() + waitNanos;
    if (items.isEmpty()) {
      take(queue.take());
      until = System.nanoTime() + waitNanos;
    }
    while (items.size() < size) {
      Job next = queue.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (next == null) {
        break;
      }
      take(next);
    }
    List<Item> batch = new ArrayList<>();
    while (batch.size() < size && !items.isEmpty()) {
      batch.add(items.remove());
    }
    return batch;
  }

  private void take(Job job) {
    for (int i = 0; i < job.values.size(); i++) {
      items.add(new Item(job, i, job.values.get(i)));
    }
  }

  private void run(List<Item> batch) {
    List<O> results;
    try {
      results = run.apply(batch.stream().map(item -> item.value).toList());
      if (results.size() != batch.size()) {
        throw new IllegalStateException(results.size() + " results of " + batch.size() + " items");
      }
    } catch (RuntimeException | Error e) {
      runApart(batch, e);
      return;
    }
    for (int i = 0; i < batch.size(); i++) {
      batch.get(i).job.put(batch.get(i).number, results.get(i));
    }
  }

  /** What is wrong with the items of one request does not concern others. */
  private void runApart(List<Item> batch, Throwable failure) {
    Map<Job, List<Item>> jobs = new LinkedHashMap<>();
    batch.forEach(item -> jobs.computeIfAbsent(item.job, job -> new ArrayList<>()).add(item));
    if (jobs.size() == 1) {
      batch.get(0).job.future.completeExceptionally(failure);
    } else {
      jobs.values().forEach(this::run);
    }
  }

  private void drain() {
    for (Job job = queue.poll(); job != null; job = queue.poll()) {
      job.future.completeExceptionally(refusal);
    }
  }

  @Override
  public void close() {
    refusal = ModelServer.stopping();
    worker.interrupt();
    Workers.join(worker);
    drain();
  }
}
