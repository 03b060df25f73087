package org.tokentune.ops;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Compares SameDiff's gradients of every trainable variable with central differences, in double
 * precision.
 */
public final class GradientCheck {

  private static final double STEP = 1e-5;

  private GradientCheck() {}

  /** A DOUBLE array of seeded standard normal numbers. */
  public static INDArray normal(long seed, long... shape) {
    double[] values = new double[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    Random random = new Random(seed);
    Arrays.setAll(values, i -> random.nextGaussian());
    return Nd4j.createFromArray(values).reshape(shape);
  }

  /**
   * Checks {@code sd} as built and again after {@code save} and {@code load}.
   *
   * @param output DOUBLE, any shape; the loss is {@code sum(output * output * weights)}, so that
   *     the upstream gradient differs from element to element
   * @return the largest relative error
   */
  public static double check(String name, SDVariable output, Map<String, INDArray> placeholders) {
    SameDiff sd = output.getSameDiff();
    INDArray value = sd.outputSingle(placeholders, output.name());
    SDVariable weights = sd.constant("check_weights", normal(99, value.shape()));
    output.mul(output).mul(weights).sum().rename("check_loss");
    sd.setLossVariables("check_loss");
    double error = compare(sd, placeholders);
    try {
      File file = Files.createTempFile("gradient-check", ".fb").toFile();
      sd.save(file, false);
      Ops.register();
      SameDiff loaded = SameDiff.load(file, false);
      Files.delete(file.toPath());
      loaded.setLossVariables("check_loss");
      error = Math.max(error, compare(loaded, placeholders));
      assertSameBits(value, loaded.outputSingle(placeholders, output.name()), "loaded");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    System.out.printf("%-45s largest relative gradient error %.1e%n", name, error);
    assertTrue(error < 1e-6, name + ": " + error);
    return error;
  }

  private static double compare(SameDiff sd, Map<String, INDArray> placeholders) {
    List<String> variables =
        sd.variables().stream()
            .filter(v -> v.getVariableType() == org.nd4j.autodiff.samediff.VariableType.VARIABLE)
            .map(SDVariable::name)
            .toList();
    assertTrue(!variables.isEmpty(), "nothing to check");
    Map<String, INDArray> gradients = sd.calculateGradients(placeholders, variables);
    double worst = 0;
    for (String variable : variables) {
      INDArray values = sd.getVariable(variable).getArr();
      INDArray gradient = gradients.get(variable);
      double scale = Math.max(1e-3, gradient.amaxNumber().doubleValue());
      for (long i = 0; i < values.length(); i++) {
        double before = values.getDouble(i);
        values.putScalar(i, before + STEP);
        double above = sd.outputSingle(placeholders, "check_loss").getDouble(0);
        values.putScalar(i, before - STEP);
        double below = sd.outputSingle(placeholders, "check_loss").getDouble(0);
        values.putScalar(i, before);
        double numeric = (above - below) / (2 * STEP);
        worst = Math.max(worst, Math.abs(numeric - gradient.getDouble(i)) / scale);
      }
    }
    return worst;
  }
}
