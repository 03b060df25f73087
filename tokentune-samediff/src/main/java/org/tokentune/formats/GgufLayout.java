package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import java.util.Optional;
import java.util.Set;
import org.tokentune.BadSettingsException;

/** How a family's tensors are stored in GGUF files: the inverse of how {@link Gguf} reads them. */
public final class GgufLayout {

  private final GgufArchitecture architecture;

  private GgufLayout(GgufArchitecture architecture) {
    this.architecture = architecture;
  }

  /** The {@code model_type} of every family that can be stored. */
  public static Set<String> families() {
    return GgufArchitecture.stored();
  }

  /**
   * The layout of a family.
   *
   * @throws BadSettingsException if it has none
   */
  public static GgufLayout of(String modelType) {
    required(modelType, "modelType");

    return new GgufLayout(
        GgufArchitecture.storing(modelType)
            .orElseThrow(
                () ->
                    new BadSettingsException(
                        "Models of type %s are not written as GGUF files; those of %s are.",
                        modelType, String.join(", ", families()))));
  }

  /** llama.cpp's name of the architecture. */
  public String architecture() {
    return architecture.name();
  }

  /** The name under which a parameter is stored; empty if it has none. */
  public Optional<String> stored(String parameter) {
    required(parameter, "parameter");

    return architecture.stored(parameter);
  }

  /**
   * A parameter's values as they are stored: 1 added to gains, and rows of queries and keys in the
   * order of neighbours that are rotated.
   *
   * @param values in place; of a matrix [rows, width]
   * @param rows rows of a matrix; of a vector, its length
   */
  public float[] stored(String parameter, float[] values, long rows, int headSize) {
    required(parameter, "parameter");
    required(values, "values");

    if (architecture.addsOneTo(parameter)) {
      for (int i = 0; i < values.length; i++) {
        values[i] += 1;
      }
    }
    return architecture.permutes(parameter)
        ? new RotaryRows(headSize)
            .permuted(values, Math.toIntExact(values.length / rows), parameter)
        : values;
  }

  /** The shape in which a parameter of this shape is stored. */
  public long[] storedShape(String parameter, long[] shape) {
    required(shape, "shape");

    return transposes(parameter) ? new long[] {shape[1], shape[0]} : shape.clone();
  }

  /** Whether files have a matrix [in, out] as [out, in], as {@link #transposed} makes it. */
  public boolean transposes(String parameter) {
    required(parameter, "parameter");

    return architecture.transposes(parameter);
  }

  /**
   * A matrix with rows and columns exchanged.
   *
   * @param values [rows, columns]
   * @param shape of the values
   */
  public static float[] transposed(float[] values, long[] shape) {
    required(values, "values");
    required(shape, "shape");

    int rows = Math.toIntExact(shape[0]);
    int columns = Math.toIntExact(shape[1]);
    float[] exchanged = new float[values.length];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        exchanged[column * rows + row] = values[row * columns + column];
      }
    }
    return exchanged;
  }

  /**
   * The factor of the scores of attention that llama.cpp uses where the metadata say none.
   *
   * @param hidden the model's hidden size
   */
  public double scoreScale(int layers, int hidden, int heads, int headSize) {
    return 1 / Math.sqrt(architecture.scoreDivisor(layers, hidden, heads, headSize));
  }
}
