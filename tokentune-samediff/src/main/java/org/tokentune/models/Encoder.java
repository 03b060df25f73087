package org.tokentune.models;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.BadSettingsException;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderConfig.RelativePositions;
import org.tokentune.nn.ActivationFunction;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.AttentionMask;
import org.tokentune.nn.internal.DisentangledScores;
import org.tokentune.nn.internal.DistanceScores;
import org.tokentune.nn.internal.Distances;
import org.tokentune.nn.internal.DropoutPlaces;
import org.tokentune.nn.internal.Embedding;
import org.tokentune.nn.internal.FeedForward;
import org.tokentune.nn.internal.LayerNorm;
import org.tokentune.nn.internal.Linear;
import org.tokentune.nn.internal.NetworkLayer;
import org.tokentune.nn.internal.PackedLinear;
import org.tokentune.nn.internal.PositionScores;
import org.tokentune.nn.internal.PostNormBlock;
import org.tokentune.nn.internal.ResidualBlock;
import org.tokentune.nn.internal.Rotary;
import org.tokentune.nn.internal.SelfAttention;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.nn.internal.TokenStreams;
import org.tokentune.objectives.Objective.HeadShape;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.Residual;
import org.tokentune.ops.TokenGather;
import org.tokentune.ops.VocabularyLoss;

/** An encoder of any family over two token streams, with Hugging Face's names. */
public final class Encoder implements TransformerModel {

  /** Added to padding, so that it is never the greatest. */
  private static final double PADDING = 1e30;

  private final EncoderConfig config;
  private final Head head;
  private final EncoderNames names;
  private final ParameterShapes shapes = new ParameterShapes();
  private final Embedding words;
  private final Embedding positions;
  private final Embedding types;
  private final LayerNorm embeddingNorm;
  private final Linear projection;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm lastNorm;
  private final Embedding relative;
  private final LayerNorm relativeNorm;
  private final Linear dense;
  private final NetworkLayer denseNorm;
  private final Linear outputs;

  /** A layer's parts; those that it does not have are null. */
  private record Layer(
      LayerNorm attentionNorm,
      Linear query,
      Linear key,
      Linear value,
      Linear packed,
      Linear output,
      LayerNorm afterAttention,
      LayerNorm mlpNorm,
      Linear in,
      Linear out,
      LayerNorm afterMlp) {}

  /** An encoder with a head. */
  public Encoder(EncoderConfig config, Head head) {
    required(config, "config");
    required(head, "head");
    if (head.task().isCausal()) {
      throw new BadSettingsException("An encoder is not a causal language model; use a decoder.");
    }
    if (head.pooling() == Pooling.LAST) {
      throw new BadSettingsException(
          "An encoder does not pool the last token; give first or mean.");
    }
    this.config = config;
    this.head = head;
    names = config.family().names();
    EncoderNames.Tables tables = names.embeddings();
    words = table(tables.words(), config.vocabulary());
    positions =
        config.embeddings().positions() == Positions.NONE
            ? null
            : table(
                tables.positions(), config.embeddings().firstPosition() + config.maxPositions());
    types = config.tokenTypes() == 0 ? null : table(tables.types(), config.tokenTypes());
    int size = config.embeddings().size();
    boolean normsFirst = config.family().normalisesBeforeProjection();
    embeddingNorm = norm(prefix() + tables.norm(), normsFirst ? size : config.hidden());
    projection =
        size != config.hidden()
            ? shapes.linear(prefix() + tables.projection(), size, config.hidden(), normsFirst)
            : null;
    for (int i = 0; i < config.layers(); i++) {
      layers.add(declare(i));
    }
    lastNorm = config.norms().first() ? norm(prefix() + names.lastNorm(), config.hidden()) : null;
    relative = relativeTable();
    relativeNorm =
        names.relativeNorm() == null
            ? null
            : norm(prefix() + names.relativeNorm(), config.hidden());
    HeadShape shape = head.task().headShape();
    EncoderNames.TextHead text = names.text();
    if (shape == HeadShape.VOCABULARY) {
      EncoderNames.VocabularyHead named = names.vocabulary();
      dense = shapes.linear(named.dense(), config.hidden(), size, named.biased());
      denseNorm = norm(named.norm(), size);
      outputs =
          shapes.scores(
              config.tied() ? null : named.decoder(),
              words.weight(),
              named.bias(),
              config.vocabulary(),
              size);
    } else {
      boolean layered =
          shape != HeadShape.SENTENCE && (shape != HeadShape.TOKENS || text.forTokens());
      dense =
          layered
              ? shapes.linear(text.dense(), config.hidden(), config.hidden(), text.biased())
              : null;
      denseNorm =
          layered && text.norm() != null
              ? norm(text.norm(), config.hidden())
              : NetworkLayer.IDENTITY;
      String out = shape == HeadShape.TOKENS ? tokenHead() : text.out();
      outputs =
          shape == HeadShape.POOLED || shape == HeadShape.SENTENCE
              ? null
              : shapes.linear(out, config.hidden(), head.outputs(), true);
      if (shape == HeadShape.SENTENCE) {
        head.sentence()
            .dense()
            .forEach(layer -> layer.parameters().forEach((name, value) -> shapes.add(name, value)));
      }
    }
  }

