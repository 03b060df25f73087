package org.tokentune.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.tokentune.generate.Generation;
import org.tokentune.generate.GenerationSettings;

/**
 * The texts of one request.
 *
 * @param prompts tokens to continue, at least one prompt
 * @param settings of each
 */
record TextGeneration(
    ServedGenerator model, List<int[]> prompts, List<GenerationSettings> settings) {

  /**
   * @throws ApiException if a text is too long
   */
  static TextGeneration of(ServedGenerator model, List<int[]> prompts, Sampling sampling) {
    return new TextGeneration(
        model, prompts, prompts.stream().map(prompt -> sampling.of(prompt, model)).toList());
  }

  /**
   * Generates the texts, and hands over what happens until all have ended.
   *
   * @throws ApiException if it takes too long, or the client goes away
   */
  void run(Call call, Consumer<GenerationQueue.Event> listener) throws InterruptedException {
    LinkedBlockingQueue<GenerationQueue.Event> events = new LinkedBlockingQueue<>();
    List<GenerationQueue.Task> tasks = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      tasks.add(new GenerationQueue.Task(i, prompts.get(i), settings.get(i), events));
    }
    try {
      tasks.forEach(model.queue()::submit);
      for (int left = tasks.size(); left > 0; ) {
        long nanos = Math.max(0, Math.min(call.deadline().left(), Call.LOOK_NANOS));
        GenerationQueue.Event event = events.poll(nanos, TimeUnit.NANOSECONDS);
        if (call.client().isGone()) {
          throw ApiException.gone();
        }
        if (event == null || event.generation() == null) {
          if (call.deadline().left() <= 0) {
            throw call.deadline().passed();
          }
        }
        if (event != null && event.failure() != null) {
          throw Call.rethrown(event.failure());
        }
        if (event != null) {
          listener.accept(event);
          left -= event.generation() == null ? 0 : 1;
        }
      }
    } finally {
      tasks.forEach(GenerationQueue.Task::leave);
    }
  }

  /** OpenAI's word for why a text ended. */
  static String finishReason(Generation generation) {
    return switch (generation.end()) {
      case END_TOKEN, STOP -> "stop";
      case MAX_TOKENS, CONTEXT -> "length";
    };
  }

  int promptTokens() {
    return prompts.stream().mapToInt(prompt -> prompt.length).sum();
  }

  /** The numbers of tokens of an answer. */
  ObjectNode usage(Generation... generations) {
    int prompt = promptTokens();
    int completion = Arrays.stream(generations).mapToInt(each -> each.ids().length).sum();
    return Answers.object()
        .put("prompt_tokens", prompt)
        .put("completion_tokens", completion)
        .put("total_tokens", prompt + completion);
  }
}
