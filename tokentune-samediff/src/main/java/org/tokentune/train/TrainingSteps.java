package org.tokentune.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.BadInputException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Task;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Graph;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.Dropout;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.BudgetException;
import org.tokentune.plan.OptimizerStep;
import org.tokentune.select.PaddedLength;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/**
 * Training steps: tokens are selected, the plan runs forward and backward, parameters are updated.
 */
final class TrainingSteps implements AutoCloseable {

  /** Tokens on either side of an answer's first and last ones. */
  private static final int NEIGHBOURS = 2;

  private final TransformerModel model;
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final ParameterOptimizer optimizer;
  private final GradientAccumulator sums = new GradientAccumulator();
  private final OptimizerStep optimizerInBackward = new AtOnce();
  private final Map<Boolean, TrainingEngine> engines = new HashMap<>();
  private double rate;

  /** Updates parameters in the course of a run, if its loss is finite. */
  private final class AtOnce implements OptimizerStep {

    @Override
    public boolean begins(Map<String, INDArray> outputs) {
      boolean finite = Double.isFinite(outputs.get(ModelGraph.LOSS).getDouble(0));
      if (finite) {
        optimizer.begin(rate);
      }
      return finite;
    }

    @Override
    public boolean wholeGradients() {
      return optimizer.wholeGradients();
    }

    @Override
    public void update(String name, INDArray parameter, long firstRow, INDArray gradient) {
      optimizer.update(name, parameter, firstRow, gradient);
    }
  }

  TrainingSteps(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings) {
    this.model = model;
    this.parameters = parameters;
    this.trainable = trainable;
    this.selector = selector;
    this.settings = settings;
    optimizer = settings.optimizer().optimizer(model, parameters);
  }

  /**
   * What goes into a run.
   *
   * @param counted labels that the loss counts
   * @param tokens of the texts, padding apart
   */
  private record Batch(Map<String, INDArray> inputs, long counted, long tokens) {}

  /**
   * What a step came to.
   *
   * @param loss mean over all labels; 0 without any
   * @param tokens of the texts, padding apart
   * @param broken batches whose loss or gradients are not finite, so that nothing was updated
   */
  record Result(double loss, long tokens, List<MultiDataSet> broken) {}

  ParameterOptimizer optimizer() {
    return optimizer;
  }

  /**
   * Sees to it that a batch can be planned.
   *
   * @throws BadInputException if the budget is too small for it
   */
  void check(MultiDataSet batch, int number) {
    plan(batch(batch, 0, number, 0, true).inputs());
  }

  /**
   * One step on several batches, as if they were one. Without any label, or where the loss or the
   * norm of the gradients is not finite, nothing is updated.
   *
   * @param epoch from 0
   * @param number of the first batch in the epoch, from 0
   * @param step from 0, over all epochs
   */
  Result step(List<MultiDataSet> together, int epoch, int number, int step, double learningRate) {
    rate = learningRate;
    List<Batch> batches = new ArrayList<>();
    for (int i = 0; i < together.size(); i++) {
      int run = step * settings.accumulation() + i;
      batches.add(batch(together.get(i), epoch, number + i, run, false));
    }
    double counted = batches.stream().mapToLong(Batch::counted).sum();
    long tokens = batches.stream().mapToLong(Batch::tokens).sum();
    sums.clear();
    Map<String, INDArray> gradients = Map.of();
    double loss = 0;
    for (int i = 0; i < batches.size(); i++) {
      Batch batch = batches.get(i);
      if (batch.counted() > 0) {
        double share = batch.counted() / counted;
        sums.weigh(share);
        plan(batch.inputs());
        TrainingEngine.Result result = engineFor(batch.inputs()).run(batch.inputs());
        if (!Double.isFinite(result.loss())) {
          return new Result(result.loss(), tokens, List.of(together.get(i)));
        }
        loss += share * result.loss();
        gradients = settings.accumulation() > 1 ? sums.gradients() : result.gradients();
      }
    }
    if (!updatesAtOnce() && counted > 0) {
      if (clips() && !Double.isFinite(GradientClipping.byGlobalNorm(gradients, settings.clip()))) {
        return new Result(loss, tokens, together);
      }
      optimizer.step(gradients, rate);
    }
    return new Result(loss, tokens, List.of());
  }

