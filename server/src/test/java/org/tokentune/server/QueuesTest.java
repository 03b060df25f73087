package org.tokentune.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadDataException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.text.LanguageModel;

/** What goes wrong with one request, or with all, is told to whoever waits. */
@Timeout(60)
class QueuesTest {

  private static final GenerationSettings GREEDY = GenerationSettings.greedy(5, Set.of());

  @TempDir private Path folder;

  @Test
  void aBatchIsRunAgainWithoutTheRequestAtFault() throws Exception {
    CountDownLatch sent = new CountDownLatch(1);
    List<List<String>> batches = new CopyOnWriteArrayList<>();
    try (BatchQueue<String, Integer> queue =
        new BatchQueue<>(
            "test",
            texts -> {
              batches.add(texts);
              if (texts.contains("first")) {
                awaitUnchecked(sent);
              }
              if (texts.contains("bad")) {
                throw new BadDataException("bad");
              }
              return texts.stream().map(String::length).toList();
            },
            2,
            0,
            size -> {})) {
      CompletableFuture<List<Integer>> first = queue.submit(List.of("first", "second"));
      CompletableFuture<List<Integer>> good = queue.submit(List.of("good"));
      CompletableFuture<List<Integer>> bad = queue.submit(List.of("bad"));
      sent.countDown();
      assertEquals(List.of(5, 6), first.get());
      assertEquals(List.of(4), good.get());
      assertInstanceOf(
          BadDataException.class, assertThrows(ExecutionException.class, bad::get).getCause());
    }
    assertEquals(
        List.of(
            List.of("first", "second"), List.of("good", "bad"), List.of("good"), List.of("bad")),
        batches);
    System.out.println("batches: " + batches);
  }

  private static void awaitUnchecked(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aQueueThatFailsForGoodSaysSo() {
    try (BatchQueue<String, String> queue =
        new BatchQueue<>(
            "test",
            texts -> texts.equals(List.of("lost")) ? List.of() : texts,
            2,
            0,
            size -> {
              if (size == 2) {
                throw new IllegalStateException("in a test");
              }
            })) {
      CompletableFuture<List<String>> lost = queue.submit(List.of("lost"));
      assertInstanceOf(
          IllegalStateException.class,
          assertThrows(ExecutionException.class, lost::get).getCause());
      assertTrue(queue.works());
      CompletableFuture<List<String>> two = queue.submit(List.of("a", "b"));
      assertEquals(
          "in a test", assertThrows(ExecutionException.class, two::get).getCause().getMessage());
      CompletableFuture<List<String>> next = queue.submit(List.of("c"));
      ApiException failure =
          assertInstanceOf(
              ApiException.class, assertThrows(ExecutionException.class, next::get).getCause());
      assertEquals(503, failure.status());
      assertFalse(queue.works());
      System.out.println(failure.getMessage());
    }
  }

  private static GenerationQueue.Event last(LinkedBlockingQueue<GenerationQueue.Event> events)
      throws InterruptedException {
    GenerationQueue.Event event = events.poll(30, TimeUnit.SECONDS);
    while (event != null && event.piece() != null) {
      event = events.poll(30, TimeUnit.SECONDS);
    }
    assertNotNull(event, "nobody was told");
    return event;
  }

  /** Fails as soon as it is told of something. */
  private static final class Full extends LinkedBlockingQueue<GenerationQueue.Event> {

    private boolean failed;

    @Override
    public boolean add(GenerationQueue.Event event) {
      if (!failed) {
        failed = true;
        throw new OutOfMemoryError("in a test");
      }
      return super.add(event);
    }
  }

  @Test
  void aTextThatCannotBeginIsToldWhy() throws Exception {
    try (ModelFiles files = ModelFolder.open(SmallModels.decoder(folder));
        LanguageModel model = LanguageModel.open(files, null);
        GenerationQueue queue = new GenerationQueue("test", model, 4, 60)) {
      int[] prompt = model.promptIds("the cat");
      Full full = new Full();
      queue.submit(new GenerationQueue.Task(0, prompt, GREEDY, full));
      assertInstanceOf(OutOfMemoryError.class, last(full).failure());
      LinkedBlockingQueue<GenerationQueue.Event> events = new LinkedBlockingQueue<>();
      queue.submit(
          new GenerationQueue.Task(
              0, prompt, GREEDY.withMaxTokens(30).withStops(List.of()), events));
      assertEquals(30, last(events).generation().ids().length);
      queue.submit(new GenerationQueue.Task(0, new int[39], GREEDY, events));
      assertEquals(1, last(events).generation().ids().length);
      queue.submit(new GenerationQueue.Task(0, new int[50], GREEDY, events));
      assertInstanceOf(BadDataException.class, last(events).failure());
      assertTrue(queue.works());
      System.out.println("a text had no memory, and the next were generated");
    }
  }

  @Test
  void aWorkerIsWaitedForDespiteAnInterrupt() {
    Thread worker =
        new Thread(() -> LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200)), "worker");
    worker.start();
    Thread.currentThread().interrupt();
    Workers.join(worker);
    assertFalse(worker.isAlive());
    assertTrue(Thread.interrupted());
    System.out.println("the worker has ended, and the interrupt was kept");
  }

  @Test
  void aModelThatFailsForGoodSaysSo() throws Exception {
    try (ModelFiles files = ModelFolder.open(SmallModels.decoder(folder))) {
      LanguageModel model = LanguageModel.open(files, null);
      int[] prompt = model.promptIds("the cat");
      model.close();
      try (GenerationQueue queue = new GenerationQueue("test", model, 4, 60)) {
        LinkedBlockingQueue<GenerationQueue.Event> events = new LinkedBlockingQueue<>();
        queue.submit(new GenerationQueue.Task(0, prompt, GREEDY, events));
        ApiException failure = assertInstanceOf(ApiException.class, last(events).failure());
        assertEquals(503, failure.status());
        assertFalse(queue.works());
        System.out.println(failure.getMessage());
      }
    }
  }
}
