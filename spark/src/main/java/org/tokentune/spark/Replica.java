package org.tokentune.spark;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.spark.TaskContext;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.train.ArrayBytes;
import org.tokentune.train.BatchGradients;
import org.tokentune.train.ParameterOptimizer;

/**
 * A run's model in an executor, made by the first task that needs it and shared by all of its
 * tasks; each of those that run at the same time has an engine of its own, and, if tasks make
 * updates, values of its own of what trains. It holds nothing that a step depends on: what trains
 * is set from the driver's values before every step.
 */
final class Replica {

  /** A replica of another run that has been idle for as long is not needed any more. */
  private static final long IDLE_NANOS = 60_000_000_000L;

  private static final Map<String, Replica> OF_RUNS = new HashMap<>();

  private final ModelCopy copy;
  private final TransformerModel model;
  private final Parameters parameters;
  private final List<String> trained;
  private final Deque<Worker> idle = new ArrayDeque<>();
  private long values = -1;
  private int running;
  private long lastUsed = System.nanoTime();

  /**
   * What one task at a time runs on.
   *
   * @param parameters those of the replica, or, if tasks make updates, with values of its own
   */
  private record Worker(Parameters parameters, BatchGradients engine) {}

  private Replica(ModelCopy copy) {
    if (KernelMode.preferred() != copy.kernels()) {
      throw new BadSettingsException(
          "An executor runs %s kernels and the driver %s; give both the same backend and the same"
              + " org.tokentune.kernels.",
          KernelMode.preferred(), copy.kernels());
    }
    this.copy = copy;
    model = copy.model();
    parameters = copy.parameters();
    trained = copy.trained();
  }

  /** The replica of a run in this virtual machine. */
  static Replica of(String run, Supplier<ModelCopy> copy) {
    synchronized (OF_RUNS) {
      Replica replica = OF_RUNS.get(run);
      if (replica == null) {
        forgetIdle();
        replica = new Replica(copy.get());
        OF_RUNS.put(run, replica);
      }
      return replica;
    }
  }

  /** Frees a run's replica, if it is in this virtual machine and no task runs. */
  static void forget(String run) {
    synchronized (OF_RUNS) {
      Replica replica = OF_RUNS.get(run);
      if (replica != null && replica.close(0)) {
        OF_RUNS.remove(run);
      }
    }
  }

  private static void forgetIdle() {
    for (Iterator<Replica> all = OF_RUNS.values().iterator(); all.hasNext(); ) {
      if (all.next().close(IDLE_NANOS)) {
        all.remove();
      }
    }
  }

  /** Closes the engines if no task has run for as long; returns whether it did. */
  private synchronized boolean close(long nanos) {
    if (running > 0 || System.nanoTime() - lastUsed < nanos) {
      return false;
    }
    idle.forEach(worker -> worker.engine().close());
    idle.clear();
    return true;
  }

  /**
   * Runs a share from these values.
   *
   * @param id of the values, another one for every attempt
   * @param exchange of gradients, if tasks make updates
   */
  Share.Result run(Share share, long id, Values from, GradientExchange exchange)
      throws ExchangeException, InterruptedException {
    Worker worker = begin(id, from);
    boolean done = false;
    try {
      Share.Result result =
          copy.updates() == null
              ? gradients(share, worker.engine())
              : trained(share, worker, copy.updates(), from, exchange);
      done = true;
      return result;
    } finally {
      end(worker, done);
    }
  }

  /**
   * Meets the other tasks that exchange gradients.
   *
   * @param rank of the task
   */
  Peers meet(Meeting.Place place, int rank) throws ExchangeException, InterruptedException {
    return new Peers(
        place, rank, parameters, trained, copy.precision(), TaskContext.get()::isInterrupted);
  }

  /** Sets what trains, once no task runs from other values any more. */
  private synchronized Worker begin(long id, Values from) throws InterruptedException {
    if (copy.updates() == null) {
      while (running > 0 && values != id) {
        wait();
      }
      if (values != id) {
        from.copyTo(parameters, trained);
        values = id;
      }
    }
    running++;
    return idle.isEmpty() ? worker() : idle.pop();
  }

