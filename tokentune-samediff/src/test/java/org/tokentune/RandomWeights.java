package org.tokentune;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;

/** Normal values for all parameters of a model. */
public final class RandomWeights {

  private RandomWeights() {}

  /**
   * @param deviation standard deviation of the values
   */
  public static Parameters of(TransformerModel model, long seed, float deviation) {
    return new Parameters(of(model.parameters(), seed, deviation));
  }

  /** Normal values in arrays of these shapes. */
  public static Map<String, INDArray> of(Map<String, long[]> shapes, long seed, float deviation) {
    Random random = new Random(seed);
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    shapes.forEach(
        (name, shape) -> {
          float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * deviation;
          }
          arrays.put(name, Nd4j.create(values, shape, 'c'));
        });
    return arrays;
  }
}
