package org.tokentune.models;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.models.DecoderConfig.Attention;
import org.tokentune.models.DecoderConfig.Mlp;
import org.tokentune.models.DecoderConfig.Norms;
import org.tokentune.models.DecoderConfig.QueryKeyNorm;
import org.tokentune.models.DecoderNames.Part;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.AttentionMask;
import org.tokentune.nn.internal.DropoutPlaces;
import org.tokentune.nn.internal.Embedding;
import org.tokentune.nn.internal.FeedForward;
import org.tokentune.nn.internal.HeadNorm;
import org.tokentune.nn.internal.Linear;
import org.tokentune.nn.internal.NetworkLayer;
import org.tokentune.nn.internal.PackedLinear;
import org.tokentune.nn.internal.PositionScores;
import org.tokentune.nn.internal.ResidualBlock;
import org.tokentune.nn.internal.Rotary;
import org.tokentune.nn.internal.SelfAttention;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.nn.internal.TokenStreams;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.Residual;
import org.tokentune.ops.SoftCap;
import org.tokentune.ops.TokenGather;
import org.tokentune.ops.VocabularyLoss;

/**
 * A decoder of any family over two token streams, with Hugging Face's names. It computes next-token
 * logits at every position, with the word embeddings or a matrix of its own; or the row of a text,
 * as the input of another network.
 */
public final class Decoder implements TransformerModel {

  private final DecoderConfig config;
  private final Head head;
  private final DecoderNames names;
  private final ParameterShapes shapes = new ParameterShapes();
  private final Embedding words;
  private final Embedding positions; // null: there is no table
  private final List<Layer> layers = new ArrayList<>();
  private final NetworkLayer lastNorm;
  private final Linear toLogits;

  /** A layer's parts; those that it does not have are null, and norms that it lacks do nothing. */
  private record Layer(
      NetworkLayer attentionNorm,
      Linear query,
      Linear key,
      Linear value,
      Linear packed,
      NetworkLayer queryNorm,
      NetworkLayer keyNorm,
      Linear output,
      NetworkLayer afterAttention,
      NetworkLayer mlpNorm,
      Linear gate,
      Linear up,
      Linear gateUp,
      Linear down,
      NetworkLayer afterMlp) {}

  Decoder(DecoderConfig config, Head head) {
    required(config, "config");
    required(head, "head").requireCausal();
    this.config = config;
    this.head = head;
    names = config.family().names();
    words = shapes.table(names.of(Part.WORDS), config.vocabulary(), config.hidden());
    positions =
        config.positionTable()
            ? shapes.table(names.of(Part.POSITIONS), config.maxPositions(), config.hidden())
            : null;
    for (int i = 0; i < config.layers(); i++) {
      layers.add(declare(i));
    }
    lastNorm = norm(names.of(Part.LAST_NORM), config.hidden());
    toLogits =
        config.tied() || !head.task().isCausal()
            ? new Linear(words.weight(), null, false)
            : shapes.linear(names.of(Part.HEAD), config.hidden(), config.vocabulary(), false);
  }

  private Layer declare(int layer) {
    Attention attention = config.attention();
    Norms norms = config.norms();
    Mlp mlp = config.mlp();
    long hidden = config.hidden();
    long inner = mlp.intermediate();
    long queries = (long) attention.heads() * attention.headSize();
    long keys = (long) attention.keyValueHeads() * attention.headSize();
    boolean packed = attention.packed();
    boolean gated = mlp.gated();
    return new Layer(
        norm(layer, Part.ATTENTION_NORM, norms.before()),
        linear(!packed, layer, Part.QUERY, hidden, queries, attention.bias()),
        linear(!packed, layer, Part.KEY, hidden, keys, attention.bias()),
        linear(!packed, layer, Part.VALUE, hidden, keys, attention.bias()),
        linear(packed, layer, Part.QUERY_KEY_VALUE, hidden, queries + 2 * keys, attention.bias()),
        queryKeyNorm(layer, Part.QUERY_NORM, queries),
        queryKeyNorm(layer, Part.KEY_NORM, keys),
        linear(true, layer, Part.ATTENTION_OUTPUT, queries, hidden, attention.outputBias()),
        norm(layer, Part.AFTER_ATTENTION_NORM, norms.after()),
        norm(layer, Part.MLP_NORM, norms.before()),
        linear(gated && !mlp.packed(), layer, Part.GATE, hidden, inner, mlp.bias()),
        linear(!mlp.packed(), layer, Part.UP, hidden, inner, mlp.bias()),
        linear(mlp.packed(), layer, Part.GATE_UP, hidden, 2 * inner, mlp.bias()),
        linear(true, layer, Part.DOWN, inner, hidden, mlp.bias()),
        norm(layer, Part.AFTER_MLP_NORM, norms.after()));
  }

