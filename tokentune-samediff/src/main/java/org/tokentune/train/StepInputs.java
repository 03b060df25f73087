package org.tokentune.train;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.internal.Graph;
import org.tokentune.objectives.LossSettings;
import org.tokentune.ops.ShapeOnlyArray;
import org.tokentune.select.PaddedLength;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/**
 * A batch as the placeholders of a model's graph, with its selected tokens. A batch's features are
 * ids, attention mask and token types, INT32 [batch, length]; for a causal model, in place of token
 * types, where in the row the token's own text begins: 0 unless rows are packed.
 *
 * @param placeholders by name
 * @param weight of the batch in a step: see {@link org.tokentune.objectives.Objective#weight}
 * @param tokens in the texts, without padding
 */
public record StepInputs(Map<String, INDArray> placeholders, double weight, long tokens) {

  /**
   * Makes inputs that take at least as much memory as any batch of this shape; the selected tokens
   * are arbitrary.
   */
  static StepInputs largest(
      TransformerModel model,
      MultiDataSet batch,
      TokenSelector selector,
      TrainingStep.Position position) {
    return Drawn.of(model, batch, selector, position, false).whole(LossSettings.plain());
  }

  /**
   * Makes the inputs of a training step in parts, each with some of the rows: the same selected
   * tokens and padded length as in the whole batch.
   *
   * @param position whose seed, epoch and batch decide which tokens are selected
   * @param parts their number, if there are as many rows
   */
  static List<StepInputs> parts(
      TransformerModel model,
      MultiDataSet batch,
      TokenSelector selector,
      TrainingStep.Position position,
      LossSettings loss,
      int parts) {
    Drawn drawn = Drawn.of(model, batch, selector, position, cuts(model));
    int rows = drawn.lengths().length;
    int number = Math.min(parts, rows);
    return IntStream.range(0, number)
        .mapToObj(i -> drawn.part(i * rows / number, (i + 1) * rows / number, loss))
        .toList();
  }

  private static boolean cuts(TransformerModel model) {
    return model.config().causal() && !model.head().task().readsFrozen();
  }

  /**
   * A batch with its selected tokens.
   *
   * @param inputs placeholders
   * @param targets of the task; null if it has none
   */
  private record Drawn(
      Head head,
      Map<String, INDArray> inputs,
      INDArray labels,
      TokenSelection selection,
      int[][] targets,
      int[] lengths) {

    static Drawn of(
        TransformerModel model,
        MultiDataSet batch,
        TokenSelector selector,
        TrainingStep.Position position,
        boolean cuts) {
      Head head = model.head();
      Map<String, INDArray> inputs = labelled(head, batch);
      INDArray mask = inputs.get(ModelGraph.ATTENTION_MASK);
      int[] lengths = mask.sum(1).toIntVector();
      int longest = (int) mask.size(1);
      int[][] targets =
          head.readsLast()
              ? lastForced(lengths, longest)
              : head.task().targets(inputs.get(ModelGraph.LABELS), longest);
      TokenSelection selection =
          selector.select(
              lengths, longest, targets, position.seed(), position.epoch(), position.batch());
      select(inputs, cuts && !selection.all() ? cut(inputs, lengths, selection) : selection);
      return new Drawn(head, inputs, batch.getLabels(0), selection, targets, lengths);
    }

    StepInputs whole(LossSettings loss) {
      double weight = head.task().weight(labels, selection, targets, loss);
      return new StepInputs(inputs, weight, Arrays.stream(lengths).sum());
    }

    /** The rows from one number to before another. */
    StepInputs part(int from, int to, LossSettings loss) {
      if (to - from == lengths.length) {
        return whole(loss);
      }
      Map<String, INDArray> own = new HashMap<>();
      inputs.forEach((name, all) -> own.put(name, rows(all, from, to)));
      double weight =
          head.task()
              .weight(
                  rows(labels, from, to),
                  new TokenSelection(
                      Arrays.copyOfRange(selection.selected(), from, to),
                      Arrays.copyOfRange(selection.frozen(), from, to)),
                  targets == null ? null : Arrays.copyOfRange(targets, from, to),
                  loss);
      return new StepInputs(own, weight, Arrays.stream(lengths, from, to).sum());
    }

    private static INDArray rows(INDArray all, int from, int to) {
      return all.get(NDArrayIndex.interval(from, to)).dup('c');
    }
  }

