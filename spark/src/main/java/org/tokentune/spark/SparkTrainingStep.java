package org.tokentune.spark;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.spark.api.java.JavaSparkContext;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.adapters.LoraModel;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.ArrayBytes;
import org.tokentune.train.BatchGradients;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.ParameterOptimizer;
import org.tokentune.train.StepBatches;
import org.tokentune.train.StepInputs;
import org.tokentune.train.StepMemoryReport;
import org.tokentune.train.TrainingStep;

/**
 * Training steps on Spark: a job each, which takes the values of what trains and returns the sums
 * of the tasks' gradients; or a job for several steps, which returns what the tasks have made of
 * the values.
 */
final class SparkTrainingStep implements TrainingStep {

  private static final String SPECULATION = "spark.speculation";

  /** Nanoseconds of a job that makes several steps: so long is nothing heard of them. */
  private static final long STRETCH = 10_000_000_000L;

  /** So many times what a job takes beside its steps, these take at least. */
  private static final int BESIDE = 9;

  /** Most steps of such a job. */
  private static final int LONGEST = 256;

  private static final String SERIALIZER = "spark.serializer";
  private static final String EXECUTOR = "spark.executor.memory";
  private static final String MAX_RESULT = "spark.driver.maxResultSize";

  private final SparkSteps.Options options;
  private final TransformerModel model;
  private final Parameters parameters;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final ParameterOptimizer optimizer;
  private final List<String> trained;
  private final GradientPrecision precision;
  private final SparkJobs jobs;

  /** Steps of the next job that makes several; the first one also plans, and says how long. */
  private int stretch = 4;

  /** Adds up what the tasks return, and plans; it runs nothing. */
  private final BatchGradients sums;

  SparkTrainingStep(
      SparkSteps steps,
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings) {
    this.model = model;
    this.parameters = parameters;
    this.selector = selector;
    this.settings = settings;
    options = steps.options();
    precision = options.precision();
    settings.loss().check(model.head().task(), model.head().outputs());
    trained = parameters.asMap().keySet().stream().filter(trainable).toList();
    optimizer = settings.optimizer().optimizer(model, parameters);
    check(steps.context());
    ModelCopy copy =
        ModelCopy.of(
            UUID.randomUUID().toString(),
            model,
            parameters,
            trained,
            settings.memory(),
            settings.loss(),
            isLocal() || options.direct()
                ? new LocalUpdates(settings.optimizer(), settings.clip())
                : null,
            precision);
    sums = copy.engine(model, parameters);
    jobs = new SparkJobs(steps, copy);
  }

  private boolean isLocal() {
    return options.syncEvery() > 1;
  }

  private void check(JavaSparkContext context) {
    if (settings.clipBy() != Hyperparameters.ClipBy.ALL) {
      throw BadSettingsException.of(
          "clipBy",
          "must be all on Spark, whose driver holds all gradients, got %s.",
          settings.clipBy());
    }
    Objective task = model.head().task();
    if (settings.memory().microBatch() > 0 && task.embeddingLoss().isEmpty()) {
      throw BadSettingsException.of(
          "microBatch",
          "is for vectors of texts, not for %s; give accumulation.",
          task.shortName());
    }
    if (isLocal() && settings.optimizer().kind() == OptimizerSettings.Kind.ADAMW8BIT) {
      throw new BadSettingsException(
          "The state of adamw8bit, in 8 bits, cannot be averaged every %d steps; set syncEvery to 1,"
              + " or use adamw.",
          options.syncEvery());
    }
    if (context.getConf().get(SERIALIZER, "").endsWith("KryoSerializer")) {
      throw new BadSettingsException(
          "%s is Kryo, whose buffers are smaller than gradients and which does not know records; leave"
              + " it unset in this application: data sets do not use it.",
          SERIALIZER);
    }
    int slots = context.defaultParallelism();
    if (options.direct()) {
      checkExchange(context, slots);
    } else if (context.isLocal() && slots < options.tasks()) { // those of a cluster may come later
      Warnings.warn(
          "Spark runs %d of %d tasks at a time, and the others after them; give it more cores, or ask"
              + " for fewer tasks.",
          slots, options.tasks());
    }
    long state = trained.stream().mapToLong(optimizer::stateBytes).sum();
    if (options.direct() && !context.isLocal()) {
      DriverLoad.checkExecutor(
          parameters.bytes(trained),
          state,
          options,
          context.getConf().getSizeAsBytes(EXECUTOR, "1g"),
          EXECUTOR);
    }
    DriverLoad load = DriverLoad.of(parameters, trained, state, options, context.isLocal());
    load.check(
        context.getConf().getSizeAsBytes(MAX_RESULT, "1g"),
        MAX_RESULT,
        Runtime.getRuntime().maxMemory());
  }