  private Linear linear(boolean present, int layer, Part part, long in, long out, boolean biased) {
    if (!present) {
      return null;
    }
    String name = names.of(layer, part);
    return config.family().inputFirst()
        ? shapes.inputFirst(name, in, out)
        : shapes.linear(name, in, out, biased);
  }

  private NetworkLayer norm(int layer, Part part, boolean present) {
    return present ? norm(names.of(layer, part), config.hidden()) : NetworkLayer.IDENTITY;
  }

  private NetworkLayer norm(String name, long width) {
    Norms norms = config.norms();
    return norms.rms()
        ? shapes.rmsNorm(name, width, norms.epsilon(), norms.addsOne())
        : shapes.layerNorm(name, width, norms.epsilon(), true);
  }

  private NetworkLayer queryKeyNorm(int layer, Part part, long width) {
    QueryKeyNorm kind = config.attention().queryKeyNorm();
    if (kind == QueryKeyNorm.NONE) {
      return NetworkLayer.IDENTITY;
    }
    int headSize = config.attention().headSize();
    String name = names.of(layer, part);
    return kind == QueryKeyNorm.HEAD
        ? new HeadNorm(norm(name, headSize), headSize)
        : norm(name, width);
  }

  @Override
  public DecoderConfig config() {
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
  public boolean inputFirst() {
    return config.family().inputFirst();
  }

  @Override
  public boolean isHead(String name) {
    return name.equals(names.of(Part.HEAD) + ".weight");
  }

  @Override
  public boolean isEmbedding(String name) {
    return name.equals(words.weight()) || (positions != null && name.equals(positions.weight()));
  }

  @Override
  public String wordTable() {
    return words.weight();
  }

  @Override
  public String headTable() {
    return config.tied() ? words.weight() : names.of(Part.HEAD) + ".weight";
  }

  @Override
  public ModelGraph build(Parameters parameters, GraphOptions options) {
    return new Builder(parameters, options).build();
  }

  /** A graph under construction. */
  private final class Builder extends ModelBuilder {

    private final SDVariable positionIds = placeholder(ModelGraph.POSITION_IDS);
    private final Map<RopeParameters, Rotary> rotaries = new HashMap<>();
    private final Map<String, AttentionMask> masks = new HashMap<>();

    Builder(Parameters parameters, GraphOptions options) {
      super(Decoder.this, parameters, options);
    }

    @Override
    TokenStream embed(SDVariable at, SDVariable rowIds, boolean differentiable) {
      SDVariable sum = words.rows(graph, TokenGather.elements(ids, rowIds), differentiable);
      if (config.multipliers().embeddings() != 1) {
        sum = sum.mul(config.multipliers().embeddings());
      }
      if (positions != null) {
        sum =
            Residual.apply(
                sum,
                positions.rows(graph, TokenGather.elements(positionIds, rowIds), differentiable),
                options.kernelMode());
      }
      return graph.dropout(
          tokens(sum, at, rowIds, differentiable),
          config.dropout().embeddings(),
          DropoutPlaces.EMBEDDINGS);
    }

    /** Layers with the same window and the same tokens share a mask. */
    @Override
    AttentionMask mask(int layer, TokenStreams queries, TokenStreams tokens) {
      int window = config.layerTypes().get(layer).window();
      TokenStreams x = options.capacity() > 0 ? queries : tokens;
      return masks.computeIfAbsent(
          window + " " + x.selected().rowIds().name(),
          key -> AttentionMask.causal(graph, x, mask, positionIds, window, type));
    }

    @Override
    TokenStreams layer(int number, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
      Layer layer = layers.get(number);
      ResidualBlock block =
          new ResidualBlock(
              layer.attentionNorm(),
              attention(number, layer),
              layer.output(),
              layer.afterAttention(),
              layer.mlpNorm(),
              mlp(layer),
              layer.afterMlp(),
              config.multipliers().residual(),
              config.dropout().residual(),
              names.layer(number));
      TokenStreams x = block.apply(graph, queries, tokens, keys);
      return number < config.layers() - 1 ? x : x.map(y -> lastNorm.apply(graph, y));
    }

    private SelfAttention attention(int number, Layer layer) {
      Attention attention = config.attention();
      NetworkLayer query = layer.query();
      NetworkLayer key = layer.key();
      NetworkLayer value = layer.value();
      if (attention.packed()) {
        int group = attention.heads() / attention.keyValueHeads();
        PackedLinear packed = new PackedLinear(layer.packed(), group, 1, 1);
        query = packed.part(0);
        key = packed.part(1);
        value = packed.part(2);
      }
      RopeParameters rope = config.layerTypes().get(number).rope();
      return new SelfAttention(
          rotated(rope, query.then(layer.queryNorm())),
          rotated(rope, key.then(layer.keyNorm())),
          value,
          attention.heads(),
          attention.keyValueHeads(),
          attention.headSize(),
          attention.scale(),
          attention.softCap(),
          PositionScores.NONE,
          config.dropout().attention(),
          names.attentionDropout(number));
    }

    private NetworkLayer rotated(RopeParameters rope, NetworkLayer projection) {
      if (rope == null) {
        return projection;
      }
      return rotaries
          .computeIfAbsent(
              rope,
              key ->
                  new Rotary(
                      positionIds,
                      config.attention().headSize(),
                      rope.frequencies(config.attention().rotarySize()),
                      rope.attentionFactor(),
                      type))
          .after(projection);
    }

    private NetworkLayer mlp(Layer layer) {
      Mlp mlp = config.mlp();
      if (!mlp.gated()) {
        return FeedForward.plain(layer.up(), mlp.activation(), layer.down());
      }
      NetworkLayer gate = layer.gate();
      NetworkLayer up = layer.up();
      if (mlp.packed()) {
        PackedLinear packed = new PackedLinear(layer.gateUp(), 1, 1);
        gate = packed.part(0);
        up = packed.part(1);
      }
      return FeedForward.gated(gate, mlp.activation(), up, layer.down());
    }

    @Override
    public SDVariable logits(TokenStream x) {
      if (head.task() == Objectives.FEATURE_EXTRACTION) {
        return pool(x).rows();
      }
      SDVariable logits = toLogits.apply(graph, x.with(scaled(x.rows()))).rows();
      double cap = config.multipliers().logitCap();
      return cap == 0 ? logits : SoftCap.apply(logits, 1, cap, options.kernelMode());
    }

    /** What gives the divided logits. */
    private SDVariable scaled(SDVariable rows) {
      double divisor = config.multipliers().logits();
      return divisor == 1 ? rows : rows.mul(1 / divisor);
    }

    /**
     * The fused form works on slices of the vocabulary, so that it never holds all logits of a
     * batch.
     */
    @Override
    public SDVariable vocabularyLoss(SDVariable labels) {
      return slices()
          ? VocabularyLoss.apply(
              scaled(streams().selected().rows()), graph.table(headTable(), true), labels)
          : null;
    }

    private boolean slices() {
      return options.kernelMode() != KernelMode.NATIVE && config.multipliers().logitCap() == 0;
    }

    @Override
    public SDVariable tokenLosses(TokenStream stream, SDVariable nextTokens) {
      return slices()
          ? VocabularyLoss.ofRows(
              scaled(stream.rows()), graph.table(headTable(), stream.differentiable()), nextTokens)
          : super.tokenLosses(stream, nextTokens);
    }
  }
}
