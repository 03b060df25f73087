package org.tokentune.models;

import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.nn.Linear;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.TokenStream;
import org.tokentune.nn.TokenStreams;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.Losses;
import org.tokentune.ops.TokenGather;
import org.tokentune.ops.VocabularyLoss;

/** What decoders do alike: a table of words makes the logits of every token's next one. */
abstract class DecoderBuilder extends ModelBuilder {

  DecoderBuilder(TransformerModel model, Parameters parameters, GraphOptions options) {
    super(model, parameters, options);
  }

  @Override
  final SDVariable logits(TokenStream x) {
    return new Linear(model.headTable(), null, false).apply(graph, x).rows();
  }

  @Override
  final SDVariable loss(TokenStreams x, SDVariable logits) {
    return options.kernelMode() == KernelMode.NATIVE
        ? crossEntropy(logits, nextLabels())
        : VocabularyLoss.apply(
            x.selected().rows(), graph.table(model.headTable(), true), nextLabels());
  }

  /** Labels of the selected tokens' next tokens; a sequence's last token has none. */
  private SDVariable nextLabels() {
    SDVariable labels = placeholder(ModelGraph.LABELS);
    SDVariable column = labels.get(SDIndex.all(), SDIndex.interval(0, 1));
    SDVariable none = sd.zerosLike(column).add(sd.constant(Losses.IGNORED));
    SDVariable longer = sd.concat(1, labels, none);
    return TokenGather.elements(longer, TokenGather.rowIds(longer, selected.add(sd.constant(1))));
  }
}
