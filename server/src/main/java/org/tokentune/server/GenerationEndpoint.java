package org.tokentune.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import org.tokentune.generate.Generation;

/** What generated texts have in common: whole or streamed, of prompts or of chats. */
abstract class GenerationEndpoint implements Call.Endpoint {

  private final ServedModels models;
  private final Metrics metrics;

  GenerationEndpoint(ServedModels models, Metrics metrics) {
    this.models = models;
    this.metrics = metrics;
  }

  /** Reads what is to be generated, and all of the request's fields of its own. */
  abstract TextGeneration read(RequestFields fields, ServedGenerator model);

  abstract String path();

  abstract String idPrefix();

  /** The {@code object} of a whole answer, or of an event of a streamed one. */
  abstract String object(boolean stream);

  /** Puts a whole text into a choice. */
  abstract void put(ObjectNode choice, String text);

  /** Puts a piece into the choice of an event; null: the last one has none. */
  abstract void putPiece(ObjectNode choice, String piece);

  /** Whether a stream begins with an event that has no text. */
  abstract boolean hasOpening();

  /** Puts what a stream begins with. */
  abstract void putOpening(ObjectNode choice);

  @Override
  public final void answer(Call call) throws IOException, InterruptedException {
    RequestFields fields = call.fields();
    ServedGenerator model = models.find(fields.text("model"), ServedGenerator.class, path());
    TextGeneration generation = read(fields, model);
    boolean stream = fields.flag("stream");
    boolean usage = Sampling.wantsUsage(fields, stream);
    fields.finish();
    Generation[] ends = new Generation[generation.prompts().size()];
    if (stream) {
      new Streamed(call, generation, usage, ends).run();
    } else {
      whole(call, generation, ends);
    }
    metrics.generated(
        model.name(),
        generation.promptTokens(),
        Arrays.stream(ends).mapToInt(end -> end.ids().length).sum());
  }

  private void whole(Call call, TextGeneration generation, Generation... ends)
      throws IOException, InterruptedException {
    StringBuilder[] texts = new StringBuilder[ends.length];
    Arrays.setAll(texts, i -> new StringBuilder());
    generation.run(
        call,
        event -> {
          if (event.generation() == null) {
            texts[event.text()].append(event.piece());
          } else {
            ends[event.text()] = event.generation();
          }
        });
    ObjectNode answer = head(generation, false);
    ArrayNode choices = answer.putArray("choices");
    for (int i = 0; i < texts.length; i++) {
      ObjectNode choice = choices.addObject().put("index", i);
      put(choice, texts[i].toString());
      choice.putNull("logprobs").put("finish_reason", TextGeneration.finishReason(ends[i]));
    }
    answer.set("usage", generation.usage(ends));
    call.json(answer);
  }

  private ObjectNode head(TextGeneration generation, boolean stream) {
    return Answers.object()
        .put("id", idPrefix() + UUID.randomUUID().toString().replace("-", ""))
        .put("object", object(stream))
        .put("created", Instant.now().getEpochSecond())
        .put("model", generation.model().name());
  }

  /** An answer in pieces. */
  private final class Streamed {

    private final Call call;
    private final TextGeneration generation;
    private final boolean usage;
    private final Generation[] ends;
    private final ObjectNode head;
    private final EventStream events;

    private Streamed(Call call, TextGeneration generation, boolean usage, Generation... ends) {
      this.call = call;
      this.generation = generation;
      this.usage = usage;
      this.ends = ends;
      head = head(generation, true);
      events = new EventStream(call.context());
    }

    private void run() throws InterruptedException {
      try {
        generation.run(call, this::send);
      } catch (RuntimeException | Error e) {
        if (!events.hasBegun() || isGone(e)) {
          throw e;
        }
        events.send(ModelServer.error(e).json()); // the status is out
        throw e;
      }
      if (usage) {
        ObjectNode event = head.deepCopy();
        event.putArray("choices");
        event.set("usage", generation.usage(ends));
        events.send(event);
      }
      events.end();
    }

    private static boolean isGone(Throwable failure) {
      return failure instanceof ApiException api && api.status() == ApiException.GONE;
    }

    private void send(GenerationQueue.Event event) {
      if (!events.hasBegun() && hasOpening()) {
        for (int i = 0; i < ends.length; i++) {
          ObjectNode choice = choice(i);
          putOpening(choice);
          send(choice, null);
        }
      }
      ObjectNode choice = choice(event.text());
      putPiece(choice, event.piece());
      ends[event.text()] = event.generation();
      send(
          choice,
          event.generation() == null ? null : TextGeneration.finishReason(event.generation()));
    }

    private ObjectNode choice(int index) {
      return Answers.object().put("index", index);
    }

    private void send(ObjectNode choice, String finishReason) {
      choice.putNull("logprobs").put("finish_reason", finishReason);
      ObjectNode event = head.deepCopy();
      event.putArray("choices").add(choice);
      if (usage) {
        event.putNull("usage");
      }
      events.send(event);
    }
  }
}
