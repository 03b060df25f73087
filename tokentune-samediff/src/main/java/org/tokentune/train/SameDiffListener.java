package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.nd4j.autodiff.listeners.At;
import org.nd4j.autodiff.listeners.Listener;
import org.nd4j.autodiff.listeners.ListenerResponse;
import org.nd4j.autodiff.listeners.Loss;
import org.nd4j.autodiff.listeners.Operation;
import org.nd4j.autodiff.listeners.records.LossCurve;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.tokentune.models.ModelGraph;

/**
 * Reports a training to a SameDiff listener such as {@code ScoreListener}: {@code epochStart},
 * {@code iterationDone} with the step's loss, and {@code epochEnd} with the curve of the mean
 * losses of the epochs. Epochs and iterations are counted from 0, as SameDiff does.
 *
 * <p>Training runs on plans: there is no SameDiff instance, so it is null, ops and activations are
 * not reported, and data sets have no arrays.
 */
public final class SameDiffListener implements FineTuningListener {

  private static final SameDiff NO_GRAPH = null;

  private final Listener listener;
  private final List<Loss> steps = new ArrayList<>();
  private LossCurve curve;
  private int iteration;
  private long start;
  private volatile boolean stops;

  /** Set when {@code listener} returns {@code STOP} at the end of an epoch. */
  public SameDiffListener(Listener listener) {
    required(listener, "listener");

    this.listener = listener;
  }

  @Override
  public boolean stops() {
    return stops;
  }

  @Override
  public void onResume(int step) {
    iteration = step;
  }

  @Override
  public void onEpochStart(int epoch) {
    steps.clear();
    start = System.nanoTime();
    if (listener.isActive(Operation.TRAINING)) {
      listener.epochStart(NO_GRAPH, at(epoch));
    }
  }

  @Override
  public void onStep(StepReport step) {
    Loss loss = new Loss(List.of(ModelGraph.LOSS), new double[] {step.loss()});
    iteration = step.step() - 1;
    if (step.broken().isEmpty()) {
      steps.add(loss);
    }
    if (listener.isActive(Operation.TRAINING)) {
      listener.iterationDone(NO_GRAPH, at(step.epoch()), new MultiDataSet(), loss);
    }
    iteration++;
  }

  @Override
  public void onEpochEnd(int epoch) {
    if (!steps.isEmpty()) {
      Loss mean = Loss.average(steps);
      curve =
          curve == null
              ? new LossCurve(mean.lossValues(), mean.lossNames())
              : curve.addLossAndCopy(mean);
    }
    if (curve != null && listener.isActive(Operation.TRAINING)) {
      long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
      ListenerResponse response = listener.epochEnd(NO_GRAPH, at(epoch), curve, millis);
      if (response == ListenerResponse.STOP) {
        stops = true;
      }
    }
  }

  private At at(int epoch) {
    return At.builder()
        .epoch(epoch - 1)
        .iteration(iteration)
        .javaThreadNum(Thread.currentThread().getId())
        .operation(Operation.TRAINING)
        .build();
  }
}
