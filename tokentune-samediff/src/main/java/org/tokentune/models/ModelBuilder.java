package org.tokentune.models;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.nn.AttentionMask;
import org.tokentune.nn.Graph;
import org.tokentune.nn.KeyValueCache;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.TokenStream;
import org.tokentune.nn.TokenStreams;
import org.tokentune.ops.Losses;
import org.tokentune.ops.TokenGather;

/**
 * One graph being built over two token streams (TokenTune: Simoulin et al., EMNLP 2024): what all
 * families do alike. A family adds its embeddings, its layers and what its heads compute.
 *
 * <p>The last layer computes no frozen rows but for answers, and where the head pools position 0
 * only that row of every text, in decoding only the last one: nothing reads the others, beyond
 * their keys and values.
 */
abstract class ModelBuilder {

  /** Added to a logit that does not count: its exponential is 0. */
  private static final double LEAST = 1e9;

  final TransformerModel model;
  final Head head;
  final GraphOptions options;
  final Graph graph;
  final SameDiff sd;
  final DataType type;
  final SDVariable ids;
  final SDVariable mask;
  final SDVariable selected;
  private final SDVariable frozen;

  ModelBuilder(TransformerModel model, Parameters parameters, GraphOptions options) {
    this.model = model;
    this.options = options;
    head = model.head();
    graph =
        new Graph(
            parameters,
            options.trainable(),
            options.training(),
            options.kernelMode(),
            options.adapter());
    sd = graph.sd();
    type = parameters.type();
    ids = placeholder(ModelGraph.INPUT_IDS);
    mask = placeholder(ModelGraph.ATTENTION_MASK);
    selected = options.split() ? placeholder(ModelGraph.SELECTED) : everyPosition();
    frozen = options.split() ? placeholder(ModelGraph.FROZEN) : null;
    if (options.capacity() > 0) {
      SDVariable positionIds = placeholder(ModelGraph.POSITION_IDS);
      graph.setCache(new KeyValueCache(options.capacity(), positionIds, mask, type));
    }
  }

  /**
   * Embeddings of the tokens at some positions: [batch * count, hidden].
   *
   * @param positions INT32 [batch, count], in the sequence
   * @param rowIds of the same in the flattened batch
   */
  abstract TokenStream embed(SDVariable positions, SDVariable rowIds, boolean differentiable);

  /** What attention knows of the tokens as keys, in all layers. */
  abstract AttentionMask keys(TokenStreams x);

  /**
   * One layer.
   *
   * @param queries whose rows are computed
   * @param tokens all tokens
   */
  abstract TokenStreams layer(
      int number, TokenStreams queries, TokenStreams tokens, AttentionMask keys);

  /** What the head makes of the last hidden states. */
  abstract SDVariable logits(TokenStream x);

  /** An INT32 placeholder [batch, any]. */
  final SDVariable placeholder(String name) {
    return sd.hasVariable(name)
        ? sd.getVariable(name)
        : sd.placeHolder(name, DataType.INT32, -1, -1);
  }

  /** [batch, length]: 0 to length - 1 in every row. */
  private SDVariable everyPosition() {
    SDVariable length = sd.sizeAt(ids, 1).castTo(DataType.INT32);
    SDVariable row = sd.range(sd.constant(0), length, sd.constant(1), DataType.INT32);
    return sd.zerosLike(ids).add(row);
  }

  final ModelGraph build() {
    TokenStreams encoded = encode();
    TokenStream last = encoded.selected();
    SDVariable logits = logits(last);
    if (head.perToken() && !options.training()) {
      logits = last.bySequence(logits, head.outputs());
    }
    logits = logits.rename(ModelGraph.LOGITS);
    if (options.training()) {
      loss(encoded, logits).rename(ModelGraph.LOSS);
      sd.setLossVariables(ModelGraph.LOSS);
    }
    List<String> trainable = new ArrayList<>();
    for (SDVariable variable : sd.variables()) {
      if (variable.getVariableType() == VariableType.VARIABLE) {
        trainable.add(variable.name());
      }
    }
    return new ModelGraph(sd, List.copyOf(trainable), options.split(), model);
  }

