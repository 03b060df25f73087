package org.tokentune.models;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Linear;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.VocabularyLoss;

/**
 * Base class of decoders, which compute next-token logits at every position, with the token
 * embeddings or a matrix of their own, or the row of a text as the input of another network.
 */
abstract class DecoderBuilder extends ModelBuilder {

  DecoderBuilder(TransformerModel model, Parameters parameters, GraphOptions options) {
    super(model, parameters, options);
  }

  @Override
  public final SDVariable logits(TokenStream x) {
    return head.task() == Objectives.FEATURE_EXTRACTION
        ? pool(x).rows()
        : new Linear(model.headTable(), null, false).apply(graph, x).rows();
  }

  /**
   * The fused form works on slices of the vocabulary, so that it never holds all logits of a batch.
   */
  @Override
  public final SDVariable vocabularyLoss(SDVariable nextTokens) {
    return options.kernelMode() == KernelMode.NATIVE
        ? null
        : VocabularyLoss.apply(
            streams().selected().rows(), graph.table(model.headTable(), true), nextTokens);
  }
}
