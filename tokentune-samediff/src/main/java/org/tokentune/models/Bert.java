package org.tokentune.models;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.nn.AttentionKeys;
import org.tokentune.nn.Graph;
import org.tokentune.nn.Linear;
import org.tokentune.nn.Normalisation;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.SelfAttention;
import org.tokentune.nn.TokenStream;
import org.tokentune.nn.TokenStreams;
import org.tokentune.ops.BiasAdd;
import org.tokentune.ops.Gelu;
import org.tokentune.ops.Losses;
import org.tokentune.ops.MaskedSoftmax;
import org.tokentune.ops.TokenGather;

/**
 * BERT (Devlin et al., 2019) over two token streams (TokenTune: Simoulin et al., EMNLP 2024), with
 * Hugging Face's names.
 *
 * <p>The last layer computes no frozen rows, and where the head pools position 0 only that row of
 * every text: nothing reads the others, beyond their keys and values.
 */
public record Bert(BertConfig config, Head head) {

  private static final String EMBEDDINGS = "bert.embeddings.";
  private static final String POOLER = "bert.pooler.dense";
  private static final String WORDS = EMBEDDINGS + "word_embeddings.weight";
  private static final String TRANSFORM = "cls.predictions.transform.";
  private static final String VOCABULARY_BIAS = "cls.predictions.bias";

