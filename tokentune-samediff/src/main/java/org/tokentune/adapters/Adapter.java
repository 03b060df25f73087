package org.tokentune.adapters;

import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;

/**
 * Low-rank adapters of a model, and their values. Any number of them may stand on one base: they
 * share its weights, and each has its own matrices and its own copies of what else it trains.
 */
public final class Adapter {

  private final LoraModel model;
  private final Parameters parameters;
  private final Set<String> own;
  private boolean merged;

  private Adapter(LoraModel model, Parameters parameters, Set<String> own) {
    this.model = model;
    this.parameters = parameters;
    this.own = own;
  }

  /**
   * New adapters that change nothing yet: A uniform within {@code 1 / sqrt(in)}, as PEFT draws it,
   * and B zero.
   *
   * @param parameters of the base; its weights are shared, not copied
   * @param seed of the values of A
   */
  public static Adapter fresh(
      TransformerModel base, Parameters parameters, LoraConfig config, long seed) {
    LoraModel model = new LoraModel(base, config);
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, INDArray> values = new LinkedHashMap<>();
    model
        .adapterShapes()
        .forEach(
            (name, shape) ->
                values.put(
                    name, name.endsWith(LoraModel.A) ? uniform(shape, random) : Nd4j.zeros(shape)));
    return of(model, parameters, values);
  }

  private static INDArray uniform(long[] shape, SplittableRandom random) {
    double bound = 1 / Math.sqrt((double) shape[1]);
    float[] values = new float[Math.toIntExact(shape[0] * shape[1])];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (bound * (2 * random.nextDouble() - 1));
    }
    return Nd4j.create(values, shape, 'c');
  }

  /**
   * Adapters with given values.
   *
   * @param values of the adapters' matrices, and of any parameter that trains beside them
   */
  static Adapter of(LoraModel model, Parameters base, Map<String, INDArray> values) {
    Map<String, INDArray> arrays = new LinkedHashMap<>(base.asMap());
    Set<String> own = new HashSet<>(values.keySet());
    base.asMap()
        .forEach(
            (name, array) -> {
              if (model.trainsOfBase(name) && own.add(name)) {
                arrays.put(name, array.dup());
              }
            });
    arrays.putAll(values);
    return new Adapter(model, base.withArrays(arrays), Set.copyOf(own));
  }

  /** Whether a parameter's array is not shared with others on the base. */
  boolean owns(String name) {
    return own.contains(name);
  }

  /** The base with the adapters in its graphs. */
  public LoraModel model() {
    return model;
  }

  /** Those of the base and of the adapters. */
  public Parameters parameters() {
    return parameters;
  }

  /**
   * Adds the adapters' updates to the base's weights, in place: all that stands on the base sees
   * it. Then the base's own graphs, without adapters, over {@link #baseParameters} give what the
   * adapted model gave.
   *
   * @throws IllegalStateException if they are merged already
   */
  public void merge() {
    add(true);
  }

  /**
   * Takes the updates out again, to rounding.
   *
   * @throws IllegalStateException if they are not merged
   */
  public void unmerge() {
    add(false);
  }

  private void add(boolean merge) {
    if (merged == merge) {
      throw new IllegalStateException(merged ? "merged already" : "not merged");
    }
    for (String layer : model.layers()) {
      double scale = model.lora().scale(layer);
      try (INDArray update =
          update(
              parameters.get(layer + LoraModel.A),
              parameters.get(layer + LoraModel.B),
              merge ? scale : -scale,
              model.inputFirst())) {
        parameters.get(layer + ".weight").addi(update);
      }
    }
    merged = merge;
  }

  /** Bytes of what {@link AdapterFolder} writes of it. */
  public long bytes() {
    return model.adapterShapes().values().stream()
        .mapToLong(shape -> Arrays.stream(shape).reduce(Float.BYTES, (a, b) -> a * b))
        .sum();
  }

  /** What adapters add to a weight: {@code scale * B A}, as the weight is stored. */
  static INDArray update(INDArray a, INDArray b, double scale, boolean inputFirst) {
    return (inputFirst ? a.transpose().mmul(b.transpose()) : b.mmul(a)).muli(scale);
  }

  /** The base's parameters, with this adapter's own copies of those that it trains. */
  public Parameters baseParameters() {
    Map<String, INDArray> arrays = new LinkedHashMap<>(parameters.asMap());
    arrays.keySet().retainAll(model.base().parameters().keySet());
    return parameters.withArrays(arrays);
  }
}
