package org.tokentune.nn;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;

/** What is said where a model gives NaN or infinite numbers in place of an answer. */
public final class NonFinite {

  private NonFinite() {}

  /** Whether all of an array's numbers are finite. */
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
   * The error, which looks for a parameter that is not finite itself.
   *
   * @param parameters of the model
   * @param input what the numbers are of
   */
  public static BadInputException error(Parameters parameters, String input) {
    for (Map.Entry<String, INDArray> parameter : parameters.asMap().entrySet()) {
      if (!isFinite(parameter.getValue())) {
        return new BadInputException(
            "The model gives no finite numbers for %s: its tensor %s holds NaN or infinite ones;"
                + " get"
                + " the model again, or train it anew.",
            input, parameter.getKey());
      }
    }
    return new BadInputException(
        "The model gives no finite numbers for %s, though its weights are finite: they are too"
            + " large"
            + " for 32-bit floats, or damaged; download the model again, or train it anew.",
        input);
  }
}
