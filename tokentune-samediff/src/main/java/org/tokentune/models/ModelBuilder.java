package org.tokentune.models;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.AttentionMask;
import org.tokentune.nn.internal.Graph;
import org.tokentune.nn.internal.KeyValueCache;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.nn.internal.TokenStreams;
import org.tokentune.objectives.LossInputs;
import org.tokentune.objectives.LossSettings;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.Losses;
import org.tokentune.ops.TokenGather;

/**
 * A graph under construction over two token streams (TokenTune: Simoulin et al., EMNLP 2024), with
 * everything that all families have in common. A family adds its embeddings, its layers and its
 * heads.
 *
 * <p>The last layer computes only rows that are read, not counting keys and values: frozen rows
 * only for answers, only the row at position 0 of every text if the head pools it, and only the
 * last row in decoding.
 */
abstract class ModelBuilder implements LossInputs {

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
  private TokenStreams encoded;

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
      SDVariable rows = options.batched() ? placeholder(ModelGraph.CACHE_ROWS) : null;
      graph.setCache(new KeyValueCache(options.capacity(), positionIds, mask, rows, type));
    }
  }

  /**
   * Embeddings of the tokens at some positions: [batch * count, hidden].
   *
   * @param positions INT32 [batch, count], in the sequence
   * @param rowIds of these tokens in the flattened batch
   */
  abstract TokenStream embed(SDVariable positions, SDVariable rowIds, boolean differentiable);

  /**
   * The attention mask and positions of a layer.
   *
   * @param queries the tokens whose rows are computed
   * @param tokens all tokens
   */
  abstract AttentionMask mask(int layer, TokenStreams queries, TokenStreams tokens);

  /** Whether the head reads the rows of frozen tokens, too. */
  boolean readsFrozen() {
    return head.task().readsFrozen();
  }

  /** Whether the head reads only the row of the first token of every text. */
  boolean readsFirst() {
    return !head.perToken() && head.pooling() == Pooling.FIRST;
  }

  /**
   * Adds a layer.
   *
   * @param queries the tokens whose rows are computed
   * @param tokens all tokens
   */
  abstract TokenStreams layer(
      int number, TokenStreams queries, TokenStreams tokens, AttentionMask keys);

  /** An INT32 placeholder [batch, any]. */
  final SDVariable placeholder(String name) {
    return sd.hasVariable(name)
        ? sd.getVariable(name)
        : sd.placeHolder(name, DataType.INT32, -1, -1);
  }

  /** [batch, length]: 0 to length - 1 in every row. */
  final SDVariable everyPosition() {
    SDVariable length = sd.sizeAt(ids, 1).castTo(DataType.INT32);
    SDVariable row = sd.range(sd.constant(0), length, sd.constant(1), DataType.INT32);
    return sd.zerosLike(ids).add(row);
  }

  final ModelGraph build() {
    encoded = encode();
    TokenStream last = encoded.selected();
    SDVariable logits = logits(last);
    if (head.perToken() && !options.training()) {
      logits = last.bySequence(logits, head.outputs());
    }
    logits = logits.rename(ModelGraph.LOGITS);
    if (options.training()) {
      SDVariable loss =
          options.upstream()
              ? logits
                  .mul(sd.placeHolder(ModelGraph.LOGITS_GRADIENT, type, -1, head.outputs()))
                  .sum()
              : head.task().loss(this, logits);
      loss.rename(ModelGraph.LOSS);
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
    int layers = model.config().layers();
    for (int i = 0; i < layers; i++) {
      TokenStreams queries = x;
      if (i == layers - 1) {
        boolean first = !options.allRows() && readsFirst();
        queries =
            new TokenStreams(
                first ? x.selected().first() : x.selected(), readsFrozen() ? x.frozen() : null);
        if (options.capacity() > 0) {
          queries = new TokenStreams(x.selected().last(), null);
        }
      }
      x = layer(i, queries, x, mask(i, queries, x));
      name(x, i + 1);
    }
    return x;
  }

  private TokenStream embed(SDVariable positions, boolean differentiable) {
    return embed(positions, TokenGather.rowIds(ids, positions), differentiable);
  }

  /** The tokens of {@link #embed} with these rows. */
  final TokenStream tokens(
      SDVariable rows, SDVariable positions, SDVariable rowIds, boolean differentiable) {
    return new TokenStream(
        rows, model.config().hidden(), sd.shape(positions), rowIds, differentiable);
  }

  /** 1 for tokens, 0 for padding: [batch, count, 1]. */
  final SDVariable tokenWeights(TokenStream x) {
    return x.bySequence(x.values(mask).castTo(type), 1);
  }

  /** The weighted sum of a text's rows: [batch, hidden]. */
  static SDVariable sum(TokenStream x, SDVariable weights) {
    return x.bySequence(x.width()).mul(weights).sum(1);
  }

  /** One row per text: [batch, hidden]. */
  final TokenStream pool(TokenStream x) {
    return switch (head.pooling()) {
      case FIRST ->
          options.allRows() ? x.first() : x; // otherwise the last layer returned these rows only
      case MEAN -> {
        SDVariable weights = tokenWeights(x);
        yield x.first().with(sum(x, weights).div(weights.sum(1)));
      }
      case LAST -> {
        SDVariable last = mask.castTo(type).sum(true, 1).castTo(DataType.INT32).sub(1);
        SDVariable lastIds = TokenGather.rowIds(ids, last).reshape(-1, 1, 1);
        SDVariable weights = sd.eq(x.bySequence(x.rowIds(), 1), lastIds).castTo(type);
        yield x.first().with(sum(x, weights));
      }
    };
  }

  private void name(TokenStreams x, int layer) {
    x.selected().rows().rename(ModelGraph.hidden(layer));
    if (x.frozen() != null) {
      x.frozen().rows().rename(ModelGraph.frozenHidden(layer));
    }
  }

  @Override
  public final SameDiff sd() {
    return sd;
  }

  @Override
  public final DataType type() {
    return type;
  }

  @Override
  public final KernelMode kernelMode() {
    return options.kernelMode();
  }

  @Override
  public final int outputs() {
    return head.outputs();
  }

  @Override
  public final LossSettings lossSettings() {
    return options.loss();
  }

  @Override
  public final SDVariable labels() {
    return placeholder(ModelGraph.LABELS);
  }

  @Override
  public final SDVariable labels(DataType labelType, long... shape) {
    return sd.placeHolder(ModelGraph.LABELS, labelType, shape);
  }

  @Override
  public final SDVariable ids() {
    return ids;
  }

  @Override
  public final SDVariable mask() {
    return mask;
  }

  @Override
  public final SDVariable selected() {
    return selected;
  }

  @Override
  public final SDVariable frozen() {
    return frozen;
  }

  @Override
  public final TokenStreams streams() {
    return encoded;
  }

  @Override
  public SDVariable vocabularyLoss(SDVariable labels) {
    return null;
  }

  @Override
  public SDVariable tokenLosses(TokenStream stream, SDVariable nextTokens) {
    return Losses.softmaxCrossEntropyOfRows(logits(stream), head.outputs(), nextTokens);
  }
}
