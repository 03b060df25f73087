package org.tokentune.train;

import java.util.List;
import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.ops.internal.optimizers.AdamW8bitStep;

/**
 * AdamW with moments in 8 bits (Dettmers et al., 8-bit optimizers via block-wise quantization,
 * 2022). Each moment takes a byte per element, and a float for every {@value AdamW8bitStep#BLOCK}
 * elements, the block size of newer bitsandbytes. As there, parameters of fewer than {@value
 * #LEAST} elements keep their moments as floats. (So do parameters that are not FLOAT.)
 *
 * @param adamW its settings
 */
record AdamW8bit(AdamW adamW) implements UpdateRule {

  private static final int LEAST = 4096;
  private static final int BLOCK = AdamW8bitStep.BLOCK;

  private static boolean small(INDArray parameter) {
    return parameter.length() < LEAST || parameter.dataType() != DataType.FLOAT;
  }

  @Override
  public List<StateArray> state(INDArray parameter) {
    if (small(parameter)) {
      return adamW.state(parameter);
    }
    long[] shape = parameter.shape();
    long scales = AdamW8bitStep.scales(parameter.length());
    return List.of(
        new StateArray("state1", DataType.UINT8, shape),
        new StateArray("absmax1", DataType.FLOAT, scales),
        new StateArray("state2", DataType.UINT8, shape),
        new StateArray("absmax2", DataType.FLOAT, scales));
  }

  @Override
  public void apply(Change change) {
    if (change.state().size() == 2) {
      adamW.apply(change);
      return;
    }
    AdamW8bitStep.run(
        change.parameter(),
        change.gradient(),
        moment(change, 0),
        moment(change, 2),
        change.rate(),
        adamW.beta1(),
        adamW.beta2(),
        adamW.epsilon(),
        change.weightDecay(),
        change.step());
  }

  /** The codes and scales of the rows. */
  private static AdamW8bitStep.Moment moment(Change change, int array) {
    INDArray codes = change.state().get(array);
    INDArray scales = change.state().get(array + 1);
    long first = change.firstRow() * (codes.length() / codes.size(0));
    long end = first + change.gradient().length();
    if (first % BLOCK != 0 || (end % BLOCK != 0 && end != codes.length())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "numbers %d to %d of a parameter are not whole blocks of %d",
              first,
              end,
              BLOCK));
    }
    long firstScale = first / BLOCK;
    return new AdamW8bitStep.Moment(
        change.rows(array),
        scales.get(
            NDArrayIndex.interval(firstScale, firstScale + AdamW8bitStep.scales(end - first))));
  }
}
