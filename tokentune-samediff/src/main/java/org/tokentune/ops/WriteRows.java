package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.tokentune.ops.internal.Aliasing;
import org.tokentune.ops.internal.OwnOp;

/**
 * Overwrites rows of a table: {@code table[ids[i]] = rows[i]}. An execution plan writes into the
 * table's own array, where the rows persist to the next run; stock SameDiff returns a changed copy.
 *
 * <p>Shapes: {@code table} [n, width], {@code ids} [m] distinct integers in 0..n-1, {@code rows}
 * [m, width]; the result is the table. No gradient. Native form, in both kernel modes: {@code
 * scatter_upd}; an execution plan on a CPU copies the rows instead.
 */
public final class WriteRows extends OwnOp {

  /** For SameDiff, which creates ops by reflection; use {@link #apply}. */
  public WriteRows() {}

  private WriteRows(SameDiff sd, SDVariable table, SDVariable ids, SDVariable rows) {
    super(sd, table, ids, rows);
  }

  /** The table with the rows written. */
  public static SDVariable apply(SDVariable table, SDVariable ids, SDVariable rows) {
    required(table, "table");
    required(ids, "ids");
    required(rows, "rows");

    Ops.register();
    return new WriteRows(table.getSameDiff(), table, ids, rows).outputVariable();
  }

  @Override
  public String opName() {
    return "write_rows";
  }

  @Override
  public Aliasing aliasing() {
    return Aliasing.FIRST_INPUT;
  }

  @Override
  protected String nativeName() {
    return "scatter_upd";
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new IllegalStateException("write_rows has no gradient");
  }
}
