package org.tokentune.nn;

import static org.tokentune.Arguments.required;

import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.BadInputException;
import org.tokentune.nn.internal.Graph;
import org.tokentune.nn.internal.NetworkLayer;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.ops.GatedLinearUnit;
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
  /** Hugging Face's {@code silu}, also called {@code swish}. */
  SILU,
  /** Hugging Face's {@code tanh}. */
  TANH;

  /**
   * Activation functions by Hugging Face's names (source: {@code ACT2CLS} of transformers 5.24).
   */
  private static final Map<String, ActivationFunction> NAMES =
      Map.ofEntries(
          Map.entry("gelu", GELU),
          Map.entry("gelu_python", GELU),
          Map.entry("gelu_new", GELU_TANH),
          Map.entry("gelu_fast", GELU_TANH),
          Map.entry("gelu_accurate", GELU_TANH),
          Map.entry("gelu_python_tanh", GELU_TANH),
          Map.entry("gelu_pytorch_tanh", GELU_TANH),
          Map.entry("relu", RELU),
          Map.entry("silu", SILU),
          Map.entry("swish", SILU),
          Map.entry("tanh", TANH));

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
      throw new BadInputException(
          "The activation %s is not supported; gelu, gelu_new, relu, silu and tanh are.", name);
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
          case SILU -> x.rows().mul(graph.sd().nn().sigmoid(x.rows()));
          case TANH -> graph.sd().math().tanh(x.rows());
        });
  }

  /** Whether {@link #gate} has this function. */
  public boolean gates() {
    return this == GELU || this == GELU_TANH || this == SILU;
  }

  /**
   * The product of this function of the gates and of other values, [n, width] each.
   *
   * @throws BadInputException where no family has such a product
   */
  public SDVariable gate(Graph graph, SDVariable gates, SDVariable values) {
    KernelMode kernelMode = graph.kernelMode();
    return switch (this) {
      case GELU -> GatedLinearUnit.geGlu(gates, values, kernelMode);
      case GELU_TANH -> GatedLinearUnit.geGluTanh(gates, values, kernelMode);
      case SILU -> GatedLinearUnit.swiGlu(gates, values, kernelMode);
      default ->
          throw new BadInputException("Gates with %s are not supported; silu and gelu are.", this);
    };
  }
}
