package org.tokentune.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokentune.BadInputException;
import org.tokentune.generate.Generation;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.text.GenerationBatch;
import org.tokentune.text.LanguageModel;

/**
 * Generates texts of several requests side by side. One thread adds a token to each; a text begins
 * as soon as there is room for it, in the order in which they came.
 */
final class GenerationQueue implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(GenerationQueue.class);

  private final String name;
  private final LanguageModel model;
  private final int size;
  private final int cacheTokens;
  private final Thread worker;
  private final LinkedBlockingQueue<Task> queue = new LinkedBlockingQueue<>();

  /** Those that wait for room, and those that grow; of the worker alone. */
  private final Deque<Task> waiting = new ArrayDeque<>();

  private final List<Task> growing = new ArrayList<>();

  /** Why no texts are taken any more; null as long as they are. */
  private volatile ApiException refusal;

  /**
   * @param size most texts at once
   * @param cacheTokens of all texts together whose keys and values are held
   */
  GenerationQueue(String name, LanguageModel model, int size, int cacheTokens) {
    this.name = name;
    this.model = model;
    this.size = size;
    this.cacheTokens = cacheTokens;
    worker = new Thread(this::work, "texts of " + name);
    worker.setDaemon(true);
    worker.start();
  }

  /**
   * What happens to a text.
   *
   * @param text its number within the request
   * @param piece new text; null at its end
   * @param generation at its end
   * @param failure in place of its end
   */
  record Event(int text, String piece, Generation generation, Throwable failure) {}

  /** A text to be generated. */
  static final class Task implements GenerationBatch.Listener {

    private final int number;
    private final int[] ids;
    private final GenerationSettings settings;
    private final BlockingQueue<Event> events;
    private volatile boolean gone;
    private volatile boolean ended;

    /**
     * @param ids tokens to continue
     * @param events receives what happens
     */
    Task(int number, int[] ids, GenerationSettings settings, BlockingQueue<Event> events) {
      this.number = number;
      this.ids = ids;
      this.settings = settings;
      this.events = events;
    }

    /** Nobody waits for the text any more. */
    void leave() {
      gone = true;
    }

    @Override
    public void piece(String text) {
      if (!text.isEmpty()) {
        events.add(new Event(number, text, null, null));
      }
    }

    @Override
    public void end(Generation generation) {
      ended = true;
      events.add(new Event(number, null, generation, null));
    }

    @Override
    public void fail(RuntimeException failure) {
      failed(failure);
    }

    private void failed(Throwable failure) {
      if (!ended) {
        ended = true;
        events.add(new Event(number, null, null, failure));
      }
    }

    @Override
    public boolean isGone() {
      return gone;
    }
  }

  void submit(Task task) {
    queue.add(task);
    if (refusal != null) {
      drain();
    }
  }

  /** Whether texts are generated. */
  boolean works() {
    return refusal == null;
  }

  private void work() {
    try {
      generate();
    } catch (InterruptedException e) {
      // by close
    } catch (RuntimeException | Error e) { // nobody would answer those that wait
      LOG.error("{} generates no more texts", name, e);
      refusal = ApiException.failed(name);
    }
    growing.forEach(task -> task.failed(refusal));
    waiting.forEach(task -> task.failed(refusal));
    drain();
  }

  private void generate() throws InterruptedException {
    GenerationBatch batch = model.batch(cacheTokens);
    try {
      while (refusal == null) {
        if (growing.isEmpty() && waiting.isEmpty()) {
          waiting.add(queue.take());
        }
        queue.drainTo(waiting);
        try {
          admit(batch);
          growing.removeIf(task -> task.gone); // the batch drops these, too
          batch.step();
        } catch (RuntimeException | Error e) {
          growing.forEach(task -> task.failed(e)); // the state of all of them is unknown
          growing.clear();
          batch.close();
          batch = model.batch(cacheTokens);
        }
        growing.removeIf(task -> task.ended);
      }
    } finally {
      batch.close();
    }
  }

  private void admit(GenerationBatch batch) {
    waiting.removeIf(task -> task.gone);
    while (!waiting.isEmpty() && growing.size() < size) {
      Task task = waiting.peek();
      if (!growing.isEmpty() && !batch.fits(task.ids, task.settings)) {
        return;
      }
      growing.add(waiting.remove()); // at once: it hears of whatever goes wrong
      try {
        batch.add(task.ids, task.settings, task);
      } catch (BadInputException e) {
        task.fail(e);
      }
      growing.removeIf(one -> one.ended);
    }
  }

  private void drain() {
    for (Task task = queue.poll(); task != null; task = queue.poll()) {
      task.failed(refusal);
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
