package org.tokentune.models;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.nn.Linear;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.TokenStream;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.VocabularyLoss;

/** What decoders do alike: a table of words makes the logits of every token's next one. */
abstract class DecoderBuilder extends ModelBuilder {

  DecoderBuilder(TransformerModel model, Parameters parameters, GraphOptions options) {
    super(model, parameters, options);
  }

  @Override
  public final SDVariable logits(TokenStream x) {
    return new Linear(model.headTable(), null, false).apply(graph, x).rows();
  }

  /** Slices of the vocabulary, in the fused form: all logits of a batch are never there at once. */
  @Override
  public final SDVariable vocabularyLoss(SDVariable nextTokens) {
    return options.kernelMode() == KernelMode.NATIVE
        ? null
        : VocabularyLoss.apply(
            streams().selected().rows(), graph.table(model.headTable(), true), nextTokens);
  }
}