  private void checkExchange(JavaSparkContext context, int slots) {
    if (context.isLocal() && slots < options.tasks()) {
      throw new BadSettingsException(
          "Tasks that exchange gradients run at the same time, and Spark runs %d of %d; give it more"
              + " cores, ask for fewer tasks, or leave exchange at spark.",
          slots, options.tasks());
    }
    if (context.getConf().getBoolean(SPECULATION, false)) {
      throw new BadSettingsException(
          "%s starts tasks twice, of which only one can exchange gradients; leave it unset, or exchange"
              + " at spark.",
          SPECULATION);
    }
    for (String name : trained) {
      if (parameters.get(name).dataType() != DataType.FLOAT) {
        throw new BadSettingsException(
            "Tasks exchange gradients of float32, not those of %s (%s); leave exchange at spark.",
            name, parameters.get(name).dataType());
      }
    }
  }

  @Override
  public void check(MultiDataSet batch, Position position) {
    sums.check(batch, selector, position);
  }

  @Override
  public int stretch() {
    return options.direct() ? stretch : options.syncEvery();
  }

  @Override
  public boolean dependsOnStretches() {
    return isLocal();
  }

  @Override
  public String settings() {
    int tasks = options.tasks();
    if (isLocal() && tasks > 1) {
      return "averages of " + tasks + " tasks every " + options.syncEvery() + " steps";
    }
    if (precision != GradientPrecision.FLOAT32) {
      return "gradients of " + tasks + " tasks in 16 bits";
    }
    return parts() > 1 && drops() ? "dropout of " + parts() + " parts of batches" : "";
  }

  private boolean drops() {
    boolean adapters = model instanceof LoraModel adapted && adapted.lora().dropout() > 0;
    return adapters || !model.config().equals(model.config().withDropout(0));
  }

  /** The parts that each batch is divided into. */
  private int parts() {
    return (options.tasks() - 1) / settings.accumulation() + 1;
  }

  @Override
  public Result run(List<MultiDataSet> together, Position position, double learningRate) {
    return run(List.of(new Work(together, position, learningRate))).get(0);
  }

  @Override
  public List<Result> run(List<Work> stretch) {
    List<Divided> steps = stretch.stream().map(this::divided).toList();
    List<Share> shares = shares(steps);
    if (shares.isEmpty()) {
      return steps.stream().map(step -> step.result(0, new TreeSet<>())).toList();
    }
    int first = stretch.get(0).position().step();
    if (options.direct()) {
      return exchanged(steps, shares, first);
    }
    if (isLocal()) {
      List<Share.Result> results =
          jobs.run(shares, Values.of(parameters, trained, optimizer), first, steps.size());
      List<Result> made = new ArrayList<>();
      for (int step = 0; step < steps.size(); step++) {
        made.add(result(steps.get(step), step, results));
      }
      optimizer.restore(new Average(parameters, trained).of(results));
      return made;
    }
    List<Share.Result> results = jobs.run(shares, Values.of(parameters, trained), first, 1);
    Result result = result(steps.get(0), 0, results);
    return List.of(result.nonFinite().isEmpty() ? updated(result, steps.get(0), results) : result);
  }

  /** Makes steps whose gradients the tasks exchange, and takes over the values from one of them. */
  private List<Result> exchanged(List<Divided> steps, List<Share> shares, int first) {
    long start = System.nanoTime();
    List<Share.Result> results =
        jobs.run(shares, Values.of(parameters, trained, optimizer), first, steps.size());
    if (results.stream().mapToLong(result -> result.exchanged().digest()).distinct().count() > 1) {
      throw new BadInputException(
          "After step %d the tasks, which have made the same updates, have different values: executors"
              + " do not compute alike. Give all of them the same processors and Java, resume from the"
              + " last training checkpoint, or leave exchange at spark.",
          first + steps.size());
    }
    List<Result> made = new ArrayList<>();
    for (int step = 0; step < results.get(0).losses().size(); step++) {
      made.add(result(steps.get(step), step, results));
    }
    Values values = results.get(0).trained();
    values.copyTo(parameters, trained);
    optimizer.restore(values.optimizerState());
    long nanos = results.get(0).exchanged().nanos();
    long beside = System.nanoTime() - start - nanos;
    long next = Math.max(STRETCH, BESIDE * beside) * made.size() / nanos;
    stretch = (int) Math.max(1, Math.min(next, LONGEST));
    return made;
  }

