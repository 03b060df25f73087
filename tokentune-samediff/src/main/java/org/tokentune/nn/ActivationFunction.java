package org.tokentune.nn;

import static org.tokentune.Arguments.required;

import java.util.Map;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.nn.internal.Graph;
import org.tokentune.nn.internal.NetworkLayer;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.ops.Gelu;
import org.tokentune.ops.KernelMode;

/** An elementwise activation function. */
public enum ActivationFunction implements NetworkLayer {
  /** Hugging Face's {@code gelu}. */
  GELU,
  /** Hugging Face's {@code gelu_new}, which also has other names. */
  GELU_TANH,
  /** Hugging Face's {@code relu}. */
  RELU,
  /** Hugging Face's {@code tanh}. */
  TANH;

  /**
   * Activation functions by Hugging Face's names (source: {@code ACT2CLS} of transformers 5.24).
   */
  private static final Map<String, ActivationFunction> NAMES =
      Map.of(
          "gelu", GELU,
          "gelu_python", GELU,
          "gelu_new", GELU_TANH,
          "gelu_fast", GELU_TANH,
          "gelu_accurate", GELU_TANH,
          "gelu_python_tanh", GELU_TANH,
          "gelu_pytorch_tanh", GELU_TANH,
          "relu", RELU,
          "tanh", TANH);

  /** Whether {@link #read} accepts a name. */
  public static boolean isKnown(String name) {
    required(name, "name");

    return NAMES.containsKey(name);
  }

  /**
   * The function with one of Hugging Face's names.
   *
   * @throws BadInputException for any other
   */
  public static ActivationFunction read(String name) {
    required(name, "name");

    if (!isKnown(name)) {
      throw new BadSettingsException(
          "The activation %s is not supported; gelu, gelu_new, relu and tanh are.", name);
    }
    return NAMES.get(name);
  }

  @Override
  public TokenStream apply(Graph graph, TokenStream x) {
    KernelMode kernelMode = graph.kernelMode();
    return x.with(
        switch (this) {
          case GELU -> Gelu.exact(x.rows(), kernelMode);
          case GELU_TANH -> Gelu.tanh(x.rows(), kernelMode);
          case RELU -> graph.sd().nn().relu(x.rows(), 0);
          case TANH -> graph.sd().math().tanh(x.rows());
        });
  }
}
