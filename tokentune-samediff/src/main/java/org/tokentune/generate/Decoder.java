package org.tokentune.generate;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.KeyValueCache;
import org.tokentune.nn.internal.NonFinite;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;

/**
 * Computes next-token logits incrementally: the text is cached, so every token is computed once.
 *
 * <p>Steps take 1, 2, 4, ... tokens and attend to a power of two of cached ones, so that a few
 * plans serve all texts.
 */
public final class Decoder implements AutoCloseable {

  /**
   * Most tokens per step: bounds the memory for attention scores, tokens times cached tokens per
   * head.
   */
  private static final int MAX_STEP_TOKENS = 256;

  /** Fewest cached tokens to attend to: a separate plan for fewer would not pay off. */
  private static final int MIN_CACHED_TOKENS = 64;

  private final TransformerModel model;
  private final Parameters parameters;
  private final KernelMode kernelMode;
  private SameDiff graph;
  private PlanEngine engine;
  private int capacity;
  private boolean closed;

  /** Reads the arrays of {@code parameters} directly, so later changes to them take effect. */
  public Decoder(TransformerModel model, Parameters parameters, KernelMode kernelMode) {
    required(model, "model");
    required(parameters, "parameters");
    required(kernelMode, "kernelMode");

    this.model = model;
    this.parameters = parameters;
    this.kernelMode = kernelMode;
  }

  /** Discards the cached text and makes room for a new one of at most this many tokens. */
  public void begin(int tokens) {
    if (closed) {
      throw new BadInputException("The decoder is closed; make a new one.");
    }
    if (tokens < 1) {
      throw BadSettingsException.of("tokens", "must be at least 1, got %d.", tokens);
    }
    if (tokens <= capacity) {
      return; // rows of an earlier text are masked until the new one overwrites them
    }
    clear();
    capacity =
        Math.min(model.config().maxPositions(), roundedUp(Math.max(MIN_CACHED_TOKENS, tokens)));
    graph =
        model.build(parameters, GraphOptions.decoding(capacity).withKernelMode(kernelMode)).sd();
    engine = new PlanEngine(graph, PlanOptions.forward(List.of(ModelGraph.LOGITS)));
  }

  /**
   * Appends tokens to the text.
   *
   * @param tokens one or more
   * @param position position of the first one
   * @return logits for the token after the last, one per vocabulary entry
   */
  public float[] next(int[] tokens, int position) {
    required(tokens, "tokens");

    if (engine == null) {
      throw new BadInputException(
          closed
              ? "The decoder is closed; make a new one."
              : "The decoder has no text; begin one first.");
    }
    if (tokens.length == 0) {
      throw BadSettingsException.of("tokens", "must be at least one, got none.");
    }
    if (position < 0 || position + tokens.length > capacity) {
      throw BadSettingsException.of(
          "position",
          "must leave %d tokens within the %d of the text, got %d; begin a longer text.",
          tokens.length,
          capacity,
          position);
    }
    for (int id : tokens) {
      if (id < 0 || id >= model.config().vocabulary()) {
        throw BadSettingsException.of(
            "tokens", "must be 0 to %d, got %d.", model.config().vocabulary() - 1, id);
      }
    }
    INDArray logits = null;
    int done = 0;
    while (done < tokens.length) {
      int count = Math.min(MAX_STEP_TOKENS, Integer.highestOneBit(tokens.length - done));
      logits = step(Arrays.copyOfRange(tokens, done, done + count), position + done);
      done += count;
    }
    float[] numbers = logits.reshape(-1).castTo(DataType.FLOAT).toFloatVector();
    if (!NonFinite.isFinite(numbers)) {
      throw NonFinite.error(
          parameters, "the token after position " + (position + tokens.length - 1));
    }
    return numbers;
  }

  private INDArray step(int[] tokens, int position) {
    int[] positions = new int[tokens.length];
    Arrays.setAll(positions, i -> position + i);
    int length = position + tokens.length;
    int rows = Math.min(capacity, roundedUp(Math.max(MIN_CACHED_TOKENS, length)));
    int[] mask = new int[rows];
    Arrays.fill(mask, 0, length, 1);
    try (INDArray ids = row(tokens);
        INDArray positionIds = row(positions);
        INDArray attentionMask = row(mask)) {
      return engine
          .run(
              Map.of(
                  ModelGraph.INPUT_IDS, ids,
                  ModelGraph.POSITION_IDS, positionIds,
                  ModelGraph.ATTENTION_MASK, attentionMask))
          .outputs()
          .get(ModelGraph.LOGITS);
    }
  }

  private static INDArray row(int[] values) {
    return Nd4j.createFromArray(new int[][] {values});
  }

  /** Rounds up to a power of two. */
  private static int roundedUp(int number) {
    return number <= 1 ? 1 : Integer.highestOneBit(number - 1) << 1;
  }

  @Override
  public void close() {
    closed = true;
    clear();
  }

  private void clear() {
    if (engine != null) {
      engine.close();
      KeyValueCache.arrays(graph).forEach(INDArray::close);
      engine = null;
      capacity = 0;
    }
  }
}
