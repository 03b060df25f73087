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
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.train.ArrayBytes;
import org.tokentune.train.BatchGradients;

/**
 * A run's model in an executor, made by the first task that needs it and shared by all of its
 * tasks; each of those that run at the same time has an engine of its own. It holds nothing that a
 * step depends on: what trains is set from the driver's values before every step.
 */
final class Replica {

  /** A replica of another run that has been idle for as long is not needed any more. */
  private static final long IDLE_NANOS = 60_000_000_000L;

  private static final Map<String, Replica> OF_RUNS = new HashMap<>();

  private final ModelCopy copy;
  private final TransformerModel model;
  private final Parameters parameters;
  private final List<String> trained;
  private final Deque<BatchGradients> idle = new ArrayDeque<>();
  private int version = -1;
  private int running;
  private long lastUsed = System.nanoTime();

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
    idle.forEach(BatchGradients::close);
    idle.clear();
    return true;
  }

  /** Runs a share from these values. */
  Share.Result run(Share share, Values values) throws InterruptedException {
    BatchGradients engine = begin(values);
    boolean done = false;
    try {
      Share.Result result = run(share, engine);
      done = true;
      return result;
    } catch (BadInputException e) {
      return new Share.Result(
          share.attempt(), share.part(), new double[0], Map.of(), e.getMessage());
    } finally {
      end(engine, done);
    }
  }

  /** Sets what trains, once no task runs from other values any more. */
  private synchronized BatchGradients begin(Values values) throws InterruptedException {
    while (running > 0 && version != values.version()) {
      wait();
    }
    if (version != values.version()) {
      for (int i = 0; i < trained.size(); i++) {
        ArrayBytes.copy(values.arrays().get(i), parameters.get(trained.get(i)));
      }
      version = values.version();
    }
    running++;
    return idle.isEmpty() ? copy.engine(model, parameters) : idle.pop();
  }

  private synchronized void end(BatchGradients engine, boolean done) {
    running--;
    lastUsed = System.nanoTime();
    if (done) {
      idle.push(engine);
    } else {
      engine.close();
    }
    notifyAll();
  }

  private Share.Result run(Share share, BatchGradients engine) {
    engine.clear();
    List<Double> losses = new ArrayList<>();
    boolean finite = true;
    for (Iterator<Share.Batch> batches = share.batches().iterator();
        finite && batches.hasNext(); ) {
      Share.Batch batch = batches.next();
      Map<String, INDArray> inputs = new HashMap<>();
      batch.inputs().forEach((name, array) -> inputs.put(name, array.toArray()));
      double loss = engine.add(inputs, batch.factor());
      losses.add(loss);
      finite = Double.isFinite(loss);
    }
    Map<Integer, byte[]> gradients = new LinkedHashMap<>();
    if (finite) {
      engine
          .gradients()
          .forEach((name, sum) -> gradients.put(trained.indexOf(name), ArrayBytes.of(sum)));
    }
    double[] all = losses.stream().mapToDouble(Double::doubleValue).toArray();
    return new Share.Result(share.attempt(), share.part(), all, gradients, null);
  }
}
