package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.SplittableRandom;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
import org.tokentune.ops.internal.FusedDropout;
import org.tokentune.ops.internal.OwnOp;
import org.tokentune.ops.internal.kernels.DropoutMask;

/**
 * Inverted dropout: {@code y = x * mask}, where the mask is 0 with probability {@code rate} and
 * {@code 1 / (1 - rate)} otherwise (Srivastava et al., 2014). Gradient: {@code dX = dY * mask},
 * with the same mask.
 *
 * <p>The mask is a hash, not a random stream: it is a function of the step's seed, the place in the
 * model and the element's coordinates. So it is the same forward and backward, differs between
 * steps and places, and does not depend on which tokens are selected: the same elements of a token
 * are dropped in the selected and in the frozen stream.
 *
 * <p>Native form: integer multiplications, shifts and exclusive-ors compute the mask, {@code
 * multiply} applies it. Fused form: {@link FusedDropout}, forward and backward.
 */
public final class Dropout extends OwnOp {

  /** For SameDiff, which creates ops by reflection; use {@link #apply}. */
  public Dropout() {}

  private Dropout(SameDiff sd, SDVariable x, SDVariable mask) {
    super(sd, x, mask);
  }

  /**
   * Drops elements of {@code x}. Whether element (r, c) is dropped depends on the product of its
   * row key and column key.
   *
   * @param x FLOAT or DOUBLE
   * @param rate probability of dropping, 0 to below 1; 0 returns {@code x} itself
   * @param rowKeys from {@link #keys}, of a shape that broadcasts with the column keys to the shape
   *     of {@code x}
   * @param columnKeys from {@link #keys}, likewise
   */
  public static SDVariable apply(
      SDVariable x, double rate, SDVariable rowKeys, SDVariable columnKeys) {
    required(x, "x");
    required(rowKeys, "rowKeys");
    required(columnKeys, "columnKeys");

    checkRate(rate);
    if (rate == 0) {
      return x;
    }
    Ops.register();
    SameDiff sd = x.getSameDiff();
    SDVariable hash = multiply(shiftXor(rowKeys.mul(columnKeys), 15), DropoutMask.SPREAD);
    SDVariable kept = sd.gte(hash, sd.constant(DropoutMask.threshold(rate))).castTo(x.dataType());
    return new Dropout(sd, x, kept.mul(1 / (1 - rate))).outputVariable();
  }

  /**
   * Drops elements of {@code x}. Whether element (r, c) is dropped depends on its row and column
   * numbers.
   *
   * @param x FLOAT or DOUBLE
   * @param rate probability of dropping, 0 to below 1; 0 returns {@code x} itself
   * @param rowNumbers INT32 [..., 1], one for every row of {@code x}
   * @param columnNumbers INT32 [1, ..., columns], or with the first dimension of {@code x}
   * @param seed INT32 scalar, another one at every step
   * @param place number of the place in the model
   */
  public static SDVariable apply(
      SDVariable x,
      double rate,
      SDVariable rowNumbers,
      SDVariable columnNumbers,
      SDVariable seed,
      int place,
      KernelMode kernelMode) {
    required(x, "x");
    required(rowNumbers, "rowNumbers");
    required(columnNumbers, "columnNumbers");
    required(seed, "seed");
    required(kernelMode, "kernelMode");

    checkRate(rate);
    if (rate == 0) {
      return x;
    }
    if (kernelMode == KernelMode.NATIVE) {
      return apply(x, rate, keys(rowNumbers, seed, place), keys(columnNumbers, seed, ~place));
    }
    Ops.register();
    return new FusedDropout(x.getSameDiff(), x, rate, rowNumbers, columnNumbers, seed, place)
        .outputVariable();
  }

  private static void checkRate(double rate) {
    if (!(rate >= 0 && rate < 1)) {
      throw BadSettingsException.of("rate", "must be at least 0 and below 1, got %s.", rate);
    }
  }

  /**
   * The seed of a step: INT32 scalar. Mixed by a random generator, as consecutive numbers would
   * give similar masks.
   *
   * @param seed seed of the whole training run
   * @param step number of the step in the run
   */
  public static INDArray seed(long seed, int step) {
    return Nd4j.scalar((int) new SplittableRandom(seed * 31 + step).nextLong());
  }

  /**
   * Maps numbers to odd, well-mixed 32-bit keys.
   *
   * @param numbers INT32, any shape: row or column numbers
   * @param seed INT32 scalar, another one at every step
   * @param place number of the place in the model
   */
  public static SDVariable keys(SDVariable numbers, SDVariable seed, int place) {
    required(numbers, "numbers");
    required(seed, "seed");

    SameDiff sd = numbers.getSameDiff();
    SDVariable x =
        mix(
            multiply(numbers, DropoutMask.NUMBERS)
                .add(mix(seed.add(sd.constant(place * DropoutMask.ODD)))));
    return sd.bitwise().or(x, sd.constant(1));
  }

  /**
   * The finaliser of MurmurHash3 (Appleby, public domain): every input bit affects every output
   * bit.
   */
  private static SDVariable mix(SDVariable x) {
    return shiftXor(
        multiply(shiftXor(multiply(shiftXor(x, 16), DropoutMask.MIX_1), 13), DropoutMask.MIX_2),
        16);
  }

  private static SDVariable shiftXor(SDVariable x, int bits) {
    SameDiff sd = x.getSameDiff();
    return sd.bitwise().xor(x, sd.bitwise().rightShift(x, sd.constant(bits)));
  }

  /**
   * Multiplies by a constant variable: a scalar op would store the factor as a float and lose its
   * low bits.
   */
  private static SDVariable multiply(SDVariable x, int factor) {
    return x.mul(x.getSameDiff().constant(factor));
  }

  @Override
  public String opName() {
    return "token_dropout";
  }

  @Override
  public String resultName() {
    return "results of dropout";
  }

  @Override
  protected String nativeName() {
    return "multiply";
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(gradients.get(0).mul(arg(1)));
  }
}
