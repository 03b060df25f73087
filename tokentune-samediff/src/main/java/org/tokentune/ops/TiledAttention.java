package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.internal.FusedAttention;
import org.tokentune.ops.internal.kernels.Blas;

/**
 * Scaled dot-product attention that never stores a value for each pair of query and key
 * (FlashAttention-2: Dao, 2023, in tiles for a CPU).
 *
 * <p>Its gradient reaches queries, keys and values of selected tokens only, and the scores of
 * distances. It has no native form of its own: elsewhere, attention is a composition of matmuls and
 * {@link MaskedSoftmax}.
 */
public final class TiledAttention {

  private TiledAttention() {}

  /**
   * What is computed, apart from the tokens.
   *
   * @param heads number of query heads
   * @param keyValueHeads number of heads of keys and values, which divides that of the queries
   * @param scale factor of the scores
   * @param softCap of the scaled scores, see {@link SoftCap}; 0 for none
   */
  public record Settings(int heads, int keyValueHeads, double scale, double softCap) {}

  /**
   * Queries, and which keys they see: those whose place is in a range.
   *
   * @param rows [batch * queries, heads * head size]
   * @param first INT32 [batch, queries]: the lowest visible place
   * @param last INT32 [batch, queries]: the highest visible place
   */
  public record Queries(SDVariable rows, SDVariable first, SDVariable last) {}

  /**
   * Keys and values of some tokens of each sequence.
   *
   * @param keys [batch * count, keyValueHeads * head size]
   * @param values likewise
   * @param places INT32 [batch, count], -1 for padding; fastest if ascending
   */
  public record Keys(SDVariable keys, SDVariable values, SDVariable places) {}

  /**
   * Dropout of the weights, as {@link Dropout} computes it.
   *
   * @param rows numbers of rows, [batch, heads, queries, 1]
   * @param columns numbers of keys, selected ones first, [batch, 1, 1, keys]
   * @param seed a scalar
   * @param rate below 1
   * @param place identifies the place in the model
   */
  public record WeightDropout(
      SDVariable rows, SDVariable columns, SDVariable seed, double rate, int place) {}

  /**
   * Scores by the distance between query and key, which are added to the scaled ones.
   *
   * @param table [kinds, heads]
   * @param kinds INT32 [1, 2 * length - 1]: the kinds of the distances {@code 1 - length} to {@code
   *     length - 1}, the query's place minus the key's
   * @param places INT32 [batch, queries]: the queries' own places
   */
  public record DistanceBias(SDVariable table, SDVariable kinds, SDVariable places) {}

  /** Whether a graph of this mode may have it: it needs {@code tokentune-cpu} on the class path. */
  public static boolean isAvailable(KernelMode kernelMode) {
    required(kernelMode, "kernelMode");
    return kernelMode == KernelMode.FUSED && Blas.provided().isPresent();
  }

  /**
   * The contexts, in the shape of the queries. A query that sees no key attends to all of them, as
   * in {@link MaskedSoftmax}.
   *
   * @param frozen null if there are no frozen tokens
   * @param bias null for none
   * @param dropout null for none
   */
  public static SDVariable apply(
      Settings settings,
      Queries queries,
      Keys selected,
      Keys frozen,
      DistanceBias bias,
      WeightDropout dropout) {
    required(settings, "settings");
    required(queries, "queries");
    required(selected, "selected");

    List<SDVariable> inputs =
        new ArrayList<>(List.of(queries.rows, selected.keys, selected.values));
    if (bias != null) {
      inputs.addAll(List.of(bias.table, bias.kinds, bias.places));
    }
    inputs.addAll(List.of(queries.first, queries.last, selected.places));
    if (frozen != null) {
      inputs.addAll(List.of(frozen.keys, frozen.values, frozen.places));
    }
    if (dropout != null) {
      inputs.addAll(List.of(dropout.rows, dropout.columns, dropout.seed));
    }
    Ops.register();
    int[] sizes = {
      settings.heads,
      settings.keyValueHeads,
      frozen == null ? 0 : 1,
      dropout == null ? 0 : 1,
      dropout == null ? 0 : dropout.place,
      bias == null ? 0 : 1
    };
    double[] factors = {settings.scale, settings.softCap, dropout == null ? 0 : dropout.rate};
    return new FusedAttention(inputs, sizes, factors).outputVariables()[0];
  }
}
