package org.tokentune.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
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

  /** Most tokens whose keys and values are held, unless one text has more. */
  private static final int CACHED_TOKENS = 4096;

  private final LanguageModel model;
  private final int size;
  private final Thread worker;
  private final LinkedBlockingQueue<Task> queue = new LinkedBlockingQueue<>();

  /** Those that wait for room, and those that grow; of the worker alone. */
  private final Deque<Task> waiting = new ArrayDeque<>();

  private final List<Task> growing = new ArrayList<>();
  private volatile boolean closed;

  GenerationQueue(String name, LanguageModel model, int size) {
    this.model = model;
    this.size = size;
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

    private void fail(Throwable failure) {
      ended = true;
      events.add(new Event(number, null, null, failure));
    }

    @Override
    public boolean isGone() {
      return gone;
    }
  }

  void submit(Task task) {
    queue.add(task);
    if (closed) {
      drain();
    }
  }

  private void work() {
    GenerationBatch batch = model.batch(CACHED_TOKENS);
    try {
      while (!closed) {
        if (growing.isEmpty() && waiting.isEmpty()) {
          waiting.add(queue.take());
        }
        queue.drainTo(waiting);
        try {
          admit(batch);
          batch.step();
        } catch (RuntimeException | Error e) {
          growing.forEach(task -> task.fail(e)); // the state of all of them is unknown
          batch.close();
          batch = model.batch(CACHED_TOKENS);
        }
        growing.removeIf(task -> task.ended || task.gone);
      }
    } catch (InterruptedException e) {
      // by close
    }
    growing.forEach(task -> task.fail(ModelServer.stopping()));
    waiting.forEach(task -> task.fail(ModelServer.stopping()));
    drain();
    batch.close();
  }

  private void admit(GenerationBatch batch) {
    waiting.removeIf(task -> task.gone);
    while (!waiting.isEmpty() && growing.size() < size) {
      Task task = waiting.peek();
      if (!batch.fits(task.ids, task.settings)) {
        return;
      }
      waiting.remove();
      try {
        batch.add(task.ids, task.settings, task);
        growing.add(task);
      } catch (BadInputException e) {
        task.fail(e);
      }
      growing.removeIf(one -> one.ended);
    }
  }

  private void drain() {
    for (Task task = queue.poll(); task != null; task = queue.poll()) {
      task.fail(ModelServer.stopping());
    }
  }

  @Override
  public void close() {
    closed = true;
    worker.interrupt();
    try {
      worker.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    drain();
  }
}