  /** Names and shapes of all parameters, in order. */
  public Map<String, long[]> parameters() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    int hidden = config.hidden();
    shapes.put(WORDS, new long[] {config.vocabulary(), hidden});
    shapes.put(
        EMBEDDINGS + "position_embeddings.weight", new long[] {config.maxPositions(), hidden});
    shapes.put(
        EMBEDDINGS + "token_type_embeddings.weight", new long[] {config.tokenTypes(), hidden});
    norm(shapes, EMBEDDINGS + "LayerNorm");
    for (int i = 0; i < config.layers(); i++) {
      String layer = layer(i);
      linear(shapes, layer + "attention.self.query", hidden, hidden);
      linear(shapes, layer + "attention.self.key", hidden, hidden);
      linear(shapes, layer + "attention.self.value", hidden, hidden);
      linear(shapes, layer + "attention.output.dense", hidden, hidden);
      norm(shapes, layer + "attention.output.LayerNorm");
      linear(shapes, layer + "intermediate.dense", config.intermediate(), hidden);
      linear(shapes, layer + "output.dense", hidden, config.intermediate());
      norm(shapes, layer + "output.LayerNorm");
    }
    switch (head.task()) {
      case MASKED_LM -> {
        linear(shapes, TRANSFORM + "dense", hidden, hidden);
        norm(shapes, TRANSFORM + "LayerNorm");
        shapes.put(VOCABULARY_BIAS, new long[] {config.vocabulary()});
      }
      case TOKEN -> linear(shapes, "classifier", head.outputs(), hidden);
      case CLASSIFY, MULTILABEL, REGRESS -> {
        linear(shapes, POOLER, hidden, hidden);
        linear(shapes, "classifier", head.outputs(), hidden);
      }
    }
    return shapes;
  }

  /** Whether a parameter belongs to what stands on the encoder, and may be new. */
  public static boolean isHead(String name) {
    return name.startsWith("classifier") || name.startsWith("cls.") || name.startsWith(POOLER);
  }

  /** Whether a parameter is an embedding table or its norm. */
  public static boolean isEmbedding(String name) {
    return name.startsWith(EMBEDDINGS);
  }

  /** Builds a graph over the very arrays of {@code parameters}. */
  public ModelGraph build(Parameters parameters, GraphOptions options) {
    return new Builder(parameters, options).build();
  }

  private static String layer(int i) {
    return "bert.encoder.layer." + i + ".";
  }

  private static void linear(Map<String, long[]> shapes, String name, long out, long in) {
    shapes.put(name + ".weight", new long[] {out, in});
    shapes.put(name + ".bias", new long[] {out});
  }

  private void norm(Map<String, long[]> shapes, String name) {
    shapes.put(name + ".weight", new long[] {config.hidden()});
    shapes.put(name + ".bias", new long[] {config.hidden()});
  }

  /** One graph being built. */
  private final class Builder {

    private final GraphOptions options;
    private final Graph graph;
    private final SameDiff sd;
    private final DataType type;
    private final SDVariable ids;
    private final SDVariable mask;
    private final SDVariable types;
    private final SDVariable selected;
    private final SDVariable frozen;

    Builder(Parameters parameters, GraphOptions options) {
      this.options = options;
      graph = new Graph(parameters, options.trainable(), options.training(), options.style());
      sd = graph.sd();
      type = parameters.get(WORDS).dataType();
      ids = placeholder(ModelGraph.INPUT_IDS);
      mask = placeholder(ModelGraph.ATTENTION_MASK);
      types = placeholder(ModelGraph.TOKEN_TYPE_IDS);
      selected = options.split() ? placeholder(ModelGraph.SELECTED) : everyPosition();
      frozen = options.split() ? placeholder(ModelGraph.FROZEN) : null;
    }

    private SDVariable placeholder(String name) {
      return sd.placeHolder(name, DataType.INT32, -1, -1);
    }

    /** [batch, length]: 0 to length - 1 in every row. */
    private SDVariable everyPosition() {
      SDVariable length = sd.sizeAt(ids, 1).castTo(DataType.INT32);
      SDVariable row = sd.range(sd.constant(0), length, sd.constant(1), DataType.INT32);
      return sd.zerosLike(ids).add(row);
    }

    ModelGraph build() {
      TokenStreams x = encode();
      SDVariable logits =
          switch (head.task()) {
            case MASKED_LM -> vocabulary(x.selected());
            case TOKEN -> classify(x.selected());
            case CLASSIFY, MULTILABEL, REGRESS -> classify(pool(x.selected()));
          };
      if (head.perToken() && !options.training()) {
        logits = x.selected().bySequence(logits, head.outputs());
      }
      logits = logits.rename(ModelGraph.LOGITS);
      if (options.training()) {
        loss(logits).rename(ModelGraph.LOSS);
        sd.setLossVariables(ModelGraph.LOSS);
      }
      List<String> trainable = new ArrayList<>();
      for (SDVariable variable : sd.variables()) {
        if (variable.getVariableType() == VariableType.VARIABLE) {
          trainable.add(variable.name());
        }
      }
      return new ModelGraph(sd, List.copyOf(trainable), options.split());
    }

    private TokenStreams encode() {
      TokenStreams x =
          new TokenStreams(
              embed(selected, options.training()), frozen == null ? null : embed(frozen, false));
      name(x, 0);
      AttentionKeys keys = keys(x);
      for (int i = 0; i < config.layers(); i++) {
        TokenStreams queries = x;
        if (i == config.layers() - 1) {
          boolean first = !options.allRows() && !head.perToken() && head.pooling() == Pooling.FIRST;
          queries = new TokenStreams(first ? x.selected().first() : x.selected(), null);
        }
        x = layer(Bert.layer(i), queries, x, keys);
        name(x, i + 1);
      }
      return x;
    }

    private void name(TokenStreams x, int layer) {
      x.selected().rows().rename(ModelGraph.hidden(layer));
      if (x.frozen() != null) {
        x.frozen().rows().rename(ModelGraph.frozenHidden(layer));
      }
    }

    /** Embeddings of the tokens at some positions, summed, normalised and dropped. */
    private TokenStream embed(SDVariable positions, boolean differentiable) {
      SDVariable rowIds = TokenGather.rowIds(ids, positions);
      SDVariable sum =
          lookup("word", at(ids, rowIds), differentiable)
              .add(lookup("token_type", at(types, rowIds), differentiable))
              .add(lookup("position", positions.reshape(-1), differentiable));
      TokenStream x =
          new TokenStream(sum, config.hidden(), sd.shape(positions), rowIds, differentiable);
      x = normalise(EMBEDDINGS + "LayerNorm", x, null);
      return graph.dropout(x, config.hiddenDropout(), "embeddings");
    }

    /** Rows of a table of embeddings; by ND4J's own gather where no gradient is needed. */
    private SDVariable lookup(String table, SDVariable rowIds, boolean differentiable) {
      SDVariable weights =
          graph.parameter(EMBEDDINGS + table + "_embeddings.weight", differentiable);
      return weights.getVariableType() == VariableType.VARIABLE
          ? TokenGather.rows(weights, rowIds, options.style())
          : sd.gather(weights, rowIds, 0);
    }

    /** Elements of an INT32 [batch, length] at rows of the flattened batch. */
    private SDVariable at(SDVariable values, SDVariable rowIds) {
      return sd.gather(values.reshape(-1, 1), rowIds, 0).reshape(-1);
    }

    private AttentionKeys keys(TokenStreams x) {
      SDVariable keyMask = byKey(x.selected());
      SDVariable positions = ofKey(x.selected(), x.selected().rowIds());
      if (x.frozen() != null) {
        keyMask = sd.concat(3, keyMask, byKey(x.frozen()));
        positions = sd.concat(3, positions, ofKey(x.frozen(), x.frozen().rowIds()));
      }
      return new AttentionKeys(MaskedSoftmax.bias(keyMask, type), positions);
    }

    private SDVariable byKey(TokenStream stream) {
      return ofKey(stream, at(mask, stream.rowIds()));
    }

    /** [batch * count] to [batch, 1, 1, count]. */
    private SDVariable ofKey(TokenStream stream, SDVariable values) {
      return stream.bySequence(values, 1, 1).permute(0, 2, 3, 1);
    }

    private TokenStreams layer(
        String name, TokenStreams queries, TokenStreams tokens, AttentionKeys keys) {
      SelfAttention attention =
          new SelfAttention(
              new Linear(name + "attention.self.query"),
              new Linear(name + "attention.self.key"),
              new Linear(name + "attention.self.value"),
              config.heads(),
              config.attentionDropout(),
              name + "attention.self");
      TokenStreams context = attention.apply(graph, queries, tokens, keys);
      TokenStreams attended = output(name + "attention.output", context, queries);
      TokenStreams inner =
          attended.map(x -> activate(new Linear(name + "intermediate.dense").apply(graph, x)));
      return output(name + "output", inner, attended);
    }

    /** A dense layer, dropout, the residual and the norm. */
    private TokenStreams output(String name, TokenStreams x, TokenStreams residual) {
      return new TokenStreams(
          output(name, x.selected(), residual.selected()),
          x.frozen() == null ? null : output(name, x.frozen(), residual.frozen()));
    }

    private TokenStream output(String name, TokenStream x, TokenStream residual) {
      TokenStream dense = new Linear(name + ".dense").apply(graph, x);
      TokenStream dropped = graph.dropout(dense, config.hiddenDropout(), name);
      return normalise(name + ".LayerNorm", dropped, residual);
    }

    private TokenStream normalise(String name, TokenStream x, TokenStream residual) {
      return new Normalisation(name, config.layerNormEpsilon()).apply(graph, x, residual);
    }

    private TokenStream activate(TokenStream x) {
      return x.with(
          switch (config.activation()) {
            case "gelu" -> Gelu.exact(x.rows(), options.style());
            case "relu" -> sd.nn().relu(x.rows(), 0);
            default -> Gelu.tanh(x.rows(), options.style());
          });
    }

    /** One row a text, through the pooler: [batch, hidden]. */
    private TokenStream pool(TokenStream x) {
      TokenStream pooled = x; // the last layer gave the first rows only
      if (head.pooling() == Pooling.MEAN) {
        SDVariable weights = x.bySequence(at(mask, x.rowIds()).castTo(type), 1);
        SDVariable sum = x.bySequence(config.hidden()).mul(weights).sum(1);
        pooled = x.first().with(sum.div(weights.sum(1)));
      } else if (options.allRows()) {
        pooled = x.first();
      }
      TokenStream dense = new Linear(POOLER).apply(graph, pooled);
      return dense.with(sd.math().tanh(dense.rows()));
    }

    private SDVariable classify(TokenStream x) {
      TokenStream dropped = graph.dropout(x, config.classifierDropout(), "classifier");
      return new Linear("classifier").apply(graph, dropped).rows();
    }

    /** Logits over the vocabulary; the decoder is the table of word embeddings. */
    private SDVariable vocabulary(TokenStream x) {
      TokenStream inner = activate(new Linear(TRANSFORM + "dense").apply(graph, x));
      SDVariable rows = normalise(TRANSFORM + "LayerNorm", inner, null).rows();
      SDVariable words = graph.parameter(WORDS, x.differentiable());
      return BiasAdd.apply(
          sd.mmul(rows, words, false, true, false),
          graph.parameter(VOCABULARY_BIAS, x.differentiable()),
          options.style());
    }

    private SDVariable loss(SDVariable logits) {
      return switch (head.task()) {
        case CLASSIFY ->
            Losses.softmaxCrossEntropy(
                logits,
                head.outputs(),
                sd.placeHolder(ModelGraph.LABELS, DataType.INT32, -1),
                null,
                options.style());
        case MULTILABEL ->
            Losses.binaryCrossEntropy(
                logits,
                sd.placeHolder(ModelGraph.LABELS, type, -1, head.outputs()),
                options.style());
        case REGRESS ->
            Losses.meanSquaredError(
                logits.reshape(-1),
                sd.placeHolder(ModelGraph.LABELS, type, -1, head.outputs()).reshape(-1),
                options.style());
        case TOKEN, MASKED_LM -> {
          SDVariable labels = placeholder(ModelGraph.LABELS);
          SDVariable chosen = at(labels, TokenGather.rowIds(ids, selected));
          yield Losses.softmaxCrossEntropy(logits, head.outputs(), chosen, null, options.style());
        }
      };
    }
  }
}
