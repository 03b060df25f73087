package org.tokentune.adapters;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.QuantizedWeight;

/**
 * A model's low-rank adapters and their values. Any number of adapters can share one base model:
 * they use its weights, and each has its own matrices and its own copies of any other parameters it
 * trains.
 */
public final class Adapter {

  private final LoraModel model;
  private final Parameters parameters;
  private final Set<String> own;

  /** What DoRA multiplied the rows of merged weights by. */
  private final Map<String, INDArray> factors = new HashMap<>();

  private boolean merged;

  private Adapter(LoraModel model, Parameters parameters, Set<String> own) {
    this.model = model;
    this.parameters = parameters;
    this.own = own;
  }

  /**
   * New adapters with no effect yet: A uniform within {@code 1 / sqrt(in)}, as in PEFT, and B zero;
   * DoRA's lengths are those of the weights' rows.
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
        .forEach((name, shape) -> values.put(name, fresh(name, shape, model, parameters, random)));
    return of(model, parameters, values);
  }

  private static INDArray fresh(
      String name, long[] shape, LoraModel model, Parameters base, SplittableRandom random) {
    if (name.endsWith(LoraModel.MAGNITUDE)) {
      String weight =
          name.substring(0, name.length() - LoraModel.MAGNITUDE.length()) + LoraModel.WEIGHT;
      QuantizedWeight quantized = base.quantized(weight);
      if (quantized == null) {
        return lengths(base.get(weight), model.inputFirst());
      }
      try (INDArray floats = quantized.values()) {
        return lengths(floats, model.inputFirst());
      }
    }
    return name.endsWith(LoraModel.A) ? uniform(shape, random) : Nd4j.zeros(shape);
  }

  /** Lengths of a weight's rows, or of its columns where it is stored input first: [out]. */
  private static INDArray lengths(INDArray weight, boolean inputFirst) {
    return weight.norm2(inputFirst ? 0 : 1).reshape(-1);
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

  /** How several adapters become one; PEFT's combination types of these names. */
  public enum Combination {
    /** The sum of the weighted updates: A and B of all, one after the other; ranks add up. */
    CAT,
    /**
     * Weighted sums of A and of B: for adapters of equal rank that were trained from each other.
     * The update is not the sum of the updates.
     */
    LINEAR;

    /** The name in lower case, as in PEFT. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One adapter that has the effect of several on the same base; as PEFT 0.21.2's {@code
   * add_weighted_adapter}. Classifiers and other parameters that one of them trains fully come
   * along.
   *
   * @param adapters one or more, not merged
   * @param weights of their updates, which are multiplied by their own scales besides; any numbers
   * @throws BadInputException for DoRA, whose updates are no sums, for parameters that several of
   *     them train fully, or for {@link Combination#LINEAR} of different ranks in a layer
   */
  public static Adapter combined(
      List<Adapter> adapters, List<Double> weights, Combination combination) {
    required(adapters, "adapters");
    required(weights, "weights");
    required(combination, "combination");
    return new AdapterCombination(adapters, weights).combined(combination);
  }

  /** Whether a parameter's array is not shared with other adapters of the base. */
  boolean owns(String name) {
    return own.contains(name);
  }

  /** Parameters of the base that it owns, by name. */
  Map<String, INDArray> ownOfBase() {
    Map<String, INDArray> arrays = new LinkedHashMap<>(parameters.asMap());
    arrays.keySet().retainAll(own);
    arrays.keySet().retainAll(model.base().parameters().keySet());
    return arrays;
  }

  /** The base's parameters, some of them replaced. */
  Parameters sharedParameters(Map<String, INDArray> others) {
    Map<String, INDArray> arrays = new LinkedHashMap<>(baseParameters().asMap());
    arrays.putAll(others);
    return parameters.withArrays(arrays);
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
      INDArray weight = parameters.get(layer + LoraModel.WEIGHT);
      INDArray a = parameters.get(layer + LoraModel.A);
      INDArray b = parameters.get(layer + LoraModel.B);
      INDArray magnitude = model.lora().dora() ? parameters.get(layer + LoraModel.MAGNITUDE) : null;
      double scale = model.lora().scale(layer);
      if (merge) {
        INDArray factor = merge(weight, a, b, scale, magnitude, model.inputFirst());
        if (factor != null) {
          factors.put(layer, factor);
        }
      } else {
        if (magnitude != null) {
          try (INDArray inverse = factors.remove(layer).rdivi(1)) {
            multiply(weight, inverse, model.inputFirst());
          }
        }
        try (INDArray update = update(a, b, -scale, model.inputFirst())) {
          weight.addi(update);
        }
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

  /**
   * Merges an update into a weight, in place.
   *
   * @param magnitude DoRA's lengths; null without DoRA
   * @return what DoRA multiplied the rows by, [out]; null without DoRA
   */
  static INDArray merge(
      INDArray weight,
      INDArray a,
      INDArray b,
      double scale,
      INDArray magnitude,
      boolean inputFirst) {
    try (INDArray update = update(a, b, scale, inputFirst)) {
      weight.addi(update);
    }
    if (magnitude == null) {
      return null;
    }
    INDArray factor = lengths(weight, inputFirst).rdivi(magnitude);
    multiply(weight, factor, inputFirst);
    return factor;
  }

  /** Multiplies the rows, or the columns where the weight is stored input first. */
  private static void multiply(INDArray weight, INDArray factor, boolean inputFirst) {
    if (inputFirst) {
      weight.muliRowVector(factor);
    } else {
      weight.muliColumnVector(factor);
    }
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
