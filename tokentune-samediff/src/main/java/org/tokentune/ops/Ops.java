package org.tokentune.ops;

import java.util.List;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.imports.converters.ImportClassMapping;

/** Registers this package's ops with SameDiff. */
public final class Ops {

  private static final List<DifferentialFunction> OWN =
      List.of(
          new TokenGather(),
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
          new FusedSwiGlu(),
          new FusedSwiGluGrad(),
          new FusedSoftmax(),
          new FusedSoftmaxGrad(),
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
          new FusedMeanLoss(),
          new FusedMeanLossGrad());

  private Ops() {}

  /**
   * Registers the ops by name, so that they survive cloning in {@code createGradFunction}, {@code
   * save} and {@code load}.
   *
   * <p>Building a graph with them registers them; call this before loading a graph that contains
   * them. Calling it again changes nothing.
   */
  public static void register() {
    OWN.forEach(op -> ImportClassMapping.getOpNameMapping().putIfAbsent(op.opName(), op));
  }
}
