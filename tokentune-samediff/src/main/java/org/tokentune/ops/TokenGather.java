package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterAdd;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
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

  /** An id that no table has. */
  private static final int NO_ROW = Integer.MAX_VALUE;

  /** For SameDiff, which creates ops by reflection; use {@link #rows}. */
  public TokenGather() {}

  private TokenGather(SameDiff sd, SDVariable table, SDVariable ids, KernelMode kernelMode) {
    super(sd, table, ids);
    addIArgument(0); // axis
    if (kernelMode == KernelMode.FUSED) {
      addIArgument(1); // gather reads only the first
    }
    addBArgument(true); // reject ids of n and more: they would read foreign memory
  }

  /**
   * Rows of {@code table} [n, ...] at {@code ids} [m]: [m, ...].
   *
   * @param table a parameter, a placeholder or a computed variable, of rank 2 or more
   * @param ids INT32 or INT64; running the graph fails if one is not in 0..n-1
   */
  public static SDVariable rows(SDVariable table, SDVariable ids) {
    required(table, "table");
    required(ids, "ids");

    SDVariable negative = ids.getSameDiff().lt(integers(ids), 0).castTo(ids.dataType());
    return rows(table, either(negative, NO_ROW, ids), KernelMode.NATIVE);
  }

  /**
   * As {@link #rows(SDVariable, SDVariable)}, for ids that are known not to be negative: ND4J's
   * {@code gather} checks the upper bound only.
   */
  public static SDVariable rows(SDVariable table, SDVariable ids, KernelMode kernelMode) {
    required(table, "table");
    required(ids, "ids");
    required(kernelMode, "kernelMode");

    Ops.register();
    return new TokenGather(table.getSameDiff(), table, ids, kernelMode).outputVariable();
  }

  /** {@code value} where {@code condition} is 1, {@code other} where it is 0. */
  private static SDVariable either(SDVariable condition, int value, SDVariable other) {
    return condition.mul(value).add(condition.rsub(1).mul(other));
  }

  /**
   * As {@link #rows(SDVariable, SDVariable)}, but -1 is padding: the row is 0, and has no gradient.
   */
  public static SDVariable paddedRows(SDVariable table, SDVariable ids) {
    required(table, "table");
    required(ids, "ids");

    SameDiff sd = table.getSameDiff();
    SDVariable padding = sd.eq(integers(ids), -1);
    SDVariable rows = rows(table, ids.add(padding.castTo(ids.dataType())));
    SDVariable kept = padding.castTo(table.dataType()).rsub(1);
    SDVariable ones = sd.onesLike(slice(sd.shape(rows), 1, 0));
    return rows.mul(sd.reshape(kept, sd.concat(0, sd.shape(ids), ones)));
  }

  /**
   * Rows of {@code tokens} [batch, length, ...] at {@code positions} [batch, k]: [batch * k, ...],
   * sequence by sequence. A rank-2 {@code tokens} gives [batch * k].
   *
   * <pre>{@code
   * SDVariable positions = sd.placeHolder("positions", DataType.INT32, -1, -1);
   * SDVariable rows = TokenGather.tokens(hidden, positions); // hidden: [batch, length, width]
   * rows.mmul(weight).std(true).markAsLoss();
   * sd.calculateGradients(placeholders, "weight"); // from the selected tokens only
   * }</pre>
   *
   * @param tokens a parameter, a placeholder or a computed variable, of rank 2 or more
   * @param positions INT32 or INT64; element [b, i] is a position in sequence b. Running the graph
   *     fails if one is not in 0..length-1
   */
  public static SDVariable tokens(SDVariable tokens, SDVariable positions) {
    required(tokens, "tokens");
    required(positions, "positions");

    return flat(rows(table(tokens), checkedRowIds(tokens, positions)));
  }

  /**
   * As {@link #tokens(SDVariable, SDVariable)}, but -1 is padding: the row is 0, and has no
   * gradient.
   */
  public static SDVariable paddedTokens(SDVariable tokens, SDVariable positions) {
    required(tokens, "tokens");
    required(positions, "positions");

    return flat(paddedRows(table(tokens), checkedRowIds(tokens, positions)));
  }

  // Shapes are computed in the graph: that of a computed variable is known only when it runs.

  /** [batch, length, ...] as [batch * length, ..., 1]: a table of rank 1 crashes ND4J's gather. */
  private static SDVariable table(SDVariable tokens) {
    SameDiff sd = tokens.getSameDiff();
    SDVariable sizes = sd.concat(0, sd.shape(tokens), sizes(sd, 1));
    return sd.reshape(tokens, sd.concat(0, sizes(sd, -1), slice(sizes, 2, 0)));
  }

  /** [m, ..., 1] as [m, ...]. */
  private static SDVariable flat(SDVariable rows) {
    SameDiff sd = rows.getSameDiff();
    return sd.reshape(rows, slice(sd.shape(rows), 0, 1));
  }

  private static SDVariable sizes(SameDiff sd, long size) {
    return sd.constant(Nd4j.createFromArray(size));
  }

  /** A shape without its first and last sizes. */
  private static SDVariable slice(SDVariable shape, int first, int last) {
    int openEnd = last == 0 ? 1 : 0;
    return shape
        .getSameDiff()
        .stridedSlice(
            shape, new long[] {first}, new long[] {-last}, new long[] {1}, 0, openEnd, 0, 0, 0);
  }

  /**
   * As {@link #rowIds}, but -1 stays -1, and any other position outside its sequence becomes {@link
   * #NO_ROW}: unchecked, it would be a row of another sequence.
   */
  private static SDVariable checkedRowIds(SDVariable tokens, SDVariable positions) {
    SameDiff sd = tokens.getSameDiff();
    SDVariable long64 = integers(positions).castTo(DataType.INT64);
    SDVariable length = sd.sizeAt(tokens, 1);
    SDVariable first =
        sd.range(
                sd.constant(0),
                sd.sizeAt(tokens, 0).castTo(DataType.INT32),
                sd.constant(1),
                DataType.INT32)
            .castTo(DataType.INT64)
            .reshape(-1, 1)
            .mul(length);
    SDVariable valid =
        sd.gte(long64, 0).castTo(DataType.INT64).mul(sd.lt(long64, length).castTo(DataType.INT64));
    SDVariable padding = sd.eq(long64, -1).castTo(DataType.INT64);
    SDVariable rows = either(valid.rsub(1), NO_ROW, long64.add(first));
    return either(padding, -1, rows).reshape(-1).castTo(DataType.INT32);
  }

  private static SDVariable integers(SDVariable ids) {
    if (ids.dataType() != DataType.INT32 && ids.dataType() != DataType.INT64) {
      throw BadSettingsException.of(
          "ids", "must be INT32 or INT64, but %s is %s.", ids.name(), ids.dataType());
    }
    return ids;
  }

  /**
   * Row numbers in the flattened batch: {@code b * length + positions[b, i]}, [batch * k] INT32.
   *
   * @param tokens any variable of shape [batch, length, ...]
   */
  public static SDVariable rowIds(SDVariable tokens, SDVariable positions) {
    required(tokens, "tokens");
    required(positions, "positions");

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
    required(values, "values");
    required(rowIds, "rowIds");

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
