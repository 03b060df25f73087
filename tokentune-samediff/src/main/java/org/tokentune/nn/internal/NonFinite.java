package org.tokentune.nn.internal;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.nn.Parameters;

/** Reports models that return NaN or infinite numbers. */
public final class NonFinite {

  private NonFinite() {}

  /** Whether all numbers in an array are finite. */
  public static boolean isFinite(INDArray array) {
    return !array.isNaN().any() && !array.isInfinite().any();
  }

  /** Whether all numbers are finite. */
  public static boolean isFinite(float[] numbers) {
    for (float number : numbers) {
      if (!Float.isFinite(number)) {
        return false;
      }
    }
    return true;
  }

  /**
   * The error, which names a non-finite parameter if there is one.
   *
   * @param parameters the model's parameters
   * @param input what the numbers were computed for
   */
  public static BadInputException error(Parameters parameters, String input) {
    for (Map.Entry<String, INDArray> parameter : parameters.asMap().entrySet()) {
      if (!isFinite(parameter.getValue())) {
        return new BadFileException(
            "The model returns non-finite numbers for %s, as its tensor %s holds NaN or infinite"
                + " values; download the model again, or retrain it.",
            input, parameter.getKey());
      }
    }
    return new BadFileException(
        "The model returns non-finite numbers for %s, although its weights are finite: they are"
            + " too large for 32-bit floats, or damaged; download the model again, or retrain it.",
        input);
  }
}