  /**
   * @param run number of the run in the whole training, each with its own dropout
   * @param whole whether tokens stay that nothing depends on
   */
  private Batch batch(MultiDataSet batch, int epoch, int number, int run, boolean whole) {
    Map<String, INDArray> inputs = Placeholders.labelled(model.head(), batch);
    INDArray mask = inputs.get(ModelGraph.ATTENTION_MASK);
    int[] lengths = mask.sum(1).toIntVector();
    int[][] labels = labels(inputs.get(ModelGraph.LABELS), (int) mask.size(1));
    TokenSelection selection =
        selector.select(lengths, (int) mask.size(1), labels, settings.seed(), epoch, number);
    if (!selection.all()) {
      TokenSelection read =
          whole || !model.config().causal() ? selection : cut(inputs, lengths, selection);
      if (!read.all()) {
        inputs.put(ModelGraph.SELECTED, Nd4j.createFromArray(read.selected()));
        inputs.put(ModelGraph.FROZEN, Nd4j.createFromArray(read.frozen()));
      }
    }
    if (engineFor(inputs).hasDropout()) {
      inputs.put(Graph.DROPOUT_SEED, Dropout.seed(settings.seed(), run));
    }
    boolean eachText = labels == null || model.head().task() == Task.QUESTION_ANSWERING;
    long counted = eachText ? lengths.length : selection.labelled(labels);
    return new Batch(inputs, counted, Arrays.stream(lengths).sum());
  }

  /**
   * Cuts a causal model's batch after the last selected token and the next, its label. Where the
   * selected tokens are the first ones of each text, that is ordinary fine-tuning of what is left,
   * and nothing is frozen: the token after them has no label of its own.
   */
  private static TokenSelection cut(
      Map<String, INDArray> inputs, int[] lengths, TokenSelection selection) {
    int longest = (int) inputs.get(ModelGraph.INPUT_IDS).size(1);
    int end = Math.min(selection.end() + 1, longest);
    boolean first = selection.end() == selection.k();
    // Texts of one length have few spans, so that few lengths come of them.
    boolean full = Arrays.stream(lengths).allMatch(length -> length == longest);
    int length = first || full ? end : PaddedLength.of(end, longest);
    inputs.replaceAll(
        (name, rows) -> rows.get(NDArrayIndex.all(), NDArrayIndex.interval(0, length)).dup());
    return selection.within(first ? selection.k() : length);
  }

  /** What each token has to predict; null where a text has one label. */
  private int[][] labels(INDArray labels, int length) {
    if (!model.head().perToken()) {
      return null;
    }
    int[][] own = rows(labels);
    return switch (model.head().task()) {
      case CAUSAL_LM -> next(own);
      case QUESTION_ANSWERING -> aroundEnds(own, length);
      default -> own;
    };
  }

  /** An INT32 matrix, read at once: ND4J's own way takes 0.2 milliseconds for 1,024 numbers. */
  private static int[][] rows(INDArray matrix) {
    int[] all = matrix.reshape(-1).toIntVector();
    int width = (int) matrix.size(1);
    int[][] rows = new int[(int) matrix.size(0)][];
    Arrays.setAll(rows, row -> Arrays.copyOfRange(all, row * width, (row + 1) * width));
    return rows;
  }

