package org.tokentune.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.tokentune.ops.GradientCheck.check;
import static org.tokentune.ops.GradientCheck.normal;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Cosines and their gradients, also of a single row, whose products are 1 x 1. */
class CosinesTest {

  private final SameDiff sd = SameDiff.create();
  private int variables;

  private SDVariable variable(long... shape) {
    variables++;
    return sd.var("v" + variables, normal(variables, shape));
  }

  private static double cosine(INDArray a, INDArray b) {
    double product = a.mul(b).sumNumber().doubleValue();
    return product / a.norm2Number().doubleValue() / b.norm2Number().doubleValue();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void normalizesRows(int rows) {
    SDVariable x = variable(rows, 4);
    SDVariable y = Cosines.normalized(x);
    INDArray first = y.eval().getRow(0);
    assertEquals(1, first.norm2Number().doubleValue(), 1e-12);
    check("normalized " + rows, y, Map.of());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void comparesPairs(int rows) {
    SDVariable x = variable(rows, 4);
    SDVariable y = variable(rows, 4);
    SDVariable cosines = Cosines.pairs(x, y);
    double expected = cosine(x.getArr().getRow(0), y.getArr().getRow(0));
    assertEquals(expected, cosines.eval().getDouble(0), 1e-12);
    check("pairs " + rows, cosines, Map.of());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void comparesAll(int rows) {
    SDVariable x = variable(1, 4);
    SDVariable y = variable(rows, 4);
    SDVariable cosines = Cosines.matrix(x, y);
    double expected = cosine(x.getArr().getRow(0), y.getArr().getRow(rows - 1));
    assertEquals(expected, cosines.eval().getDouble(0, rows - 1), 1e-12);
    check("matrix " + rows, cosines, Map.of());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void addsUpExponentials(int rows) {
    SDVariable x = variable(rows, 4);
    SDVariable sums = Losses.logSumExpOfRows(x.mul(300));
    double largest = x.getArr().getRow(0).maxNumber().doubleValue();
    assertEquals(300 * largest, sums.eval().getDouble(0), 1);
    check("log of sums of exponentials " + rows, Losses.logSumExpOfRows(x), Map.of());
  }
}