  private Embedding table(String name, int rows) {
    return shapes.table(prefix() + name, rows, config.embeddings().size());
  }

  private Embedding relativeTable() {
    RelativePositions kind = config.relativePositions();
    if (kind == null) {
      return null;
    }
    return kind.disentangled()
        ? shapes.table(prefix() + names.relative(), 2L * kind.buckets(), config.hidden())
        : shapes.table(prefix() + names.relative(), kind.buckets(), config.attention().heads());
  }

  private Layer declare(int number) {
    EncoderNames.Block block = names.layer();
    String layer = layer(number);
    boolean first = config.norms().first();
    boolean packed = config.attention().packed();
    boolean bias = config.attention().bias();
    long hidden = config.hidden();
    long inner = config.mlp().intermediate();
    boolean gated = config.mlp().gated();
    return new Layer(
        first && number > 0 ? norm(layer + block.attentionNorm(), hidden) : null,
        packed ? null : shapes.linear(layer + block.query(), hidden, hidden, bias),
        packed ? null : shapes.linear(layer + block.key(), hidden, hidden, bias),
        packed ? null : shapes.linear(layer + block.value(), hidden, hidden, bias),
        packed ? shapes.linear(layer + block.packed(), hidden, 3 * hidden, bias) : null,
        shapes.linear(layer + block.attentionOutput(), hidden, hidden, bias),
        first ? null : norm(layer + block.attentionNorm(), hidden),
        first ? norm(layer + block.outputNorm(), hidden) : null,
        shapes.linear(layer + block.in(), hidden, gated ? 2 * inner : inner, config.mlp().bias()),
        shapes.linear(layer + block.out(), inner, hidden, config.mlp().bias()),
        first ? null : norm(layer + block.outputNorm(), hidden));
  }

  private LayerNorm norm(String name, long width) {
    return shapes.layerNorm(name, width, config.norms().epsilon(), config.norms().bias());
  }

  private String layer(int number) {
    return prefix() + names.layer().prefix() + number + ".";
  }

  /** The name of the linear layer of a head that reads every token. */
  private String tokenHead() {
    return head.task().equals(Objectives.QUESTION_ANSWERING) ? names.answers() : names.tags();
  }

  @Override
  public EncoderConfig config() {
    return config;
  }

  @Override
  public Head head() {
    return head;
  }

  @Override
  public Map<String, long[]> parameters() {
    return shapes.asMap();
  }

  @Override
  public String prefix() {
    return names.prefix();
  }

  @Override
  public boolean isHead(String name) {
    return !name.startsWith(prefix()) || name.startsWith(names.text().dense());
  }

  @Override
  public boolean isEmbedding(String name) {
    return name.startsWith(prefix() + "embeddings.")
        || (relative != null && name.equals(relative.weight()));
  }

  @Override
  public String wordTable() {
    return words.weight();
  }

  @Override
  public String headTable() {
    return config.tied() ? wordTable() : names.vocabulary().decoder() + ".weight";
  }

  @Override
  public ModelGraph build(Parameters parameters, GraphOptions options) {
    return new Builder(parameters, options).build();
  }

  /** A graph under construction. */
  private final class Builder extends ModelBuilder {

