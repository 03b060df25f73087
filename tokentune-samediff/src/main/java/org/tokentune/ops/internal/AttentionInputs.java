package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.AttentionKernel;
import org.tokentune.ops.internal.kernels.AttentionKernel.Tokens;
import org.tokentune.ops.internal.kernels.Blas;
import org.tokentune.ops.internal.kernels.DropoutMask;
import org.tokentune.ops.internal.kernels.Memory;

/** Inputs of {@link FusedAttention} by name, and its arguments. */
record AttentionInputs(
    INDArray queries,
    Tokens keys,
    Tokens values,
    List<INDArray> bias,
    INDArray first,
    INDArray last,
    INDArray selectedPlaces,
    INDArray frozenPlaces,
    List<INDArray> dropout,
    long[] sizes,
    double[] factors) {

  /**
   * @param sizes the op's integer arguments
   * @param factors its floating-point arguments
   */
  static AttentionInputs of(List<INDArray> inputs, long[] sizes, double[] factors) {
    boolean frozen = sizes[2] == 1;
    int ranges = sizes[5] == 1 ? 6 : 3;
    int others = ranges + 3;
    int dropout = frozen ? others + 3 : others;
    return new AttentionInputs(
        inputs.get(0),
        new Tokens(inputs.get(1), frozen ? inputs.get(others) : null),
        new Tokens(inputs.get(2), frozen ? inputs.get(others + 1) : null),
        inputs.subList(3, ranges),
        inputs.get(ranges),
        inputs.get(ranges + 1),
        inputs.get(ranges + 2),
        frozen ? inputs.get(others + 2) : null,
        sizes[3] == 1 ? inputs.subList(dropout, dropout + 3) : List.of(),
        sizes,
        factors);
  }

  /**
   * @param productsOnly whether only its matrix products run
   */
  AttentionKernel kernel(boolean productsOnly) {
    int heads = (int) sizes[0];
    AttentionKernel.Settings settings =
        new AttentionKernel.Settings(
            (int) first.size(0),
            (int) first.size(1),
            (int) selectedPlaces.size(1),
            frozenPlaces == null ? 0 : (int) frozenPlaces.size(1),
            heads,
            (int) sizes[1],
            (int) queries.size(1) / heads,
            (float) factors[0],
            (float) factors[1]);
    checkRows("queries", queries, (long) settings.batch() * settings.queries());
    checkRows("keys", keys, settings);
    checkRows("values", values, settings);
    return new AttentionKernel(
        Blas.provided().orElseThrow(),
        settings,
        Memory.intValues(first),
        Memory.intValues(last),
        Memory.intValues(selectedPlaces),
        frozenPlaces == null ? new int[0] : Memory.intValues(frozenPlaces),
        bias.isEmpty() ? null : distanceBias(),
        dropout.isEmpty() ? null : weightDropout(),
        productsOnly);
  }

  private static void checkRows(String name, Tokens tokens, AttentionKernel.Settings settings) {
    checkRows("selected " + name, tokens.selected(), (long) settings.batch() * settings.selected());
    if (tokens.frozen() != null) {
      checkRows("frozen " + name, tokens.frozen(), (long) settings.batch() * settings.frozen());
    }
  }

  /** The kernel computes addresses from the numbers of rows: it would read or write elsewhere. */
  private static void checkRows(String name, INDArray rows, long expected) {
    if (rows.size(0) != expected) {
      throw new IllegalArgumentException(
          "attention has " + rows.size(0) + " rows of " + name + " for " + expected + " places");
    }
  }

  private AttentionKernel.DistanceBias distanceBias() {
    return new AttentionKernel.DistanceBias(
        Memory.floatValues(bias.get(0)),
        Memory.intValues(bias.get(1)),
        Memory.intValues(bias.get(2)));
  }

  private AttentionKernel.WeightDropout weightDropout() {
    int[] rows = Memory.intValues(dropout.get(0));
    int[] columns = Memory.intValues(dropout.get(1));
    int seed = Memory.intValues(dropout.get(2))[0];
    int place = (int) sizes[4];
    double rate = factors[2];
    DropoutMask.keys(rows, seed, place);
    DropoutMask.keys(columns, seed, ~place);
    return new AttentionKernel.WeightDropout(
        rows,
        columns,
        DropoutMask.threshold(rate),
        Float.floatToRawIntBits((float) (1 / (1 - rate))));
  }
}
