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
   * All parameters of {@code bert}, out of the checkpoint.
   *
   * @throws BadInputException if one is missing or has another shape
   */
  public static Parameters load(Bert bert, WeightSource source) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    bert.parameters().forEach((name, shape) -> arrays.put(name, read(source, name, shape)));
    return new Parameters(arrays);
  }

  /**
   * As {@link #load(Bert, WeightSource)}, but parameters of the head that the checkpoint has not,
   * or in another shape, get normal values with the configuration's initializer range (biases 0),
   * from the seed.
   */
  public static Parameters loadEncoder(Bert bert, WeightSource source, long seed) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    Random random = new Random(seed);
    bert.parameters()
        .forEach(
            (name, shape) -> {
              boolean fresh = Bert.isHead(name) && !fits(source, stored(source, name), shape);
              arrays.put(
                  name,
                  fresh
                      ? fresh(shape, bert.config().initializerRange(), random)
                      : read(source, name, shape));
            });
    return new Parameters(arrays);
  }

  private static boolean fits(WeightSource source, String name, long[] shape) {
    return source.names().contains(name) && Arrays.equals(source.shape(name), shape);
  }

  private static String stored(WeightSource source, String name) {
    return source.names().contains(name) ? name : withoutPrefix(name);
  }

  private static String withoutPrefix(String name) {
    return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
  }

  private static INDArray read(WeightSource source, String name, long[] shape) {
    String stored = stored(source, name);
    if (!source.names().contains(stored)) {
      throw new BadInputException(
          "%s has no tensor %s; it is no complete %s checkpoint.",
          source.origin(), name, Bert.isHead(name) ? "fine-tuned" : "BERT");
    }
    if (!fits(source, stored, shape)) {
      throw new BadInputException(
          "%s: tensor %s has shape %s, but the configuration says %s.",
          source.origin(), stored, Arrays.toString(source.shape(stored)), Arrays.toString(shape));
    }
    return source.read(stored);
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