  private Worker worker() {
    Parameters own = parameters;
    if (copy.updates() != null) {
      Map<String, INDArray> arrays = new LinkedHashMap<>(parameters.asMap());
      trained.forEach(name -> arrays.put(name, parameters.get(name).dup()));
      own = parameters.withArrays(arrays);
    }
    return new Worker(own, copy.engine(model, own));
  }

  private synchronized void end(Worker worker, boolean done) {
    running--;
    lastUsed = System.nanoTime();
    if (done) {
      idle.push(worker);
    } else {
      worker.engine().close();
    }
    notifyAll();
  }

  /** Runs a step's batches for the driver's update. */
  private Share.Result gradients(Share share, BatchGradients engine) {
    double[] losses = run(share.steps().get(0), engine);
    boolean finite = areFinite(losses);
    Map<Integer, byte[]> gradients = new LinkedHashMap<>();
    if (finite) {
      engine
          .gradients()
          .forEach(
              (name, sum) ->
                  gradients.put(trained.indexOf(name), copy.precision().pack(ArrayBytes.of(sum))));
    }
    return new Share.Result(
        share.attempt(),
        share.part(),
        List.of(losses),
        List.of(finite),
        gradients,
        null,
        null,
        null,
        false);
  }

  /** Makes the updates of a stretch of steps, or of those up to one that all tasks pass over. */
  private Share.Result trained(
      Share share, Worker worker, LocalUpdates settings, Values from, GradientExchange exchange)
      throws ExchangeException, InterruptedException {
    from.copyTo(worker.parameters(), trained);
    ParameterOptimizer optimizer = settings.optimizer().optimizer(model, worker.parameters());
    optimizer.restore(from.optimizerState());
    List<double[]> losses = new ArrayList<>();
    List<Boolean> updated = new ArrayList<>();
    long start = System.nanoTime();
    boolean goesOn = true;
    for (int i = 0; goesOn && i < share.steps().size(); i++) {
      Share.Step step = share.steps().get(i);
      double[] ofStep = run(step, worker.engine());
      losses.add(ofStep);
      boolean finite = areFinite(ofStep);
      Map<String, INDArray> sums = exchange.sum(i, finite ? worker.engine().gradients() : null);
      boolean updates =
          sums != null
              && (sums.isEmpty() || optimizer.step(sums, step.learningRate(), settings.clip()));
      updated.add(sums == null ? finite : updates);
      goesOn = updates || !exchange.common();
    }
    long nanos = System.nanoTime() - start;
    boolean common = exchange.common();
    return new Share.Result(
        share.attempt(),
        share.part(),
        losses,
        updated,
        Map.of(),
        common && share.part() > 0 ? null : Values.of(worker.parameters(), trained, optimizer),
        common
            ? new Share.Exchanged(
                Values.digest(worker.parameters(), trained, optimizer), exchange.bytes(), nanos)
            : null,
        null,
        false);
  }

  /** Adds up the gradients of a step's batches; returns their losses, up to one not finite. */
  private static double[] run(Share.Step step, BatchGradients engine) {
    engine.clear();
    List<Double> losses = new ArrayList<>();
    boolean finite = true;
    for (Iterator<Share.Batch> batches = step.batches().iterator(); finite && batches.hasNext(); ) {
      Share.Batch batch = batches.next();
      Map<String, INDArray> inputs = new HashMap<>();
      batch.inputs().forEach((name, array) -> inputs.put(name, array.toArray()));
      double loss = engine.add(inputs, batch.factor());
      losses.add(loss);
      finite = Double.isFinite(loss);
    }
    return losses.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static boolean areFinite(double[] losses) {
    for (double loss : losses) {
      if (!Double.isFinite(loss)) {
        return false;
      }
    }
    return true;
  }
}
