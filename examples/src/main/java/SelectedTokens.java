import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadDataException;
import org.tokentune.ops.TokenGather;

/**
 * TokenGather alone, in a SameDiff graph of one's own: the rows of selected tokens of a computed
 * variable, its gradient against central differences, and positions that are refused.
 */
public final class SelectedTokens {

  private static final double STEP = 1e-5;

  private SelectedTokens() {}

  public static void main(String[] args) {
    SameDiff sd = SameDiff.create();
    Nd4j.getRandom().setSeed(1);
    SDVariable x = sd.var("x", Nd4j.randn(DataType.DOUBLE, 2, 4, 3)); // [batch, length, width]
    SDVariable positions = sd.placeHolder("positions", DataType.INT32, -1, -1);
    SDVariable hidden = sd.math().tanh(x.mul(2));
    SDVariable rows = TokenGather.tokens(hidden, positions); // [batch * k, width]
    rows.mul(rows).sum().rename("loss");
    sd.setLossVariables("loss");
    Map<String, INDArray> inputs =
        Map.of("positions", Nd4j.createFromArray(new int[][] {{0, 3}, {1, 1}})); // 1 twice
    INDArray gradient = sd.calculateGradients(inputs, "x").get("x");
    INDArray values = x.getArr();
    double worst = 0;
    for (long i = 0; i < values.length(); i++) {
      double value = values.getDouble(i);
      values.putScalar(i, value + STEP);
      double above = loss(sd, inputs);
      values.putScalar(i, value - STEP);
      double below = loss(sd, inputs);
      values.putScalar(i, value);
      double slope = (above - below) / (2 * STEP);
      worst = Math.max(worst, Math.abs(slope - gradient.getDouble(i)));
    }
    System.out.printf("gradient and central differences differ by %.1e at most%n", worst);
    if (worst > 1e-7) {
      throw new IllegalStateException("the gradient is wrong");
    }
    for (int wrong : List.of(4, -1, 7, Integer.MAX_VALUE, Integer.MIN_VALUE)) {
      INDArray outside = Nd4j.createFromArray(new int[][] {{0, wrong}, {1, 1}});
      try {
        sd.calculateGradients(Map.of("positions", outside), "x");
        throw new IllegalStateException(wrong + " was not refused");
      } catch (BadDataException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  private static double loss(SameDiff sd, Map<String, INDArray> inputs) {
    return sd.outputSingle(inputs, "loss").getDouble(0);
  }
}
