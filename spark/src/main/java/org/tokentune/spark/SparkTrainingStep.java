package org.tokentune.spark;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.ArrayBytes;
import org.tokentune.train.BatchGradients;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.ParameterOptimizer;
import org.tokentune.train.StepBatches;
import org.tokentune.train.StepInputs;
import org.tokentune.train.StepMemoryReport;
import org.tokentune.train.TrainingStep;

/**
 * Training steps on Spark: a job each, which takes the values of what trains and returns the sums
 * of the tasks' gradients.
 */
final class SparkTrainingStep implements TrainingStep {

  private static final String SERIALIZER = "spark.serializer";
  private static final String MAX_RESULT = "spark.driver.maxResultSize";

  /** What Spark puts before the message of a task's exception. */
  private static final Pattern TASK = Pattern.compile("^.*Lost task .*?\\): (?:[\\w.$]+: )?");

  private final SparkSteps steps;
  private final JavaSparkContext context;
  private final TransformerModel model;
  private final Parameters parameters;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final ParameterOptimizer optimizer;
  private final List<String> trained;
  private final ModelCopy copy;
  private final Broadcast<ModelCopy> sentModel;

  /** Adds up what the tasks return, and plans; it runs nothing. */
  private final BatchGradients sums;

  private int version;
  private Traffic traffic;

  SparkTrainingStep(
      SparkSteps steps,
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings) {
    this.steps = steps;
    this.model = model;
    this.parameters = parameters;
    this.selector = selector;
    this.settings = settings;
    context = steps.context();
    settings.loss().check(model.head().task(), model.head().outputs());
    if (settings.clipBy() != Hyperparameters.ClipBy.ALL) {
      throw BadSettingsException.of(
          "clipBy",
          "must be all on Spark, whose driver holds all gradients, got %s.",
          settings.clipBy());
    }
    if (steps.tasks() > settings.accumulation()) {
      throw new BadSettingsException(
          "A step has %d batches, too few for %d tasks; set accumulation to a multiple of the tasks,"
              + " and a batch size that is smaller by as much.",
          settings.accumulation(), steps.tasks());
    }
    if (context.getConf().get(SERIALIZER, "").endsWith("KryoSerializer")) {
      throw new BadSettingsException(
          "%s is Kryo, whose buffers are smaller than gradients and which does not know records; leave"
              + " it unset in this application: data sets do not use it.",
          SERIALIZER);
    }
    trained = parameters.asMap().keySet().stream().filter(trainable).toList();
    checkResultSize();
    optimizer = settings.optimizer().optimizer(model, parameters);
    copy =
        ModelCopy.of(
            UUID.randomUUID().toString(),
            model,
            parameters,
            trained,
            settings.memory(),
            settings.loss());
    sums = copy.engine(model, parameters);
    sentModel = context.broadcast(copy);
    report(new Traffic(0, copy.bytes(), 0, 0, 0, 0));
  }

  /** Spark would end the job, with no hint of what to do. */
  private void checkResultSize() {
    long most = context.getConf().getSizeAsBytes(MAX_RESULT, "1g");
    long bytes = parameters.bytes(trained) * steps.tasks();
    if (most > 0 && bytes > most) {
      throw new BadSettingsException(
          "The gradients of a step take %d times %,d MB, more than %s lets through (%,d MB); raise it,"
              + " or train adapters or fewer parameters.",
          steps.tasks(), parameters.bytes(trained) / 1_000_000, MAX_RESULT, most / 1_000_000);
    }
  }

  @Override
  public void check(MultiDataSet batch, Position position) {
    sums.check(batch, selector, position);
  }

  @Override
  public Result run(List<MultiDataSet> together, Position position, double learningRate) {
    StepBatches batches = StepBatches.of(model, together, selector, position, settings);
    double weight = batches.weight();
    long tokens = batches.tokens();
    if (weight == 0) {
      return new Result(0, 0, tokens, List.of(), Map.of());
    }
    List<Share.Result> results = results(batches, position.step());
    double loss = 0;
    for (Share.Result result : results) {
      int batch = first(result.part(), together.size());
      for (double ofBatch : result.losses()) {
        while (batches.batches().get(batch).weight() == 0) {
          batch++;
        }
        if (!Double.isFinite(ofBatch)) {
          return new Result(ofBatch, weight, tokens, List.of(together.get(batch)), Map.of());
        }
        loss += batches.share(batch) * ofBatch;
        batch++;
      }
    }
    sums.clear();
    for (Share.Result result : results) { // in the order of the tasks, whoever was first
      result.gradients().forEach(this::add);
    }
    boolean finite = optimizer.step(sums.gradients(), learningRate, settings.clip());
    return new Result(loss, weight, tokens, finite ? List.of() : together, Map.of());
  }

