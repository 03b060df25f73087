package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.VariableType;
import org.tokentune.ops.Table;
import org.tokentune.ops.TokenGather;

/**
 * Rows of an embedding table: ids [n] to [n, width].
 *
 * @param weight name of the table [count, width]
 */
public record Embedding(String weight) {

  /** Looks up rows, with ND4J's own gather if no gradient is needed. */
  public SDVariable rows(Graph graph, SDVariable ids, boolean differentiable) {
    Table table = graph.table(weight, differentiable);
    return table.stored().getVariableType() == VariableType.VARIABLE
        ? TokenGather.rows(table.stored(), ids, graph.kernelMode())
        : table.floats(graph.sd().gather(table.stored(), ids, 0), graph.kernelMode());
  }
}