  /** Marks the last token of every text, which must be selected. */
  private static int[][] lastForced(int[] lengths, int longest) {
    int[][] targets = new int[lengths.length][longest];
    for (int row = 0; row < lengths.length; row++) {
      targets[row][lengths[row] - 1] = TokenSelector.FORCED;
    }
    return targets;
  }

  /** Adds the positions of the selected and of the frozen tokens, if any are frozen. */
  public static void select(Map<String, INDArray> inputs, TokenSelection selection) {
    if (!selection.all()) {
      inputs.put(ModelGraph.SELECTED, Nd4j.createFromArray(selection.selected()));
      inputs.put(ModelGraph.FROZEN, Nd4j.createFromArray(selection.frozen()));
    }
  }

  /** Whether inputs belong to a graph with a selected and a frozen stream. */
  public static boolean areSplit(Map<String, INDArray> inputs) {
    return inputs.containsKey(ModelGraph.SELECTED);
  }

  /** Makes the inputs of an inference graph. */
  public static Map<String, INDArray> features(MultiDataSet batch) {
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, batch.getFeatures(0));
    inputs.put(ModelGraph.ATTENTION_MASK, batch.getFeatures(1));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, batch.getFeatures(2));
    return inputs;
  }

  /** Makes the inputs of a graph with a loss: the features and the labels. */
  static Map<String, INDArray> labelled(Head head, MultiDataSet batch) {
    Map<String, INDArray> inputs = features(batch);
    if (head.task().isCausal()) {
      inputs.put(ModelGraph.POSITION_IDS, positions(inputs.remove(ModelGraph.TOKEN_TYPE_IDS)));
    }
    inputs.put(ModelGraph.LABELS, batch.getLabels(0));
    return inputs;
  }

  /**
   * Positions within the texts of packed rows.
   *
   * @param starts INT32 [batch, length]: where in the row each token's text begins
   */
  private static INDArray positions(INDArray starts) {
    int[][] positions = starts.toIntMatrix();
    for (int[] row : positions) {
      for (int i = 0; i < row.length; i++) {
        row[i] = i - row[i];
      }
    }
    return Nd4j.createFromArray(positions);
  }

  /** INT32 [batch, length]: 0 to length - 1 in every row. */
  public static INDArray positions(int batch, int length) {
    int[] row = IntStream.range(0, length).toArray();
    return Nd4j.createFromArray(Stream.generate(() -> row).limit(batch).toArray(int[][]::new));
  }

  /**
   * Makes shape-only arrays for all inputs of a training graph, to plan it, not to run it.
   *
   * @param k selected tokens per row; all tokens if it equals the length
   */
  public static Map<String, INDArray> shapeOnly(Head head, long batch, long length, long k) {
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, ShapeOnlyArray.of(DataType.INT32, batch, length));
    inputs.put(ModelGraph.ATTENTION_MASK, ShapeOnlyArray.of(DataType.INT32, batch, length));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, ShapeOnlyArray.of(DataType.INT32, batch, length));
    inputs.put(ModelGraph.POSITION_IDS, ShapeOnlyArray.of(DataType.INT32, batch, length));
    if (k < length) {
      inputs.put(ModelGraph.SELECTED, ShapeOnlyArray.of(DataType.INT32, batch, k));
      inputs.put(ModelGraph.FROZEN, ShapeOnlyArray.of(DataType.INT32, batch, length - k));
    }
    inputs.put(Graph.DROPOUT_SEED, ShapeOnlyArray.of(DataType.INT32));
    inputs.put(
        ModelGraph.LABELS,
        ShapeOnlyArray.of(
            head.task().labelType(), head.task().labelShape(batch, length, head.outputs())));
    return inputs;
  }

  /**
   * Cuts a causal model's batch after the last selected token and the next one, its label. If the
   * selected tokens are the first ones of each text, this is ordinary fine-tuning on the rest, and
   * nothing is frozen: the token after them has no label.
   */
  private static TokenSelection cut(
      Map<String, INDArray> inputs, int[] lengths, TokenSelection selection) {
    int longest = (int) inputs.get(ModelGraph.INPUT_IDS).size(1);
    int end = Math.min(selection.end() + 1, longest);
    boolean first = selection.end() == selection.k();
    // Texts of equal length have few spans, so that there are few lengths.
    boolean full = Arrays.stream(lengths).allMatch(length -> length == longest);
    int length = first || full ? end : PaddedLength.of(end, longest);
    inputs.replaceAll(
        (name, rows) -> rows.get(NDArrayIndex.all(), NDArrayIndex.interval(0, length)).dup());
    return selection.within(first ? selection.k() : length);
  }
}
