package org.tokentune.adapters;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;

/**
 * A model's low-rank adapters and their values. Any number of adapters can share one base model:
 * they use its weights, and each has its own matrices and its own copies of any other parameters it
 * trains.
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
   * New adapters with no effect yet: A uniform within {@code 1 / sqrt(in)}, as in PEFT, and B zero.
   *
   * @param parameters the base's parameters; its weights are shared, not copied
   * @param seed random seed for A
   */
  public static Adapter fresh(
      TransformerModel base, Parameters parameters, LoraConfig config, long seed) {
    required(base, "base");
    required(parameters, "parameters");
    required(config, "config");

    LoraModel model = new LoraModel(base, config);
    model.checkRanks();
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
   * @param values the adapters' matrices, and any other parameters that train with them
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

  /** Whether a parameter's array is not shared with other adapters of the base. */
  boolean owns(String name) {
    return own.contains(name);
  }

  /** The base with the adapters in its graphs. */
  public LoraModel model() {
    return model;
  }

  /** Parameters of the base and of the adapters. */
  public Parameters parameters() {
    return parameters;
  }

  /**
   * Adds the adapters' updates to the base's weights in place, which affects everything that shares
   * the base. Afterwards the base's own graphs, without adapters, give the adapted model's results
   * over {@link #baseParameters}.
   *
   * @throws BadInputException if they are already merged
   */
  public void merge() {
    add(true);
  }

  /**
   * Subtracts the updates again, up to rounding.
   *
   * @throws BadInputException if they are not merged
   */
  public void unmerge() {
    add(false);
  }

  private void add(boolean merge) {
    if (merged == merge) {
      throw new BadInputException(
          "The adapters are %s; call %s first.",
          merged ? "already merged" : "not merged", merged ? "unmerge" : "merge");
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

  /** Bytes that {@link AdapterFolder} writes for it. */
  public long bytes() {
    return model.adapterShapes().values().stream()
        .mapToLong(shape -> Arrays.stream(shape).reduce(Float.BYTES, (a, b) -> a * b))
        .sum();
  }

  /** The update of a weight, {@code scale * B A}, in the weight's own layout. */
  static INDArray update(INDArray a, INDArray b, double scale, boolean inputFirst) {
    return (inputFirst ? a.transpose().mmul(b.transpose()) : b.mmul(a)).muli(scale);
  }

  /** The base's parameters, with this adapter's own copies of the ones it trains. */
  public Parameters baseParameters() {
    Map<String, INDArray> arrays = new LinkedHashMap<>(parameters.asMap());
    arrays.keySet().retainAll(model.base().parameters().keySet());
    return parameters.withArrays(arrays);
  }
}