    private final SDVariable typeIds = placeholder(ModelGraph.TOKEN_TYPE_IDS);
    private final SDVariable counted =
        config.embeddings().positions() == Positions.COUNTED ? counted() : null;
    private final Map<RopeParameters, Rotary> rotaries = new HashMap<>();
    private final Map<String, AttentionMask> masks = new HashMap<>();
    private final Map<String, SDVariable> pairs = new HashMap<>();
    private DistanceScores distances;

    Builder(Parameters parameters, GraphOptions options) {
      super(Encoder.this, parameters, options);
    }

    /**
     * RoBERTa's positions, [batch, length]: tokens are numbered from the padding's id + 1, ignoring
     * padding, and padding has its own id.
     */
    private SDVariable counted() {
      SDVariable padding = sd.constant(config.embeddings().firstPosition() - 1);
      SDVariable tokens = sd.neq(ids, padding).castTo(DataType.INT32);
      SDVariable counts =
          sd.cumsum(tokens.castTo(DataType.FLOAT), false, false, 1); // not for integers
      return counts.castTo(DataType.INT32).mul(tokens).add(padding);
    }

    /** Adds, normalises and applies dropout. */
    @Override
    TokenStream embed(SDVariable at, SDVariable rowIds, boolean differentiable) {
      SDVariable sum = words.rows(graph, TokenGather.elements(ids, rowIds), differentiable);
      if (types != null) {
        SDVariable kinds = TokenGather.elements(typeIds, rowIds);
        sum = plus(sum, types.rows(graph, kinds, differentiable));
      }
      if (positions != null) {
        SDVariable places =
            counted == null ? at.reshape(-1) : TokenGather.elements(counted, rowIds);
        boolean trains = differentiable && !config.embeddings().fixedPositions();
        sum = plus(sum, positions.rows(graph, places, trains));
      }
      TokenStream x = tokens(sum, at, rowIds, differentiable);
      x = x.with(x.rows(), config.embeddings().size());
      boolean projectsLast = config.family().normalisesBeforeProjection();
      if (projection != null && !projectsLast) {
        x = projection.apply(graph, x);
      }
      x = embeddingNorm.apply(graph, x);
      if (config.embeddings().zeroesPadding()) {
        x = x.with(x.rows().mul(x.values(mask).castTo(type).reshape(-1, 1)));
      }
      x = graph.dropout(x, config.dropout().embeddings(), DropoutPlaces.EMBEDDINGS);
      return projection != null && projectsLast ? projection.apply(graph, x) : x;
    }

    private SDVariable plus(SDVariable a, SDVariable b) {
      return Residual.apply(a, b, options.kernelMode());
    }

    /** Layers with the same window share a mask; with a window, it depends on the queries. */
    @Override
    AttentionMask mask(int layer, TokenStreams queries, TokenStreams tokens) {
      int window = config.layerTypes().get(layer).window();
      return masks.computeIfAbsent(
          window == 0 ? "all" : window + " " + queries.selected().rowIds().name(),
          key -> AttentionMask.all(queries, tokens, mask, window, type));
    }

    @Override
    TokenStreams layer(int number, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
      Layer layer = layers.get(number);
      String name = Encoder.this.layer(number);
      NetworkLayer output =
          dropped(
              layer.output(),
              config.dropout().attentionOutput(),
              name + DropoutPlaces.BERT_ATTENTION_OUTPUT);
      NetworkLayer mlp =
          dropped(mlp(layer), config.dropout().output(), name + DropoutPlaces.BERT_OUTPUT);
      if (!config.norms().first()) {
        return new PostNormBlock(
                attention(number, layer), output, layer.afterAttention(), mlp, layer.afterMlp())
            .apply(graph, queries, tokens, keys);
      }
      ResidualBlock block =
          new ResidualBlock(
              layer.attentionNorm() == null ? NetworkLayer.IDENTITY : layer.attentionNorm(),
              attention(number, layer),
              output,
              NetworkLayer.IDENTITY,
              layer.mlpNorm(),
              mlp,
              NetworkLayer.IDENTITY,
              1,
              0,
              name);
      TokenStreams x = block.apply(graph, queries, tokens, keys);
      return number < config.layers() - 1 ? x : x.map(y -> lastNorm.apply(graph, y));
    }

