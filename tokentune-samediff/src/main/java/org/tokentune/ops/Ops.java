package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.List;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.imports.converters.ImportClassMapping;
import org.tokentune.BadFileException;
import org.tokentune.ops.internal.Affine;
import org.tokentune.ops.internal.AffineGrad;
import org.tokentune.ops.internal.AffineScale;
import org.tokentune.ops.internal.BiasGrad;
import org.tokentune.ops.internal.CheckedPositions;
import org.tokentune.ops.internal.FusedAdd;
import org.tokentune.ops.internal.FusedAttention;
import org.tokentune.ops.internal.FusedAttentionGrad;
import org.tokentune.ops.internal.FusedBiasAdd;
import org.tokentune.ops.internal.FusedBlocks;
import org.tokentune.ops.internal.FusedCrossEntropy;
import org.tokentune.ops.internal.FusedCrossEntropyGrad;
import org.tokentune.ops.internal.FusedDropout;
import org.tokentune.ops.internal.FusedGatedLinearUnit;
import org.tokentune.ops.internal.FusedGatedLinearUnitGrad;
import org.tokentune.ops.internal.FusedGelu;
import org.tokentune.ops.internal.FusedGeluGrad;
import org.tokentune.ops.internal.FusedHalves;
import org.tokentune.ops.internal.FusedJoinTokens;
import org.tokentune.ops.internal.FusedMeanLoss;
import org.tokentune.ops.internal.FusedMeanLossGrad;
import org.tokentune.ops.internal.FusedNf4;
import org.tokentune.ops.internal.FusedNorm;
import org.tokentune.ops.internal.FusedNormGrad;
import org.tokentune.ops.internal.FusedRotation;
import org.tokentune.ops.internal.FusedRowSlices;
import org.tokentune.ops.internal.FusedSliceGrad;
import org.tokentune.ops.internal.FusedSliceSums;
import org.tokentune.ops.internal.FusedSlicedLoss;
import org.tokentune.ops.internal.FusedSlicedLossGrad;
import org.tokentune.ops.internal.FusedSlicedLosses;
import org.tokentune.ops.internal.FusedSlicedLossesGrad;
import org.tokentune.ops.internal.FusedSoftCap;
import org.tokentune.ops.internal.FusedSoftCapGrad;
import org.tokentune.ops.internal.FusedSoftmax;
import org.tokentune.ops.internal.FusedSoftmaxGrad;
import org.tokentune.ops.internal.ScatterRows;
import org.tokentune.ops.internal.SelectedRows;

/** Registers this package's ops with SameDiff. */
public final class Ops {

  private static final List<DifferentialFunction> OWN =
      List.of(
          new TokenGather(),
          new CheckedPositions(),
          new WriteRows(),
          new Dropout(),
          new Detach(),
          new FusedAdd(),
          new FusedRotation(),
          new FusedBiasAdd(),
          new BiasGrad(),
          new FusedNorm(),
          new FusedNormGrad(),
          new Affine(),
          new AffineScale(),
          new AffineGrad(),
          new FusedGelu(),
          new FusedGeluGrad(),
          new FusedSoftCap(),
          new FusedSoftCapGrad(),
          new FusedGatedLinearUnit(),
          new FusedGatedLinearUnitGrad(),
          new FusedSoftmax(),
          new FusedSoftmaxGrad(),
          new FusedAttention(),
          new FusedAttentionGrad(),
          new FusedJoinTokens(),
          new SelectedRows(),
          new ScatterRows(),
          new FusedDropout(),
          new FusedCrossEntropy(),
          new FusedCrossEntropyGrad(),
          new FusedBlocks(),
          new FusedNf4(),
          new FusedHalves(),
          new FusedRowSlices(),
          new FusedSliceSums(),
          new FusedSliceGrad(),
          new FusedSlicedLoss(),
          new FusedSlicedLossGrad(),
          new FusedSlicedLosses(),
          new FusedSlicedLossesGrad(),
          new FusedMeanLoss(),
          new FusedMeanLossGrad());

  private Ops() {}

  /**
   * Registers the ops by name, so that they survive cloning in {@code createGradFunction}, {@code
   * save} and {@code load}.
   *
   * <p>Building a graph with them registers them. In a virtual machine that has not built one,
   * {@code SameDiff.load} says <i>No op known for hash: 0 and name token_gather</i>: load the graph
   * by {@link #load}, or call this first. Calling it again changes nothing.
   */
  public static void register() {
    OWN.forEach(op -> ImportClassMapping.getOpNameMapping().putIfAbsent(op.opName(), op));
  }

  /**
   * Loads a graph with these ops: {@code SameDiff.load} after {@link #register}.
   *
   * @param file as {@code SameDiff.save} writes it
   * @param updaterState whether to load that of its training too
   * @throws BadFileException if it is missing or damaged
   */
  public static SameDiff load(Path file, boolean updaterState) {
    required(file, "file");

    register();
    try {
      return SameDiff.load(file.toFile(), updaterState);
    } catch (RuntimeException e) {
      throw new BadFileException(
          e, "%s is not a graph that SameDiff saved, or is damaged: %s", file, e.getMessage());
    }
  }
}
