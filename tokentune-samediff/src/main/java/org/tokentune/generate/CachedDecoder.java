package org.tokentune.generate;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.HashMap;
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
 * <p>Steps take 1, 2, 4, ... 512 tokens and attend to a power of two of cached ones, so that a few
 * plans serve all texts.
 */
public final class CachedDecoder implements AutoCloseable {

  /**
   * Most tokens per step: bounds the memory for attention scores, tokens times cached tokens per
   * head.
   */
  private static final int MAX_STEP_TOKENS = 512;

  /** Fewest cached tokens to attend to: a separate plan for fewer would not pay off. */
  private static final int MIN_CACHED_TOKENS = 64;

  private final TransformerModel model;
  private final Parameters parameters;
  private final KernelMode kernelMode;
  private SameDiff graph;
  private PlanEngine engine;
  private int capacity;
  private boolean batched;
  private boolean closed;

  /** Reads the arrays of {@code parameters} directly, so later changes to them take effect. */
  public CachedDecoder(TransformerModel model, Parameters parameters, KernelMode kernelMode) {
    required(model, "model");
    required(parameters, "parameters");
    required(kernelMode, "kernelMode");

    this.model = model;
    this.parameters = parameters;
    this.kernelMode = kernelMode;
  }

  /** Discards the cached text and makes room for a new one of at most this many tokens. */
  public void begin(int tokens) {
    if (tokens < 1) {
      throw BadSettingsException.of("tokens", "must be at least 1, got %d.", tokens);
    }
    begin(Math.min(model.config().maxPositions(), roundedUp(tokens)), false);
  }

  /**
   * Discards the cached texts and makes room for several, each of which names its rows.
   *
   * @param rows of the cache
   */
  void beginBatch(int rows) {
    begin(roundedUp(rows), true);
  }

  private void begin(int rows, boolean several) {
    if (closed) {
      throw new BadInputException("The decoder is closed; make a new one.");
    }
    if (rows <= capacity && batched == several) {
      return; // rows of an earlier text are masked until the new one overwrites them
    }
    clear();
    capacity = rows;
    batched = several;
    GraphOptions options =
        several ? GraphOptions.batchDecoding(capacity) : GraphOptions.decoding(capacity);
    graph = model.build(parameters, options.withKernelMode(kernelMode)).sd();
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
    return next(tokens, position, null);
  }

  /**
   * Appends tokens to one of several texts.
   *
   * @param rows the cache's row of each of the text's positions, at least up to the last token's;
   *     null after {@link #begin}
   */
  float[] next(int[] tokens, int position, int[] rows) {
    float[][] logits = null;
    int done = 0;
    while (done < tokens.length) {
      int count = stepTokens(done, tokens.length - done);
      int from = Math.min(done, tokens.length - count);
      logits =
          step(
              new int[][] {Arrays.copyOfRange(tokens, from, from + count)},
              new int[] {position + from},
              new int[][] {rows});
      done = from + count;
    }
    return logits[0];
  }

  /**
   * Tokens of the next step, a power of two. The last step may begin with tokens that are done: to
   * compute some of them again takes less time than further steps.
   */
  private static int stepTokens(int done, int rest) {
    int fitting = Math.min(MAX_STEP_TOKENS, Integer.highestOneBit(rest));
    return fitting < rest && 2 * fitting <= Math.min(MAX_STEP_TOKENS, done + rest)
        ? 2 * fitting
        : fitting;
  }

  /**
   * Appends a token to each of several texts.
   *
   * @param positions of the tokens
   * @param rows as in {@link #next(int[], int, int[])}
   * @return logits for the tokens after them, text by text
   */
  float[][] next(int[] tokens, int[] positions, int[][] rows) {
    int[][] steps = new int[tokens.length][];
    Arrays.setAll(steps, i -> new int[] {tokens[i]});
    return step(steps, positions, rows);
  }

  private float[][] step(int[][] tokens, int[] first, int[][] rows) {
    int count = tokens[0].length;
    int length = Arrays.stream(first).max().orElseThrow() + count;
    int columns = roundedUp(length);
    if (!batched) {
      columns = Math.min(capacity, columns);
    }
    int[][] positions = new int[first.length][count];
    int[][] mask = new int[first.length][columns];
    int[][] cacheRows = new int[first.length][columns];
    for (int i = 0; i < first.length; i++) {
      int from = first[i];
      Arrays.setAll(positions[i], j -> from + j);
      Arrays.fill(mask[i], 0, from + count, 1);
      if (batched) {
        System.arraycopy(rows[i], 0, cacheRows[i], 0, from + count);
      }
    }
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, Nd4j.createFromArray(tokens));
    inputs.put(ModelGraph.POSITION_IDS, Nd4j.createFromArray(positions));
    inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.createFromArray(mask));
    if (batched) {
      inputs.put(ModelGraph.CACHE_ROWS, Nd4j.createFromArray(cacheRows));
    }
    try {
      INDArray logits = engine.run(inputs).outputs().get(ModelGraph.LOGITS);
      float[][] numbers = logits.reshape(first.length, -1).castTo(DataType.FLOAT).toFloatMatrix();
      for (int i = 0; i < first.length; i++) {
        if (!NonFinite.isFinite(numbers[i])) {
          throw NonFinite.error(parameters, "the token after position " + (first[i] + count - 1));
        }
      }
      return numbers;
    } finally {
      inputs.values().forEach(INDArray::close);
    }
  }

  /** Rounds up to a power of two, and to the fewest cached tokens. */
  private static int roundedUp(int number) {
    return number <= MIN_CACHED_TOKENS ? MIN_CACHED_TOKENS : Integer.highestOneBit(number - 1) << 1;
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
