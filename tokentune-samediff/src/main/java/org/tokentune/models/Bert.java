package org.tokentune.models;

import static org.tokentune.Arguments.required;

import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.BadSettingsException;
import org.tokentune.nn.ActivationFunction;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.AttentionMask;
import org.tokentune.nn.internal.DropoutPlaces;
import org.tokentune.nn.internal.Embedding;
import org.tokentune.nn.internal.FeedForward;
import org.tokentune.nn.internal.LayerNorm;
import org.tokentune.nn.internal.Linear;
import org.tokentune.nn.internal.NetworkLayer;
import org.tokentune.nn.internal.PostNormBlock;
import org.tokentune.nn.internal.SelfAttention;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.nn.internal.TokenStreams;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.Residual;
import org.tokentune.ops.TokenGather;

/**
 * BERT (Devlin et al., 2019) and its variants RoBERTa and DistilBERT over two token streams, with
 * Hugging Face's names.
 */
public record Bert(BertConfig config, Head head) implements TransformerModel {

  /** For tags; heads over whole texts have the family's own names. */
  private static final String TAGGER = "classifier";

  public Bert {
    required(config, "config");
    required(head, "head");

    if (head.task() == Objectives.CAUSAL_LM) {
      throw new BadSettingsException("An encoder is not a causal language model; use a decoder.");
    }
  }

