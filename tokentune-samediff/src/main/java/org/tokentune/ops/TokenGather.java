package org.tokentune.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterAdd;
import org.tokentune.ops.internal.OwnOp;
import org.tokentune.ops.internal.ScatterRows;

/**
 * Rows of a table at integer positions: {@code out[i] = table[ids[i]]}. Routes selected tokens and
 * looks up embeddings.
 *
 * <p>Shapes: {@code table} [n, ...] of rank 2 or more, {@code ids} [m] integers in 0..n-1; the
 * result is [m, ...].
 *
 * <p>Gradient: {@code dTable = zeros; dTable[ids[i]] += dOut[i]}, a scatter-add, which accumulates
 * repeated ids. (ND4J's {@code gather} silently overwrites instead.)
 *
 * <p>Native form: {@code gather}, and {@code scatter_add} backward. Fused form: also {@code
 * gather}, and {@link ScatterRows} backward. Source: token selection of TokenTune (Simoulin et al.,
 * EMNLP 2024).
 */
public final class TokenGather extends OwnOp {

  /** For SameDiff, which creates ops by reflection; use {@link #rows}. */
  public TokenGather() {}

  private TokenGather(SameDiff sd, SDVariable table, SDVariable ids, KernelMode kernelMode) {
    super(sd, table, ids);
    addIArgument(0); // axis
    if (kernelMode == KernelMode.FUSED) {
      addIArgument(1); // gather reads only the first
    }
  }

  /** Rows of {@code table} [n, ...] at {@code ids} [m]: [m, ...]. */
  public static SDVariable rows(SDVariable table, SDVariable ids) {
    return rows(table, ids, KernelMode.NATIVE);
  }

  /** As {@link #rows(SDVariable, SDVariable)}. */
  public static SDVariable rows(SDVariable table, SDVariable ids, KernelMode kernelMode) {
    Ops.register();
    return new TokenGather(table.getSameDiff(), table, ids, kernelMode).outputVariable();
  }

  /**
   * Rows of {@code tokens} [batch, length, ...] at {@code positions} [batch, k]: [batch * k, ...],
   * sequence by sequence. Element [b, i] of the positions is a position in sequence b, 0 to
   * length-1. A rank-2 {@code tokens} gives [batch * k].
   */
  public static SDVariable tokens(SDVariable tokens, SDVariable positions) {
    return tokens(tokens, positions, KernelMode.NATIVE);
  }

  /** As {@link #tokens(SDVariable, SDVariable)}. */
  public static SDVariable tokens(SDVariable tokens, SDVariable positions, KernelMode kernelMode) {
    SameDiff sd = tokens.getSameDiff();
    long[] shape = tokens.getShape();
    long[] rowShape = new long[Math.max(2, shape.length - 1)];
    rowShape[0] = -1;
    rowShape[1] = 1; // a table of rank 1 crashes ND4J's gather
    System.arraycopy(shape, 2, rowShape, 1, shape.length - 2);
    SDVariable table = sd.reshape(tokens, rowShape);
    SDVariable rows = rows(table, rowIds(tokens, positions), kernelMode);
    return shape.length == 2 ? sd.reshape(rows, -1) : rows;
  }

  /**
   * Row numbers in the flattened batch: {@code b * length + positions[b, i]}, [batch * k] INT32.
   *
   * @param tokens any variable of shape [batch, length, ...]
   */
  public static SDVariable rowIds(SDVariable tokens, SDVariable positions) {
    SameDiff sd = tokens.getSameDiff();
    SDVariable batch = sd.sizeAt(tokens, 0).castTo(DataType.INT32);
    SDVariable length = sd.sizeAt(tokens, 1).castTo(DataType.INT32);
    SDVariable sequence =
        sd.range(sd.constant(0), batch, sd.constant(1), DataType.INT32).reshape(-1, 1);
    return positions.add(sequence.mul(length)).reshape(-1);
  }

  /**
   * Elements of {@code values} [batch, length] at row numbers of the flattened batch, [n]: [n].
   * Without gradient, using ND4J's own gather.
   */
  public static SDVariable elements(SDVariable values, SDVariable rowIds) {
    return values.getSameDiff().gather(values.reshape(-1, 1), rowIds, 0).reshape(-1);
  }

  @Override
  public String opName() {
    return "token_gather";
  }

  @Override
  public String resultName() {
    return "rows of tables";
  }

  @Override
  protected String nativeName() {
    return "gather";
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    if (numIArguments() > 1) {
      return List.of(new ScatterRows(sameDiff, arg(1), gradients.get(0), arg(0)).outputVariable());
    }
    SDVariable zeros = sameDiff.zerosLike(arg(0));
    ScatterAdd sum = new ScatterAdd(sameDiff, zeros, arg(1), gradients.get(0));
    // Locked: otherwise ND4J's threads race on repeated ids, and some rows are lost.
    sum.addBArgument(true);
    return List.of(sum.outputVariable());
  }
}