    private NetworkLayer mlp(Layer layer) {
      ActivationFunction activation = config.mlp().activation();
      if (!config.mlp().gated()) {
        return FeedForward.plain(layer.in(), activation, layer.out());
      }
      PackedLinear packed = new PackedLinear(layer.in(), 1, 1);
      return FeedForward.gated(packed.part(0), activation, packed.part(1), layer.out());
    }

    private SelfAttention attention(int number, Layer layer) {
      NetworkLayer query = layer.query();
      NetworkLayer key = layer.key();
      NetworkLayer value = layer.value();
      if (config.attention().packed()) {
        PackedLinear packed = new PackedLinear(layer.packed(), 1, 1, 1);
        query = packed.part(0);
        key = packed.part(1);
        value = packed.part(2);
      }
      int heads = config.attention().heads();
      int headSize = config.attention().headSize();
      LayerType kind = config.layerTypes().get(number);
      boolean disentangled =
          config.relativePositions() != null && config.relativePositions().disentangled();
      // DeBERTa adds two further products to that of query and key.
      double scale = 1 / Math.sqrt((disentangled ? 3.0 : 1.0) * headSize);
      String place = Encoder.this.layer(number) + DropoutPlaces.BERT_ATTENTION;
      return new SelfAttention(
          rotated(kind.rope(), query),
          rotated(kind.rope(), key),
          value,
          heads,
          heads,
          headSize,
          scale,
          0,
          positionScores(layer, scale, place),
          config.dropout().attention(),
          place);
    }

    private NetworkLayer rotated(RopeParameters rope, NetworkLayer layer) {
      if (rope == null) {
        return layer;
      }
      return rotaries
          .computeIfAbsent(
              rope,
              key ->
                  new Rotary(
                      everyPosition(),
                      config.attention().headSize(),
                      rope.frequencies(config.attention().headSize()),
                      rope.attentionFactor(),
                      type))
          .after(layer);
    }

    private PositionScores positionScores(Layer layer, double scale, String place) {
      RelativePositions kind = config.relativePositions();
      if (kind == null) {
        return PositionScores.NONE;
      }
      if (kind.disentangled()) {
        return new DisentangledScores(
            relative,
            relativeNorm,
            layer.query(),
            layer.key(),
            config.attention().heads(),
            distances(kind),
            config.dropout().output(),
            place + DropoutPlaces.POSITIONS,
            pairs);
      }
      if (distances == null) {
        distances =
            new DistanceScores(
                relative,
                Distances.mpnet(kind.buckets(), kind.maxDistance(), config.maxPositions()),
                1 / scale);
      }
      return distances;
    }

    private Distances distances(RelativePositions kind) {
      return kind.buckets() == kind.maxDistance()
          ? Distances.plain(kind.buckets(), config.maxPositions())
          : Distances.logarithmic(kind.buckets(), kind.maxDistance(), config.maxPositions());
    }

    private NetworkLayer dropped(NetworkLayer layer, double rate, String place) {
      return rate == 0 ? layer : (g, x) -> g.dropout(layer.apply(g, x), rate, place);
    }

    @Override
    boolean readsFrozen() {
      return super.readsFrozen() || poolsAll();
    }

    /** Whether the mean of all tokens is read, also of those that carry no gradient. */
    private boolean poolsAll() {
      return head.sentence() != null
          ? !head.sentence().readsFirst()
          : !head.perToken() && config.pooling() == Pooling.MEAN;
    }

    @Override
    boolean readsFirst() {
      return super.readsFirst() && !poolsAll();
    }

    @Override
    public SDVariable logits(TokenStream x) {
      return switch (head.task().headShape()) {
        case VOCABULARY -> outputs.apply(graph, dense(x, vocabularyActivation())).rows();
        case TOKENS -> outputs.apply(graph, droppedTokens(x)).rows();
        case POOLED -> pooled(x).rows();
        case SENTENCE -> sentences(x).rows();
        case TEXT ->
            outputs
                .apply(
                    graph,
                    graph.dropout(
                        pooled(x), config.dropout().classifier(), DropoutPlaces.CLASSIFIER))
                .rows();
      };
    }

    /** The fused form works on slices of the vocabulary, as that of a decoder. */
    @Override
    public SDVariable vocabularyLoss(SDVariable labels) {
      if (options.kernelMode() == KernelMode.NATIVE) {
        return null;
      }
      return VocabularyLoss.apply(
          dense(streams().selected(), vocabularyActivation()).rows(),
          graph.table(headTable(), true),
          graph.parameter(names.vocabulary().bias(), true),
          labels);
    }

