package org.tokentune.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erf;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.formats.SafeTensors;
import org.tokentune.nn.internal.Graph;
import org.tokentune.nn.internal.Linear;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.ops.Gelu;

/**
 * A linear layer with an activation on sentence vectors: sentence-transformers' {@code Dense}.
 *
 * @param weight [out, in]
 * @param bias [out]; null without one
 * @param residual [out, in], what of the input is added to the result; null for none, or for the
 *     input itself
 * @param addsInput whether the input is added to the result
 * @param name its folder, and what the names of its parameters begin with
 * @param activationName of PyTorch's class
 */
record SentenceDense(
    double[][] weight,
    double[] bias,
    UnaryOperator<double[]> activation,
    double[][] residual,
    boolean addsInput,
    String name,
    String activationName)
    implements SentenceStep {

  static final String WEIGHT = "linear.weight";
  static final String BIAS = "linear.bias";
  static final String RESIDUAL = "residual.weight";

  private static final KnownFields KNOWN =
      KnownFields.NONE
          .mustBe("module_input_name", "sentence_embedding")
          .mustBe("module_output_name", "sentence_embedding");

  /**
   * Reads it.
   *
   * @param folder within the model's
   */
  static SentenceDense read(CompanionFiles files, String folder) {
    ConfigReader config = files.object(folder + "/config.json");
    int in = config.count("in_features");
    int out = config.count("out_features");
    boolean biased = config.flag("bias", true);
    boolean addsInput = config.flag("use_residual", false);
    UnaryOperator<double[]> activation =
        activation(config.text("activation_function", "torch.nn.Tanh"), config);
    config.finish(KNOWN);
    String name = folder + "/model.safetensors";
    byte[] bytes =
        files
            .bytes(name)
            .orElseThrow(
                () ->
                    new BadFileException(
                        "%s is missing; save the model with a sentence-transformers of version 2.3 or"
                            + " newer, which writes it.",
                        files.origin(name)));
    try {
      Path copy = Files.createTempFile("dense", ".safetensors");
      try {
        Files.write(copy, bytes);
        try (SafeTensors tensors = SafeTensors.open(copy)) {
          return new SentenceDense(
              matrix(tensors, WEIGHT, out, in, files.origin(name)),
              biased ? matrix(tensors, BIAS, 1, out, files.origin(name))[0] : null,
              activation,
              addsInput && in != out
                  ? matrix(tensors, RESIDUAL, out, in, files.origin(name))
                  : null,
              addsInput,
              folder,
              config.text("activation_function", "torch.nn.Tanh"));
        }
      } finally {
        Files.delete(copy);
      }
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s cannot be copied to read it: %s.", files.origin(name), e.getMessage());
    }
  }

  private static double[][] matrix(
      SafeTensors tensors, String name, int rows, int columns, String origin) {
    if (!tensors.names().contains(name)) {
      throw new BadFileException("%s has no tensor %s; download it again.", origin, name);
    }
    long[] shape = tensors.shape(name);
    long[] expected = name.endsWith("bias") ? new long[] {columns} : new long[] {rows, columns};
    if (!Arrays.equals(shape, expected)) {
      throw new BadFileException(
          "%s: tensor %s has shape %s, but config.json beside it says %s.",
          origin, name, Arrays.toString(shape), Arrays.toString(expected));
    }
    try (INDArray values = tensors.read(name)) {
      return values.reshape(rows, columns).toDoubleMatrix();
    }
  }

  /** By the name of PyTorch's class. */
  private static UnaryOperator<double[]> activation(String name, ConfigReader config) {
    String title = name.startsWith("torch.") ? name.substring(name.lastIndexOf('.') + 1) : name;
    return switch (title) {
      case "Identity" -> x -> x;
      case "Tanh" -> each(Math::tanh);
      case "ReLU" -> each(x -> Math.max(0, x));
      case "ReLU6" -> each(x -> Math.min(6, Math.max(0, x)));
      case "LeakyReLU" -> each(x -> x > 0 ? x : 0.01 * x);
      case "ELU" -> each(x -> x > 0 ? x : Math.expm1(x));
      case "Sigmoid" -> each(x -> 1 / (1 + Math.exp(-x)));
      case "SiLU" -> each(x -> x / (1 + Math.exp(-x)));
      case "Softplus" -> each(x -> x > 20 ? x : Math.log1p(Math.exp(x)));
      case "GELU" -> SentenceDense::gelu;
      default ->
          throw config.bad(
              "activation_function",
              "Identity, Tanh, ReLU, ReLU6, LeakyReLU, ELU, Sigmoid, SiLU, Softplus or GELU of"
                  + " torch.nn");
    };
  }

  private interface Function {
    double of(double x);
  }

  private static UnaryOperator<double[]> each(Function function) {
    return values -> Arrays.stream(values).map(function::of).toArray();
  }

  private static double[] gelu(double[] values) {
    try (INDArray x = Nd4j.createFromArray(values).divi(Math.sqrt(2));
        INDArray erf = Nd4j.getExecutioner().exec(new Erf(x, x.ulike()))) {
      double[] results = values.clone();
      for (int i = 0; i < results.length; i++) {
        results[i] *= 0.5 * (1 + erf.getDouble(i));
      }
      return results;
    }
  }

  @Override
  public double[] apply(double[] x) {
    if (x.length != weight[0].length) {
      throw new BadFileException(
          "A Dense layer takes %d numbers, but the module before it gives %d; download the model again.",
          weight[0].length, x.length);
    }
    double[] y = bias == null ? new double[weight.length] : bias.clone();
    multiply(weight, x, y);
    y = activation.apply(y);
    if (residual != null) {
      multiply(residual, x, y);
    } else if (addsInput) {
      for (int i = 0; i < y.length; i++) {
        y[i] += x[i];
      }
    }
    return y;
  }

  /** Names and values of its parameters. */
  Map<String, INDArray> parameters() {
    Map<String, INDArray> parameters = new LinkedHashMap<>();
    parameters.put(parameter(WEIGHT), floats(weight));
    if (bias != null) {
      parameters.put(parameter(BIAS), floats(new double[][] {bias}).reshape(-1));
    }
    if (residual != null) {
      parameters.put(parameter(RESIDUAL), floats(residual));
    }
    return parameters;
  }

  private static INDArray floats(double[][] values) {
    return Nd4j.createFromArray(values).castTo(DataType.FLOAT);
  }

  private String parameter(String own) {
    return name + "." + own;
  }

  @Override
  public int width(int in) {
    if (in != weight[0].length) {
      throw new BadFileException(
          "A Dense layer takes %d numbers, but the module before it gives %d; download the model again.",
          weight[0].length, in);
    }
    return weight.length;
  }

  @Override
  public TokenStream apply(Graph graph, TokenStream x) {
    Linear linear = new Linear(parameter(WEIGHT), bias == null ? null : parameter(BIAS), false);
    TokenStream y = linear.apply(graph, x);
    y = y.with(activated(graph, y.rows()));
    if (!addsInput) {
      return y;
    }
    TokenStream added =
        residual == null ? x : new Linear(parameter(RESIDUAL), null, false).apply(graph, x);
    return y.with(y.rows().add(added.rows()));
  }

  /** Without values, which are parameters. */
  @Override
  public String toString() {
    return "Dense[" + name + ", " + activationName + ", adds input: " + addsInput + "]";
  }

  private SDVariable activated(Graph graph, SDVariable x) {
    return switch (activationName.substring(activationName.lastIndexOf('.') + 1)) {
      case "Identity" -> x;
      case "Tanh" -> graph.sd().math().tanh(x);
      case "ReLU" -> graph.sd().nn().relu(x, 0);
      case "Sigmoid" -> graph.sd().nn().sigmoid(x);
      case "SiLU" -> x.mul(graph.sd().nn().sigmoid(x));
      case "GELU" -> Gelu.exact(x, graph.kernelMode());
      default ->
          throw new BadSettingsException(
              "A Dense layer with %s cannot be trained; Identity, Tanh, ReLU, Sigmoid, SiLU and GELU"
                  + " can.",
              activationName);
    };
  }

  private static void multiply(double[][] matrix, double[] x, double[] sum) {
    for (int i = 0; i < sum.length; i++) {
      for (int j = 0; j < x.length; j++) {
        sum[i] += matrix[i][j] * x[j];
      }
    }
  }
}
