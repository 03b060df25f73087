package org.tokentune.nn;

import org.tokentune.BadInputException;
import org.tokentune.ops.Gelu;
import org.tokentune.ops.Style;

/** An activation function, element by element. */
public enum Activation implements Layer {
  /** Hugging Face's {@code gelu}. */
  GELU,
  /** Hugging Face's {@code gelu_new} and {@code gelu_pytorch_tanh}. */
  GELU_TANH,
  /** Hugging Face's {@code relu}. */
  RELU,
  /** Hugging Face's {@code tanh}. */
  TANH;

  /**
   * By Hugging Face's name.
   *
   * @throws BadInputException for any other
   */
  public static Activation read(String name) {
    return switch (name) {
      case "gelu" -> GELU;
      case "gelu_new", "gelu_pytorch_tanh" -> GELU_TANH;
      case "relu" -> RELU;
      case "tanh" -> TANH;
      default ->
          throw new BadInputException(
              "Activation %s is not known; known are gelu, gelu_new, gelu_pytorch_tanh, relu and tanh.",
              name);
    };
  }

  @Override
  public TokenStream apply(Graph graph, TokenStream x) {
    Style style = graph.style();
    return x.with(
        switch (this) {
          case GELU -> Gelu.exact(x.rows(), style);
          case GELU_TANH -> Gelu.tanh(x.rows(), style);
          case RELU -> graph.sd().nn().relu(x.rows(), 0);
          case TANH -> graph.sd().math().tanh(x.rows());
        });
  }
}
