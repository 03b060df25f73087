package org.tokentune.generate;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntConsumer;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;

/**
 * Continues texts side by side, each of which may begin while others are under way, and leaves when
 * it ends (continuous batching: Yu et al., "Orca", 2022). With the same settings a text gets the
 * tokens that it gets alone, up to the rounding of floats. Not thread-safe.
 */
public final class ContinuousGenerator implements AutoCloseable {

  private final TransformerModel model;
  private final CachedDecoder decoder;
  private final List<Text> texts = new ArrayList<>();

  /** Rows of the key/value cache that belong to a text. */
  private final BitSet taken = new BitSet();

  private final int rows;

  /**
   * Generates with the arrays of {@code parameters} directly.
   *
   * @param tokens of all texts together whose keys and values are held; a longer text is refused
   * @throws BadInputException if the model is not a causal language model
   */
  public ContinuousGenerator(TransformerModel model, Parameters parameters, int tokens) {
    required(model, "model");
    required(parameters, "parameters");
    if (tokens < 1) {
      throw BadSettingsException.of("tokens", "must be at least 1, got %d.", tokens);
    }
    Generator.checkCausal(model);
    this.model = model;
    rows = tokens;
    decoder = new CachedDecoder(model, parameters, KernelMode.preferred());
  }

  /** Generates with the decoder of another generator, which closes it. */
  ContinuousGenerator(TransformerModel model, CachedDecoder decoder, int tokens) {
    this.model = model;
    this.decoder = decoder;
    rows = tokens;
  }

  /** A text that grows. */
  public final class Text {

    private final Continuation continuation;
    private final int[] cached;
    private final IntConsumer listener;
    private RuntimeException failure;

    private Text(Continuation continuation, int[] cached, IntConsumer listener) {
      this.continuation = continuation;
      this.cached = cached;
      this.listener = listener;
    }

    /** Whether no more tokens come. */
    public boolean ended() {
      return failure != null || continuation.ended();
    }

    /** Why the text could not be continued; null if nothing went wrong. */
    public RuntimeException failure() {
      return failure;
    }

    /** The new tokens so far; of a text that has not ended or failed, the end is null. */
    public Generation result() {
      return continuation.result();
    }

    Generation resultOrFailure() {
      if (failure != null) {
        throw failure;
      }
      return result();
    }

    /** What is wrong with one text, such as its logits, does not concern others. */
    private void addOrFail(float[] logits) {
      try {
        add(logits);
      } catch (RuntimeException e) {
        failure = e;
        leave();
      }
    }

    /** Takes the text out of those that grow, and frees its rows. */
    public void leave() {
      if (texts.remove(this)) {
        for (int row : cached) {
          taken.clear(row);
        }
      }
    }

    private void add(float[] logits) {
      if (continuation.add(logits)) {
        listener.accept(continuation.last());
      }
      if (continuation.ended()) {
        leave();
      }
    }
  }

  /** Whether there is room for a text now. */
  public boolean fits(int[] prompt, GenerationSettings settings) {
    required(prompt, "prompt");
    required(settings, "settings");

    return length(prompt, settings) <= rows - taken.cardinality();
  }

  private int length(int[] prompt, GenerationSettings settings) {
    return prompt.length + Continuation.mostTokens(prompt, settings, model.config().maxPositions());
  }

  /**
   * Begins a text: computes its prompt and samples its first token.
   *
   * @param prompt its tokens, at least one
   * @param stop ends the text, as the settings' texts do that need a tokenizer
   * @param listener receives every new token as soon as it is sampled
   * @throws BadInputException as {@link Generator#generate(int[], GenerationSettings,
   *     IntConsumer)}, for beam search, and if there is no room for the text
   */
  public Text add(
      int[] prompt, GenerationSettings settings, StopCondition stop, IntConsumer listener) {
    required(stop, "stop");
    required(listener, "listener");
    boolean fits = fits(prompt, settings);
    Generator.check(prompt, model.config());
    Generator.checkStops(settings, stop);
    if (settings.search().beams() > 1) {
      throw BadSettingsException.of("search", "must have one beam here; use a Generator.");
    }
    int length = length(prompt, settings);
    if (length > rows) {
      throw BadSettingsException.of(
          "prompt",
          "and its continuation take %d tokens, more than the %d that are held; ask for fewer.",
          length,
          rows);
    }
    if (!fits) {
      throw BadSettingsException.of(
          "prompt",
          "and its continuation take %d tokens, and %d are left; wait until other texts have ended.",
          length,
          rows - taken.cardinality());
    }
    decoder.beginBatch(rows); // which keeps a cache that is large enough
    Text text =
        new Text(
            new Continuation(prompt, settings, stop, model.config().maxPositions()),
            free(length),
            listener);
    texts.add(text);
    boolean complete = false;
    try {
      text.add(decoder.next(prompt, 0, text.cached));
      complete = true;
    } finally {
      if (!complete) {
        text.leave();
      }
    }
    return text;
  }

  /** Takes rows that no text has. */
  private int[] free(int count) {
    int[] free = new int[count];
    int row = -1;
    for (int i = 0; i < count; i++) {
      row = taken.nextClearBit(row + 1);
      free[i] = row;
      taken.set(row);
    }
    return free;
  }

  /**
   * Samples a token for each text that has not ended. If that fails for one, it ends with the
   * {@link Text#failure}, and others go on.
   */
  public void step() {
    List<Text> growing = List.copyOf(texts);
    if (growing.isEmpty()) {
      return;
    }
    float[][] logits =
        decoder.next(
            growing.stream().mapToInt(text -> text.continuation.last()).toArray(),
            growing.stream().mapToInt(text -> text.continuation.position()).toArray(),
            growing.stream().map(text -> text.cached).toArray(int[][]::new));
    for (int i = 0; i < logits.length; i++) {
      growing.get(i).addOrFail(logits[i]);
    }
  }

  @Override
  public void close() {
    decoder.close();
  }
}
