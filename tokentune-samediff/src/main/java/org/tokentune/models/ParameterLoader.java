package org.tokentune.models;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.WeightSource;
import org.tokentune.nn.Parameters;

/** Takes a model's parameters out of a checkpoint and makes those of a new head. */
public final class ParameterLoader {

  private ParameterLoader() {}

  /**
   * All parameters of {@code model}, out of the checkpoint.
   *
   * @throws BadInputException if one is missing or has another shape
   */
  public static Parameters load(Model model, WeightSource source) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    model.parameters().forEach((name, shape) -> arrays.put(name, read(model, source, name, shape)));
    return new Parameters(arrays);
  }

  /**
   * As {@link #load(Model, WeightSource)}, but parameters of the head that the checkpoint has not,
   * or in another shape, get normal values with the configuration's initializer range (biases 0),
   * from the seed.
   */
  public static Parameters loadEncoder(Model model, WeightSource source, long seed) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    Random random = new Random(seed);
    model
        .parameters()
        .forEach(
            (name, shape) -> {
              boolean fresh =
                  model.isHead(name) && !fits(source, stored(model, source, name), shape);
              arrays.put(
                  name,
                  fresh
                      ? fresh(shape, model.config().initializerRange(), random)
                      : read(model, source, name, shape));
            });
    return new Parameters(arrays);
  }

  private static boolean fits(WeightSource source, String name, long[] shape) {
    return source.names().contains(name) && Arrays.equals(source.shape(name), shape);
  }

  private static String stored(Model model, WeightSource source, String name) {
    String bare = name.startsWith(model.prefix()) ? name.substring(model.prefix().length()) : name;
    return Stream.of(name, bare, oldNorm(name), oldNorm(bare))
        .filter(source.names()::contains)
        .findFirst()
        .orElse(name);
  }

  /** What the first checkpoints of BERT on the hub call the parameters of norms. */
  private static String oldNorm(String name) {
    return name.replaceFirst("LayerNorm\\.weight$", "LayerNorm.gamma")
        .replaceFirst("LayerNorm\\.bias$", "LayerNorm.beta");
  }

  private static INDArray read(Model model, WeightSource source, String name, long[] shape) {
    String stored = stored(model, source, name);
    if (!source.names().contains(stored)) {
      throw new BadInputException(
          "%s has no tensor %s; it is no complete %s checkpoint.",
          source.origin(),
          name,
          model.isHead(name) ? "fine-tuned" : model.getClass().getSimpleName());
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