  /** Makes the update of a step from the gradients of all tasks. */
  private Result updated(Result result, Divided step, List<Share.Result> results) {
    sums.clear();
    for (Share.Result ofTask : results) { // in the order of the tasks, whoever was first
      ofTask.gradients().forEach(this::add);
    }
    boolean finite = optimizer.step(sums.gradients(), step.work().learningRate(), settings.clip());
    return finite
        ? result
        : new Result(
            result.loss(), result.weight(), result.tokens(), step.work().batches(), Map.of());
  }

  private void add(int parameter, byte[] sum) {
    String name = trained.get(parameter);
    INDArray array = parameters.get(name).like();
    ArrayBytes.copy(precision.unpack(sum), array);
    sums.add(name, array);
    array.close();
  }

  /**
   * A step whose batches are divided among the tasks.
   *
   * @param inputs all batches, or, if there are fewer than tasks, all parts of batches
   * @param batches the number of the batch that each of them is of
   */
  private record Divided(Work work, StepBatches inputs, List<Integer> batches) {

    /**
     * The result of the step.
     *
     * @param broken numbers of batches that nothing was updated from
     */
    Result result(double loss, TreeSet<Integer> broken) {
      return new Result(
          loss,
          inputs.weight(),
          inputs.tokens(),
          broken.stream().map(work.batches()::get).toList(),
          Map.of());
    }
  }

  private Divided divided(Work work) {
    int parts = parts();
    StepBatches inputs =
        StepBatches.of(model, work.batches(), selector, work.position(), settings, parts);
    List<Integer> batches = new ArrayList<>();
    for (int i = 0; i < work.batches().size(); i++) {
      long rows = work.batches().get(i).getFeatures(0).size(0);
      for (int part = 0; part < Math.min(parts, rows); part++) {
        batches.add(i);
      }
    }
    return new Divided(work, inputs, batches);
  }

  /** The number of a task's first batch, or part of one. */
  private int first(int task, int size) {
    return (int) ((long) task * size / options.tasks());
  }

  /** The inputs that count of a task in a step, by their numbers. */
  private List<Integer> own(int task, Divided step) {
    List<StepInputs> all = step.inputs().batches();
    List<Integer> own = new ArrayList<>();
    for (int i = first(task, all.size()); i < first(task + 1, all.size()); i++) {
      if (all.get(i).weight() > 0) {
        own.add(i);
      }
    }
    return own;
  }

  /**
   * The shares of the tasks. A task without a batch that counts has none, unless it exchanges
   * gradients, of which it adds up its slice.
   */
  private List<Share> shares(List<Divided> steps) {
    List<Share> shares = new ArrayList<>();
    for (int task = 0; task < options.tasks(); task++) {
      List<Share.Step> ofTask = new ArrayList<>();
      for (Divided step : steps) {
        List<Integer> own = own(task, step);
        List<StepInputs> all = step.inputs().batches();
        double weight =
            isLocal()
                ? own.stream().mapToDouble(i -> all.get(i).weight()).sum()
                : step.inputs().weight();
        List<Share.Batch> batches = new ArrayList<>();
        for (int i : own) {
          Map<String, SentArray> sent = new HashMap<>();
          all.get(i).placeholders().forEach((name, array) -> sent.put(name, SentArray.of(array)));
          batches.add(new Share.Batch(sent, all.get(i).weight() / weight));
        }
        ofTask.add(new Share.Step(batches, step.work().learningRate()));
      }
      if (options.direct() || ofTask.stream().anyMatch(step -> !step.batches().isEmpty())) {
        shares.add(new Share(null, task, ofTask));
      }
    }
    boolean none =
        shares.stream()
            .flatMap(share -> share.steps().stream())
            .allMatch(step -> step.batches().isEmpty());
    return none ? List.of() : shares;
  }

  /** The result of a step of the tasks', before the driver updates. */
  private Result result(Divided step, int number, List<Share.Result> results) {
    double loss = 0;
    TreeSet<Integer> broken = new TreeSet<>();
    for (Share.Result ofTask : results) {
      List<Integer> own = own(ofTask.part(), step);
      double[] losses = ofTask.losses().get(number);
      for (int i = 0; i < losses.length; i++) {
        if (!Double.isFinite(losses[i])) {
          broken.add(step.batches().get(own.get(i)));
          return step.result(losses[i], broken);
        }
        loss += step.inputs().share(own.get(i)) * losses[i];
      }
      if (!ofTask.updated().get(number)) {
        own.forEach(i -> broken.add(step.batches().get(i)));
      }
    }
    return step.result(loss, broken);
  }

  @Override
  public ParameterOptimizer optimizer() {
    return optimizer;
  }

  @Override
  public StepMemoryReport memory() {
    return sums.memory(optimizer);
  }

  /** The driver has none. */
  @Override
  public long arenaBytes() {
    return 0;
  }

  @Override
  public void close() {
    sums.close();
    jobs.close();
  }
}
