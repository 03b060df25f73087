package org.tokentune.bench;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.internal.Plan;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.ParameterOptimizer;
import org.tokentune.train.StepInputs;
import org.tokentune.train.StepMemoryPlanner;
import org.tokentune.train.TrainingEngine;

/**
 * Measures a training step of a model with random weights on random ids: float32, plain gradient
 * descent, optimizer in backward. Encoders' embeddings are frozen; decoders train all parameters.
 */
public final class StepBenchmark implements AutoCloseable {

  /** Floating-point operations of {@link #plainMatmul}. */
  public static final double PLAIN_FLOPS = 2.0 * 1024 * 384 * 1536;

  private static final OptimizerSettings SGD =
      new OptimizerSettings(OptimizerSettings.Kind.SGD, 0, 0, 1, Map.of());

  private final Map<String, INDArray> inputs;
  private final ParameterOptimizer optimizer;
  private final TrainingEngine engine;
  private final long before;
  private final long used;

  /**
   * Runs one step.
   *
   * @param model without dropout
   * @param weights the model's weights
   * @param tokens selected tokens, e.g. {@code 30%}
   */
  public StepBenchmark(
      TransformerModel model,
      Parameters weights,
      int batch,
      int length,
      String tokens,
      ActivationCheckpointing checkpointing) {
    int[] lengths = new int[batch];
    Arrays.fill(lengths, length);
    TokenSelection selection = selector(model, tokens).select(lengths, length, null, 1, 0, 0);
    inputs = inputs(model, batch, length, selection);
    ModelGraph graph =
        model.build(
            weights,
            GraphOptions.training(!selection.all(), trained(model))
                .withKernelMode(KernelMode.preferred()));
    optimizer = SGD.optimizer(model, weights);
    before = settledBytes(); // what the graph's making left behind is freed later
    engine = new TrainingEngine(graph, checkpointing, optimizer);
    step();
    used = liveBytes() - before;
  }

  /**
   * Planned bytes of the same step without its weights, by level of activation checkpointing;
   * nothing runs. All levels are planned on one gradient graph, which takes longest to build.
   */
  public static Map<ActivationCheckpointing, Long> plan(
      TransformerModel model, int batch, int length, String tokens) {
    int k = StepMemoryPlanner.selected(model, selector(model, tokens), length);
    Parameters weights = Parameters.shapeOnly(model.parameters());
    GraphOptions options = GraphOptions.training(k < length, trained(model));
    ModelGraph graph = model.build(weights, options.withKernelMode(KernelMode.preferred()));
    Map<String, INDArray> inputs = StepInputs.shapeOnly(model.head(), batch, length, k);
    Map<ActivationCheckpointing, Long> plans = new EnumMap<>(ActivationCheckpointing.class);
    try (TrainingEngine engine =
        new TrainingEngine(graph, ActivationCheckpointing.NOTHING, SGD.optimizer(model, weights))) {
      for (ActivationCheckpointing level : ActivationCheckpointing.values()) {
        plans.put(level, engine.plan(inputs, level).bytes());
      }
    }
    return plans;
  }

  private static TokenSelector selector(TransformerModel model, String tokens) {
    return RandomTokens.parse(tokens, 1, !model.head().perToken());
  }

  private static Predicate<String> trained(TransformerModel model) {
    return name -> model.config().causal() || !model.isEmbedding(name);
  }

  /** Makes random weights. */
  public static Parameters weights(TransformerModel model) {
    Map<String, INDArray> weights = new LinkedHashMap<>();
    model
        .parameters()
        .forEach((name, shape) -> weights.put(name, Nd4j.randn(DataType.FLOAT, shape).muli(0.02)));
    return new Parameters(weights);
  }

  private static Map<String, INDArray> inputs(
      TransformerModel model, int batch, int length, TokenSelection selection) {
    SplittableRandom random = new SplittableRandom(1);
    int[][] ids = new int[batch][length];
    int[] labels = new int[batch];
    for (int row = 0; row < batch; row++) {
      Arrays.setAll(ids[row], i -> random.nextInt(model.config().vocabulary()));
      labels[row] = random.nextInt(model.head().outputs());
    }
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, Nd4j.createFromArray(ids));
    inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.ones(DataType.INT32, batch, length));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, Nd4j.zeros(DataType.INT32, batch, length));
    inputs.put(ModelGraph.POSITION_IDS, StepInputs.positions(batch, length));
    boolean perToken = model.head().perToken();
    inputs.put(
        ModelGraph.LABELS, perToken ? Nd4j.createFromArray(ids) : Nd4j.createFromArray(labels));
    StepInputs.select(inputs, selection);
    return inputs;
  }

  /** Bytes of all live arrays in this process, as counted by ND4J's allocator. */
  private static long liveBytes() {
    return Nd4j.getEnvironment().getDeviceCouner(0);
  }

  /** Live bytes in this process, excluding arrays that wait for the garbage collector. */
  public static long settledBytes() {
    long live = liveBytes();
    for (int same = 0; same < 3; ) {
      System.gc();
      try {
        Thread.sleep(100); // arrays are freed by another thread
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return live;
      }
      long now = liveBytes();
      same = now == live ? same + 1 : 0;
      live = now;
    }
    return live;
  }

  /** Planned bytes, without the weights. */
  public long planned() {
    return plan().bytes();
  }

  /** Live bytes after a step, without the weights and the batch, as counted by the allocator. */
  public long used() {
    return used;
  }

  /** Floating-point operations of a step's matmuls. */
  public long matmulFlops() {
    return plan().matmulFlops();
  }

  private Plan plan() {
    return engine.plan(inputs);
  }

  /** Runs a step: forward, backward and optimizer; returns nanoseconds. */
  public long step() {
    optimizer.begin(1e-3);
    long start = System.nanoTime();
    engine.run(inputs);
    return System.nanoTime() - start;
  }

  /** Runs only the step's matmuls; returns nanoseconds. */
  public long matmuls() {
    return engine.runMatmuls(inputs);
  }

  /** Runs one matmul [1024, 384] x [384, 1536] into an existing output; returns nanoseconds. */
  public static long plainMatmul() {
    INDArray left = Nd4j.ones(DataType.FLOAT, 1024, 384);
    INDArray right = Nd4j.ones(DataType.FLOAT, 384, 1536);
    INDArray out = Nd4j.create(DataType.FLOAT, 1024, 1536);
    Nd4j.matmul(left, right, out); // the first call allocates memory
    long start = System.nanoTime();
    Nd4j.matmul(left, right, out);
    long time = System.nanoTime() - start;
    left.close();
    right.close();
    out.close();
    return time;
  }

  @Override
  public void close() {
    engine.close();
  }
}