  private void add(int parameter, byte[] sum) {
    String name = trained.get(parameter);
    INDArray array = parameters.get(name).like();
    ArrayBytes.copy(sum, array);
    sums.add(name, array);
    array.close();
  }

  /** The number of a task's first batch. */
  private int first(int part, int batches) {
    return (int) ((long) part * batches / steps.tasks());
  }

  /** The shares of a step; a task without a batch that counts has none. */
  private List<Share> shares(StepBatches batches, Share.Attempt attempt) {
    int size = batches.batches().size();
    List<Share> shares = new ArrayList<>();
    for (int part = 0; part < steps.tasks(); part++) {
      List<Share.Batch> own = new ArrayList<>();
      for (int i = first(part, size); i < first(part + 1, size); i++) {
        StepInputs inputs = batches.batches().get(i);
        if (inputs.weight() > 0) {
          Map<String, SentArray> sent = new HashMap<>();
          inputs.placeholders().forEach((name, array) -> sent.put(name, SentArray.of(array)));
          own.add(new Share.Batch(sent, batches.share(i)));
        }
      }
      if (!own.isEmpty()) {
        shares.add(new Share(attempt, part, own));
      }
    }
    return shares;
  }

  /**
   * What the tasks return, in their order. An attempt that fails is made again, from the values
   * that the driver holds.
   */
  private List<Share.Result> results(StepBatches batches, int step) {
    List<byte[]> arrays = trained.stream().map(parameters::get).map(ArrayBytes::of).toList();
    for (int number = 1; ; number++) {
      Share.Attempt attempt = new Share.Attempt(copy.run(), step, number);
      List<Share> shares = shares(batches, attempt);
      Values values = new Values(version++, arrays);
      try {
        List<Share.Result> results = results(shares, values, step);
        check(shares, results);
        report(
            new Traffic(
                traffic.steps() + 1,
                traffic.model(),
                traffic.values() + values.bytes(),
                traffic.inputs() + shares.stream().mapToLong(Share::bytes).sum(),
                traffic.gradients() + results.stream().mapToLong(Share.Result::bytes).sum(),
                traffic.repeated() + number - 1));
        return results;
      } catch (ExecutionException e) {
        if (number >= steps.attempts() || context.sc().isStopped()) {
          throw new BadInputException(
              e,
              "Step %d failed %d times on Spark (%s); look into the executors' logs, and resume from the"
                  + " last training checkpoint.",
              step + 1,
              number,
              reason(e));
        }
        Warnings.warn("Step %d failed on Spark and is made again (%s).", step + 1, reason(e));
      }
    }
  }

  private List<Share.Result> results(List<Share> shares, Values values, int step)
      throws ExecutionException {
    Broadcast<Values> sent = context.broadcast(values);
    try {
      JavaFutureAction<List<Share.Result>> job =
          context
              .parallelize(shares, shares.size())
              .map(new ShareTask(copy.run(), sentModel, sent))
              .collectAsync();
      try {
        return job.get(steps.timeout().toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        job.cancel(true);
        throw new BadInputException(
            e,
            "Spark has not made step %d in %d seconds; look for executors that are missing or hang, and"
                + " resume from the last training checkpoint, or give steps more time.",
            step + 1,
            steps.timeout().toSeconds());
      } catch (InterruptedException e) {
        job.cancel(true);
        Thread.currentThread().interrupt();
        throw new BadInputException(e, "The training was interrupted at step %d.", step + 1);
      }
    } finally {
      sent.destroy();
    }
  }

  /** Each share must be answered once, by this attempt. */
  private static void check(List<Share> shares, List<Share.Result> results) {
    for (Share.Result result : results) {
      if (result.problem() != null) {
        throw new BadInputException("%s", result.problem());
      }
    }
    boolean complete = results.size() == shares.size();
    for (int i = 0; complete && i < shares.size(); i++) {
      complete =
          results.get(i).attempt().equals(shares.get(i).attempt())
              && results.get(i).part() == shares.get(i).part();
    }
    if (!complete) {
      throw new IllegalStateException("Spark returned other results than those asked for");
    }
  }

  /**
   * The innermost cause in what Spark says: its first line ends with the exception of the task, its
   * class before the message.
   */
  private static String reason(ExecutionException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    String line = String.valueOf(cause.getMessage()).lines().findFirst().orElse("no message");
    return TASK.matcher(line).replaceFirst("");
  }

  private void report(Traffic sent) {
    traffic = sent;
    steps.report(sent);
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
    if (!context.sc().isStopped()) {
      sentModel.destroy();
    }
    Replica.forget(copy.run());
  }
}