  @Override
  public Map<String, long[]> parameters() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    BertFamily family = config.family();
    int hidden = config.hidden();
    table(shapes, "word", config.vocabulary());
    table(shapes, "position", config.firstPosition() + config.maxPositions());
    if (config.tokenTypes() > 0) {
      table(shapes, "token_type", config.tokenTypes());
    }
    norm(shapes, embeddings() + "LayerNorm");
    for (int i = 0; i < config.layers(); i++) {
      String layer = layer(i);
      linear(shapes, layer + family.layer().query(), hidden, hidden);
      linear(shapes, layer + family.layer().key(), hidden, hidden);
      linear(shapes, layer + family.layer().value(), hidden, hidden);
      linear(shapes, layer + family.layer().attentionOutput(), hidden, hidden);
      norm(shapes, layer + family.layer().attentionNorm());
      linear(shapes, layer + family.layer().in(), config.intermediate(), hidden);
      linear(shapes, layer + family.layer().out(), hidden, config.intermediate());
      norm(shapes, layer + family.layer().outputNorm());
    }
    switch (head.task().headShape()) {
      case VOCABULARY -> {
        linear(shapes, family.vocabulary().dense(), hidden, hidden);
        norm(shapes, family.vocabulary().norm());
        if (!config.tied()) {
          shapes.put(headTable(), new long[] {config.vocabulary(), hidden});
        }
        shapes.put(family.vocabulary().bias(), new long[] {config.vocabulary()});
      }
      case TOKENS -> linear(shapes, tokenHead(), head.outputs(), hidden);
      case POOLED -> linear(shapes, family.text().dense(), hidden, hidden);
      case TEXT -> {
        linear(shapes, family.text().dense(), hidden, hidden);
        linear(shapes, family.text().out(), head.outputs(), hidden);
      }
    }
    return shapes;
  }

  /** The name of the linear layer of a head that reads every token. */
  private String tokenHead() {
    return head.task().equals(Objectives.QUESTION_ANSWERING) ? Head.QA_OUTPUTS : TAGGER;
  }

  @Override
  public String prefix() {
    return config.family().prefix();
  }

  @Override
  public boolean isHead(String name) {
    return !name.startsWith(prefix()) || name.startsWith(config.family().text().dense());
  }

  @Override
  public boolean isEmbedding(String name) {
    return name.startsWith(embeddings());
  }

  @Override
  public String wordTable() {
    return table("word");
  }

  @Override
  public String headTable() {
    return config.tied() ? wordTable() : config.family().vocabulary().decoder() + ".weight";
  }

  @Override
  public ModelGraph build(Parameters parameters, GraphOptions options) {
    return new Builder(parameters, options).build();
  }

  private String embeddings() {
    return prefix() + "embeddings.";
  }

  private String table(String kind) {
    return embeddings() + kind + "_embeddings.weight";
  }

  private String layer(int i) {
    return prefix() + config.family().layer().prefix() + i + ".";
  }

  private void table(Map<String, long[]> shapes, String kind, int rows) {
    shapes.put(table(kind), new long[] {rows, config.hidden()});
  }

  private static void linear(Map<String, long[]> shapes, String name, long out, long in) {
    shapes.put(name + ".weight", new long[] {out, in});
    shapes.put(name + ".bias", new long[] {out});
  }

  private void norm(Map<String, long[]> shapes, String name) {
    shapes.put(name + ".weight", new long[] {config.hidden()});
    shapes.put(name + ".bias", new long[] {config.hidden()});
  }

  /** A graph under construction. */
  private final class Builder extends ModelBuilder {

    private final BertFamily family = config.family();
    private final boolean distilled = family.equals(BertFamily.DISTILBERT);
    private final SDVariable types = placeholder(ModelGraph.TOKEN_TYPE_IDS);
    private final SDVariable counted = family.equals(BertFamily.ROBERTA) ? counted() : null;

    Builder(Parameters parameters, GraphOptions options) {
      super(Bert.this, parameters, options);
    }

    /**
     * RoBERTa's positions, [batch, length]: tokens are numbered from the padding's id + 1, ignoring
     * padding, and padding has its own id.
     */
    private SDVariable counted() {
      SDVariable padding = sd.constant(config.firstPosition() - 1);
      SDVariable tokens = sd.neq(ids, padding).castTo(DataType.INT32);
      SDVariable counts =
          sd.cumsum(tokens.castTo(DataType.FLOAT), false, false, 1); // not for integers
      return counts.castTo(DataType.INT32).mul(tokens).add(padding);
    }

    /** Adds, normalises and applies dropout. */
    @Override
    TokenStream embed(SDVariable positions, SDVariable rowIds, boolean differentiable) {
      SDVariable sum = lookup("word", TokenGather.elements(ids, rowIds), differentiable);
      if (config.tokenTypes() > 0) {
        SDVariable kinds = TokenGather.elements(types, rowIds);
        sum = plus(sum, lookup("token_type", kinds, differentiable));
      }
      SDVariable places =
          counted == null ? positions.reshape(-1) : TokenGather.elements(counted, rowIds);
      sum = plus(sum, lookup("position", places, differentiable && !config.fixedPositions()));
      TokenStream x = tokens(sum, positions, rowIds, differentiable);
      return graph.dropout(
          norm(embeddings() + "LayerNorm").apply(graph, x),
          config.hiddenDropout(),
          DropoutPlaces.EMBEDDINGS);
    }

    private SDVariable lookup(String kind, SDVariable numbers, boolean differentiable) {
      return new Embedding(table(kind)).rows(graph, numbers, differentiable);
    }

    private SDVariable plus(SDVariable a, SDVariable b) {
      return Residual.apply(a, b, options.kernelMode());
    }

    @Override
    AttentionMask keys(TokenStreams x) {
      return AttentionMask.all(x, mask, type);
    }

    @Override
    TokenStreams layer(int number, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
      String name = Bert.this.layer(number);
      BertFamily.LayerNames names = family.layer();
      SelfAttention attention =
          new SelfAttention(
              new Linear(name + names.query()),
              new Linear(name + names.key()),
              new Linear(name + names.value()),
              config.heads(),
              config.heads(),
              config.hidden() / config.heads(),
              config.attentionDropout(),
              name + DropoutPlaces.BERT_ATTENTION);
      Linear output = new Linear(name + names.attentionOutput());
      NetworkLayer feedForward =
          FeedForward.plain(
              new Linear(name + names.in()), activation(), new Linear(name + names.out()));
      PostNormBlock block =
          new PostNormBlock(
              attention,
              distilled ? output : dropped(output, name + DropoutPlaces.BERT_ATTENTION_OUTPUT),
              norm(name + names.attentionNorm()),
              dropped(feedForward, name + DropoutPlaces.BERT_OUTPUT),
              norm(name + names.outputNorm()));
      return block.apply(graph, queries, tokens, keys);
    }

    private NetworkLayer dropped(NetworkLayer layer, String place) {
      return (g, x) -> g.dropout(layer.apply(g, x), config.hiddenDropout(), place);
    }

    private LayerNorm norm(String name) {
      return new LayerNorm(name, config.layerNormEpsilon());
    }

    private ActivationFunction activation() {
      return ActivationFunction.read(config.activation());
    }

    @Override
    public SDVariable logits(TokenStream x) {
      return switch (head.task().headShape()) {
        case VOCABULARY -> vocabulary(x);
        case TOKENS -> new Linear(tokenHead()).apply(graph, droppedTokens(x)).rows();
        case POOLED -> dense(pool(x)).rows();
        case TEXT -> text(pool(x));
      };
    }

    private TokenStream droppedTokens(TokenStream x) {
      if (tokenHead().equals(Head.QA_OUTPUTS)) {
        return graph.dropout(x, config.answerDropout(), DropoutPlaces.ANSWERS);
      }
      double rate = distilled ? config.hiddenDropout() : config.classifierDropout();
      return graph.dropout(x, rate, DropoutPlaces.CLASSIFIER);
    }

    /** One row per text: [batch, hidden]. */
    private TokenStream pool(TokenStream x) {
      if (head.pooling() == Pooling.MEAN) {
        SDVariable weights = x.bySequence(x.values(mask).castTo(type), 1);
        SDVariable sum = x.bySequence(config.hidden()).mul(weights).sum(1);
        return x.first().with(sum.div(weights.sum(1)));
      }
      return options.allRows()
          ? x.first()
          : x; // otherwise the last layer returned only the first rows
    }

    /** BERT's pooler: [batch, hidden]. */
    private TokenStream dense(TokenStream pooled) {
      BertFamily.TextHead names = family.text();
      double rate = config.classifierDropout();
      TokenStream x =
          names.dropsFirst() ? graph.dropout(pooled, rate, DropoutPlaces.POOLED) : pooled;
      return names.activation().apply(graph, new Linear(names.dense()).apply(graph, x));
    }

    /** [batch, outputs]. */
    private SDVariable text(TokenStream pooled) {
      TokenStream dropped =
          graph.dropout(dense(pooled), config.classifierDropout(), DropoutPlaces.CLASSIFIER);
      return new Linear(family.text().out()).apply(graph, dropped).rows();
    }

    /** Logits over the vocabulary. */
    private SDVariable vocabulary(TokenStream x) {
      BertFamily.VocabularyHead names = family.vocabulary();
      ActivationFunction activation =
          names.activation() == null ? activation() : names.activation();
      TokenStream dense = activation.apply(graph, new Linear(names.dense()).apply(graph, x));
      TokenStream rows = norm(names.norm()).apply(graph, dense);
      return new Linear(headTable(), names.bias(), false).apply(graph, rows).rows();
    }
  }
}