  private TokenStreams encode() {
    TokenStreams x =
        new TokenStreams(
            embed(selected, options.training()), frozen == null ? null : embed(frozen, false));
    name(x, 0);
    AttentionMask keys = keys(x);
    int layers = model.config().layers();
    for (int i = 0; i < layers; i++) {
      TokenStreams queries = x;
      if (i == layers - 1) {
        boolean first = !options.allRows() && !head.perToken() && head.pooling() == Pooling.FIRST;
        queries =
            new TokenStreams(
                first ? x.selected().first() : x.selected(),
                head.task() == Task.QUESTION_ANSWERING ? x.frozen() : null);
        if (options.capacity() > 0) {
          queries = new TokenStreams(x.selected().last(), null);
          keys = keys(queries);
        }
      }
      x = layer(i, queries, x, keys);
      name(x, i + 1);
    }
    return x;
  }

  private TokenStream embed(SDVariable positions, boolean differentiable) {
    return embed(positions, TokenGather.rowIds(ids, positions), differentiable);
  }

  /** The tokens of {@link #embed} with some rows. */
  final TokenStream tokens(
      SDVariable rows, SDVariable positions, SDVariable rowIds, boolean differentiable) {
    return new TokenStream(
        rows, model.config().hidden(), sd.shape(positions), rowIds, differentiable);
  }

  private void name(TokenStreams x, int layer) {
    x.selected().rows().rename(ModelGraph.hidden(layer));
    if (x.frozen() != null) {
      x.frozen().rows().rename(ModelGraph.frozenHidden(layer));
    }
  }

  /**
   * The loss of the head's task.
   *
   * @param logits of the selected stream
   */
  SDVariable loss(TokenStreams x, SDVariable logits) {
    return switch (head.task()) {
      case CLASSIFY -> crossEntropy(logits, sd.placeHolder(ModelGraph.LABELS, DataType.INT32, -1));
      case MULTILABEL ->
          Losses.binaryCrossEntropy(
              logits,
              sd.placeHolder(ModelGraph.LABELS, type, -1, head.outputs()),
              options.kernelMode());
      case REGRESS ->
          Losses.meanSquaredError(
              logits.reshape(-1),
              sd.placeHolder(ModelGraph.LABELS, type, -1, head.outputs()).reshape(-1),
              options.kernelMode());
      case TOKEN, MASKED_LM ->
          crossEntropy(
              logits,
              TokenGather.elements(
                  placeholder(ModelGraph.LABELS), TokenGather.rowIds(ids, selected)));
      case QUESTION_ANSWERING -> spans(x, logits);
      case FEATURE_EXTRACTION ->
          logits
              .mul(sd.placeHolder(ModelGraph.LABELS, type, -1, head.outputs()))
              .sum(); // its gradient by the rows is what is given for labels
      case CAUSAL_LM -> throw new IllegalStateException("a task of decoders only");
    };
  }

  /**
   * Mean of the cross entropies of starts and ends, each over a text's tokens that are no padding.
   * Labels are INT32 [batch, 2]: the positions of both. Frozen tokens count too, without gradient:
   * among the selected ones alone, which surround the answer, it would be easy to tell.
   */
  private SDVariable spans(TokenStreams x, SDVariable logits) {
    SDVariable labels = placeholder(ModelGraph.LABELS);
    SDVariable scores = scores(x.selected(), logits);
    SDVariable positions = selected;
    if (x.frozen() != null) {
      scores = sd.concat(1, scores, scores(x.frozen(), logits(x.frozen())));
      positions = sd.concat(1, selected, frozen);
    }
    SDVariable[] losses = new SDVariable[head.outputs()];
    for (int i = 0; i < losses.length; i++) {
      SDVariable each = scores.get(SDIndex.all(), SDIndex.all(), SDIndex.point(i));
      SDVariable label = labels.get(SDIndex.all(), SDIndex.interval(i, i + 1));
      losses[i] = Losses.softmaxCrossEntropy(each, positions.eq(label).castTo(type));
    }
    return losses[0].add(losses[1]).mul(0.5);
  }

  /** Logits as [batch, count, outputs], those of padding as small as can be. */
  private SDVariable scores(TokenStream x, SDVariable logits) {
    SDVariable padding = x.bySequence(x.values(mask).castTo(type), 1).sub(1).mul(LEAST);
    return x.bySequence(logits, head.outputs()).add(padding);
  }

  final SDVariable crossEntropy(SDVariable logits, SDVariable labels) {
    return Losses.softmaxCrossEntropy(logits, head.outputs(), labels, null, options.kernelMode());
  }
}
