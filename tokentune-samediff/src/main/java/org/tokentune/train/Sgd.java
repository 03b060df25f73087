package org.tokentune.train;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.SgdUpdate;

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
  public void update(String name, INDArray parameter, INDArray gradient) {
    SgdUpdate.run(parameter, gradient, rate);
  }
}
