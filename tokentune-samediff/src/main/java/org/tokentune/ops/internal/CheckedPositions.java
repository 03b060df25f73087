package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.tokentune.BadDataException;

/**
 * Positions, unchanged, after a check that they are on an axis of another value: {@code out =
 * positions}. Running the graph fails with a {@link BadDataException} that names the first one that
 * is not. Without gradient: positions are integers.
 *
 * <p>Shapes: {@code positions} any, INT32 or INT64; the result is the same. Native form: {@code
 * identity}; the check is in Java, where SameDiff asks for the shape of the result.
 */
public final class CheckedPositions extends OwnOp {

  private static final int PADDING = -1;

  /** For SameDiff, which creates ops by reflection. */
  public CheckedPositions() {}

  /**
   * @param axis of {@code values} that the positions are on: 0, rows of a table, or 1, tokens of
   *     sequences
   * @param padded whether -1 is valid
   */
  public CheckedPositions(
      SameDiff sd, SDVariable positions, SDVariable values, int axis, boolean padded) {
    super(sd, positions, values);
    addIArgument(axis, padded ? 1 : 0);
  }

  @Override
  public String opName() {
    return "checked_positions";
  }

  @Override
  protected String nativeName() {
    return "identity";
  }

  @Override
  public List<LongShapeDescriptor> calculateOutputShape(OpContext context) {
    if (context == null || context.getInputArrays().size() < 2) {
      return super.calculateOutputShape(context);
    }
    INDArray positions = context.getInputArrays().get(0);
    check(positions, context.getInputArrays().get(1));
    return List.of(positions.shapeDescriptor());
  }

  private void check(INDArray positions, INDArray values) {
    int axis = getIArgument(0).intValue();
    boolean padded = getIArgument(1) == 1;
    long end = values.size(axis);
    long[] numbers = positions.dup('c').reshape(positions.length()).toLongVector();
    for (int i = 0; i < numbers.length; i++) {
      boolean valid = numbers[i] >= 0 && numbers[i] < end;
      if (!valid && !(padded && numbers[i] == PADDING)) {
        throw outside(numbers[i], i, positions, end);
      }
    }
  }

  private BadDataException outside(long number, int index, INDArray positions, long end) {
    String what = arg(0).name();
    String hint = getIArgument(1) == 1 ? ", or -1 for padding" : "";
    if (getIArgument(0) == 0) {
      return new BadDataException(
          "%s[%d] is %d, but the table %s has the rows 0 to %d; correct it%s.",
          what, index, number, arg(1).name(), end - 1, hint);
    }
    long width = Math.max(1, positions.length() / Math.max(1, positions.size(0)));
    return new BadDataException(
        "%s[%d, %d] is %d, but the sequences of %s have the positions 0 to %d; correct it%s.",
        what, index / width, index % width, number, arg(1).name(), end - 1, hint);
  }

  @Override
  public List<DataType> calculateOutputDataTypes(List<DataType> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(sameDiff.zerosLike(arg(0)), sameDiff.zerosLike(arg(1)));
  }
}