    private ActivationFunction vocabularyActivation() {
      ActivationFunction own = names.vocabulary().activation();
      return own == null ? config.mlp().activation() : own;
    }

    private TokenStream dense(TokenStream x, ActivationFunction activation) {
      return denseNorm.apply(graph, activation.apply(graph, dense.apply(graph, x)));
    }

    private TokenStream droppedTokens(TokenStream x) {
      TokenStream read = dense == null ? x : dense(x, names.text().activation());
      return head.task().equals(Objectives.QUESTION_ANSWERING)
          ? graph.dropout(read, config.dropout().answers(), DropoutPlaces.ANSWERS)
          : graph.dropout(read, config.dropout().tags(), DropoutPlaces.CLASSIFIER);
    }

    /** One row per text, after the dense layer: [batch, hidden]. */
    private TokenStream pooled(TokenStream x) {
      TokenStream pooled =
          graph.dropout(
              poolsAll() ? poolAll(x) : pool(x), config.dropout().pooled(), DropoutPlaces.POOLED);
      return dense(pooled, names.text().activation());
    }

    /** The vectors of the texts: [batch, outputs]. */
    private TokenStream sentences(TokenStream x) {
      SentenceModules modules = head.sentence();
      TokenStream vectors;
      if (modules.readsFirst()) {
        vectors = pool(x);
      } else {
        SDVariable[] parts =
            modules.pooling().stream().map(mode -> pooled(mode, x)).toArray(SDVariable[]::new);
        SDVariable joined = parts.length == 1 ? parts[0] : sd.concat(1, parts);
        vectors = x.first().with(joined, (long) parts.length * config.hidden());
      }
      for (SentenceStep step : modules.steps()) {
        vectors = step.apply(graph, vectors);
      }
      return vectors;
    }

    /** The weighted sum of all tokens, also of those that carry no gradient: [batch, hidden]. */
    private SDVariable pooled(SentencePooling mode, TokenStream x) {
      if (mode == SentencePooling.MAX) {
        return greatest(x);
      }
      SDVariable weights = weights(mode, x);
      SDVariable sum = sum(x, weights);
      SDVariable total = weights.sum(1);
      TokenStream frozen = streams().frozen();
      if (frozen != null) {
        SDVariable others = weights(mode, frozen);
        sum = sum.add(sum(frozen, others));
        total = total.add(others.sum(1));
      }
      return sum.div(mode.divisor(withoutZeros(total)));
    }

    /**
     * 1 in place of 0, which is the sum of weights where a text is padding alone; in training there
     * is no such text.
     */
    private SDVariable withoutZeros(SDVariable total) {
      return options.training() ? total : total.add(total.eq(0.0).castTo(type));
    }

    private SDVariable weights(SentencePooling mode, TokenStream x) {
      SDVariable positions = x.bySequence(x.values(everyPosition()).castTo(type), 1);
      SDVariable last = mask.castTo(type).sum(1).sub(1).reshape(-1, 1, 1);
      return mode.weights(tokenWeights(x), positions, last);
    }

    /** The greatest values of all tokens, also of those that carry no gradient: [batch, hidden]. */
    private SDVariable greatest(TokenStream x) {
      SDVariable greatest = unpadded(x).max(1);
      TokenStream frozen = streams().frozen();
      return frozen == null ? greatest : sd.math().max(greatest, unpadded(frozen).max(1));
    }

    /** The rows of texts, [batch, count, hidden], where padding has values below all others. */
    private SDVariable unpadded(TokenStream x) {
      return x.bySequence(x.width()).add(tokenWeights(x).sub(1).mul(PADDING));
    }

    /** The mean of all tokens, also of those that carry no gradient: [batch, hidden]. */
    private TokenStream poolAll(TokenStream x) {
      SDVariable weights = tokenWeights(x);
      SDVariable sum = sum(x, weights);
      SDVariable count = weights.sum(1);
      TokenStream frozen = streams().frozen();
      if (frozen != null) {
        SDVariable others = tokenWeights(frozen);
        sum = sum.add(sum(frozen, others));
        count = count.add(others.sum(1));
      }
      return x.first().with(sum.div(withoutZeros(count)));
    }
  }
}
