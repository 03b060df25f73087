package org.tokentune.models;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.WeightSource;
import org.tokentune.nn.Parameters;

/** Takes a model's parameters out of a checkpoint and makes those of a new head. */
public final class ParameterLoader {

  /** What checkpoints of a bare encoder leave out of every name. */
  private static final String PREFIX = "bert.";

  private ParameterLoader() {}

  /**
   * All parameters of {@code bert}. Those of the head that the checkpoint has not get normal values
   * with the configuration's initializer range (biases 0), from the seed.
   *
   * @throws BadInputException if one of the encoder is missing, or any has another shape
   */
  public static Parameters load(Bert bert, WeightSource source, long seed) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    Random random = new Random(seed);
    bert.parameters()
        .forEach(
            (name, shape) -> {
              String stored = source.names().contains(name) ? name : withoutPrefix(name);
              if (source.names().contains(stored)) {
                arrays.put(name, read(source, stored, shape));
              } else if (Bert.isHead(name)) {
                arrays.put(name, fresh(shape, bert.config().initializerRange(), random));
              } else {
                throw new BadInputException(
                    "%s has no tensor %s; it is no complete BERT checkpoint.",
                    source.origin(), name);
              }
            });
    return new Parameters(arrays);
  }

  private static String withoutPrefix(String name) {
    return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
  }

  private static INDArray read(WeightSource source, String name, long[] shape) {
    if (!Arrays.equals(source.shape(name), shape)) {
      throw new BadInputException(
          "%s: tensor %s has shape %s, but the configuration says %s.",
          source.origin(), name, Arrays.toString(source.shape(name)), Arrays.toString(shape));
    }
    return source.read(name);
  }

  private static INDArray fresh(long[] shape, double range, Random random) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    if (shape.length > 1) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (random.nextGaussian() * range);
      }
    }
    return Nd4j.create(values, shape, 'c');
  }
}
