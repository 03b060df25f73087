package org.tokentune.train;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.SgdUpdate;
import org.tokentune.plan.Updater;

/** Plain gradient descent: no momentum, no state. */
public final class Sgd implements Optimizer {

  private double rate;

  @Override
  public void begin(double learningRate) {
    rate = learningRate;
  }

  @Override
  public int stateSize() {
    return 0;
  }

  @Override
  public State state() {
    return new State(0, Map.of());
  }

  @Override
  public void restore(State state) {}

  @Override
  public void update(String name, INDArray parameter, long firstRow, INDArray gradient) {
    SgdUpdate.run(Updater.rows(parameter, firstRow, gradient), gradient, rate);
  }
}