  /** The first and last token of every answer, and their neighbours, are always selected. */
  private static int[][] aroundEnds(int[][] spans, int length) {
    int[][] labels = new int[spans.length][length];
    for (int row = 0; row < spans.length; row++) {
      Arrays.fill(labels[row], TokenSelector.NO_LABEL);
      for (int end : spans[row]) {
        int from = Math.max(0, end - NEIGHBOURS);
        int to = Math.min(length, end + NEIGHBOURS + 1);
        Arrays.fill(labels[row], from, to, TokenSelector.FORCED);
      }
    }
    return labels;
  }

  /** The labels of the next tokens; a text's last token has none. */
  private static int[][] next(int[][] labels) {
    int[][] next = new int[labels.length][];
    for (int row = 0; row < next.length; row++) {
      int length = labels[row].length;
      next[row] = new int[length];
      System.arraycopy(labels[row], 1, next[row], 0, length - 1);
      next[row][length - 1] = TokenSelector.NO_LABEL;
    }
    return next;
  }

  private void plan(Map<String, INDArray> inputs) {
    try {
      engineFor(inputs).plan(inputs);
    } catch (BudgetException e) {
      throw tooSmall(e, inputs.get(ModelGraph.INPUT_IDS).shape());
    }
  }

  private BadInputException tooSmall(BudgetException cause, long[] shape) {
    int k = mostTokens(shape[0], shape[1]);
    return new BadInputException(
        cause,
        "A step on %d texts of %d tokens takes at least %.1f MB, whatever is recomputed, and the"
            + " budget is %.1f MB; give more memory, %s.",
        shape[0],
        shape[1],
        cause.least() / 1e6,
        settings.memory().budget() / 1e6,
        k > 0
            ? String.format(Locale.ROOT, "at most %d tokens (--tokens %d) or smaller batches", k, k)
            : "smaller batches or shorter texts");
  }

  /** Most selected tokens of each text with which a step is within the budget; 0 if none. */
  private int mostTokens(long batch, long length) {
    int fits = 0;
    int tooMany = (int) length;
    while (tooMany - fits > 1) {
      int k = (fits + tooMany) / 2;
      try {
        engine(true).plan(Placeholders.shapeOnly(model.head(), batch, length, k));
        fits = k;
      } catch (BudgetException e) {
        tooMany = k;
      }
    }
    return fits;
  }

  private TrainingEngine engineFor(Map<String, INDArray> inputs) {
    return engine(inputs.containsKey(ModelGraph.SELECTED));
  }

  private TrainingEngine engine(boolean split) {
    TrainingEngine engine = engines.get(split);
    if (engine == null) {
      engine = newEngine(split);
      engines.values().stream().findFirst().ifPresent(engine::shareArena);
      engines.put(split, engine);
    }
    return engine;
  }

  private TrainingEngine newEngine(boolean split) {
    ModelGraph graph =
        model.build(
            parameters,
            GraphOptions.training(split, trainable).withKernelMode(KernelMode.preferred()));
    OptimizerStep optimizerStep =
        settings.accumulation() > 1 ? sums : updatesAtOnce() ? optimizerInBackward : null;
    return new TrainingEngine(graph, List.of(), settings.memory(), optimizerStep);
  }

  private boolean clips() {
    return Double.isFinite(settings.clip());
  }

  private boolean updatesAtOnce() {
    return settings.accumulation() == 1 && !clips();
  }

  /** Memory of the largest step so far; null before the first. */
  StepMemoryReport memory() {
    return engines.values().stream()
        .flatMap(engine -> engine.memory(parameters, optimizer).stream())
        .max(Comparator.comparingLong(StepMemoryReport::total))
        .map(report -> settings.accumulation() > 1 ? report.withGradientSums() : report)
        .orElse(null);
  }

  /** Bytes of the steps' arena, as allocated. */
  long arenaBytes() {
    return engines.values().stream().mapToLong(TrainingEngine::arenaBytes).findFirst().orElse(0);
  }

  @Override
  public void close() {
    engines.values().forEach(TrainingEngine::close);
    engines.clear();
  }
}
