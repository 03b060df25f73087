package org.tokentune.nn;

import static org.tokentune.Arguments.required;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.ops.QuantizedWeight;
import org.tokentune.ops.ShapeOnlyArray;

/**
 * A model's parameters by Hugging Face's names. All graphs of a model share these arrays, and
 * training changes them in place, so every graph sees an optimizer step immediately. Frozen weights
 * may be quantised.
 */
public final class Parameters {

  private final Map<String, INDArray> arrays;
  private final Map<String, QuantizedWeight> quantized;

  /** Shares the arrays without copying; a view must be dense and in c order. */
  public Parameters(Map<String, INDArray> arrays) {
    this(arrays, Map.of());
  }

  /**
   * The same, with some parameters quantised.
   *
   * @param quantized the quantised parameters, by name
   */
  public Parameters(Map<String, INDArray> arrays, Map<String, QuantizedWeight> quantized) {
    required(arrays, "arrays");
    required(quantized, "quantized");

    arrays.forEach(
        (name, array) -> {
          if (array.isView() && !Shape.hasDefaultStridesForShape(array)) {
            throw BadSettingsException.of(
                "arrays", "must be dense, but %s is a view that is not; duplicate it.", name);
          }
        });
    this.arrays = Collections.unmodifiableMap(new LinkedHashMap<>(arrays));
    this.quantized = Collections.unmodifiableMap(new LinkedHashMap<>(quantized));
  }

  /**
   * FLOAT parameters of these shapes that take almost no memory: for building and planning a
   * model's graph, not for running it.
   */
  public static Parameters shapeOnly(Map<String, long[]> shapes) {
    required(shapes, "shapes");

    Map<String, INDArray> arrays = new LinkedHashMap<>();
    shapes.forEach((name, shape) -> arrays.put(name, ShapeOnlyArray.of(DataType.FLOAT, shape)));
    return new Parameters(arrays);
  }

  /** The same quantised weights with other arrays, some of which may replace a quantised weight. */
  public Parameters withArrays(Map<String, INDArray> others) {
    required(others, "others");

    Map<String, QuantizedWeight> rest = new LinkedHashMap<>(quantized);
    rest.keySet().removeAll(others.keySet());
    return new Parameters(others, rest);
  }

  /** Names of all parameters, quantised ones last. */
  public Set<String> names() {
    Set<String> names = new LinkedHashSet<>(arrays.keySet());
    names.addAll(quantized.keySet());
    return names;
  }

  /**
   * A parameter's array.
   *
   * @throws BadInputException if there is no such parameter, or it is quantised
   */
  public INDArray get(String name) {
    required(name, "name");

    INDArray array = arrays.get(name);
    if (array == null) {
      throw quantized.containsKey(name)
          ? new BadSettingsException(
              "%s is quantised and cannot be changed; load the model with float weights.", name)
          : new BadSettingsException("The model has no parameter %s.", name);
    }
    return array;
  }

  /** A quantised weight; null if the parameter is not quantised. */
  public QuantizedWeight quantized(String name) {
    required(name, "name");

    return quantized.get(name);
  }

  /** Shape of any parameter. */
  public long[] shape(String name) {
    required(name, "name");

    return quantized.containsKey(name) ? quantized.get(name).shape() : get(name).shape();
  }

  /** The floating-point type of computations, which is that of the arrays. */
  public DataType type() {
    return arrays.values().iterator().next().dataType();
  }

  /** All arrays in the model's order, without quantised weights. */
  public Map<String, INDArray> asMap() {
    return arrays;
  }

  /** Memory of all parameters in bytes. */
  public long bytes() {
    return bytes(arrays.keySet())
        + quantized.values().stream().mapToLong(QuantizedWeight::bytes).sum();
  }

  /** Memory of some of the arrays in bytes. */
  public long bytes(Collection<String> names) {
    required(names, "names");

    return names.stream()
        .map(this::get)
        .mapToLong(array -> array.length() * array.dataType().width())
        .sum();
  }
}
