package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.ops.internal.Aliasing;
import org.tokentune.ops.internal.OwnOp;

/**
 * Returns the same values without a gradient: {@code out = x}, {@code dX} does not exist.
 *
 * <p>Native form: {@code bitcast} to integers and back. SameDiff follows gradients only along
 * floating-point variables, so the integers in between cut the path and nothing upstream is
 * differentiated. ND4J's own {@code StopGradient} would differentiate everything upstream and then
 * multiply by a full array of zeros. (ND4J's own {@code BitCast} class has no usable SameDiff
 * constructor, hence this op for each half.)
 */
public final class Detach extends OwnOp {

  /** For SameDiff, which creates ops by reflection; use {@link #apply}. */
  public Detach() {}

  private Detach(SameDiff sd, SDVariable x, DataType type) {
    super(sd, x);
    addIArgument(type.toInt());
  }

  /** Detaches {@code x}, FLOAT or DOUBLE of any shape, from the gradient. */
  public static SDVariable apply(SDVariable x) {
    required(x, "x");

    Ops.register();
    SameDiff sd = x.getSameDiff();
    DataType bits = x.dataType() == DataType.DOUBLE ? DataType.INT64 : DataType.INT32;
    SDVariable cast = new Detach(sd, x, bits).outputVariable();
    return new Detach(sd, cast, x.dataType()).outputVariable();
  }

  @Override
  public List<DataType> calculateOutputDataTypes(List<DataType> inputs) {
    return List.of(DataType.fromInt(getIArgument(0).intValue()));
  }

  @Override
  public String opName() {
    return "token_detach";
  }

  @Override
  public Aliasing aliasing() {
    return Aliasing.RESHAPE;
  }

  @Override
  protected String nativeName() {
    return "bitcast";
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new IllegalStateException("a detached variable has no gradient");
  }
}
