package org.tokentune.models;

import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.BadInputException;
import org.tokentune.nn.Activation;
import org.tokentune.nn.AttentionKeys;
import org.tokentune.nn.Embedding;
import org.tokentune.nn.Linear;
import org.tokentune.nn.Normalisation;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.SelfAttention;
import org.tokentune.nn.TokenStream;
import org.tokentune.nn.TokenStreams;
import org.tokentune.ops.Residual;
import org.tokentune.ops.TokenGather;

/** BERT (Devlin et al., 2019) over two token streams, with Hugging Face's names. */
public record Bert(BertConfig config, Head head) implements Model {

  private static final String EMBEDDINGS = "bert.embeddings.";
  private static final String POOLER = "bert.pooler.dense";
  private static final String WORDS = EMBEDDINGS + "word_embeddings.weight";
  private static final String TRANSFORM = "cls.predictions.transform.";
  private static final String VOCABULARY_BIAS = "cls.predictions.bias";

  public Bert {
    if (head.task() == Task.CAUSAL_LM) {
      throw new BadInputException("BERT is no causal language model; take a decoder.");
    }
  }

  @Override
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
      default -> {
        linear(shapes, POOLER, hidden, hidden);
        linear(shapes, "classifier", head.outputs(), hidden);
      }
    }
    return shapes;
  }

  @Override
  public String prefix() {
    return "bert.";
  }

  @Override
  public boolean isHead(String name) {
    return name.startsWith("classifier") || name.startsWith("cls.") || name.startsWith(POOLER);
  }

  @Override
  public boolean isEmbedding(String name) {
    return name.startsWith(EMBEDDINGS);
  }

  @Override
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
  private final class Builder extends ModelBuilder {

    private final SDVariable types = placeholder(ModelGraph.TOKEN_TYPE_IDS);

    Builder(Parameters parameters, GraphOptions options) {
      super(Bert.this, parameters, options);
    }

    /** Summed, normalised and dropped. */
    @Override
    TokenStream embed(SDVariable positions, SDVariable rowIds, boolean differentiable) {
      SDVariable words = lookup("word", TokenGather.elements(ids, rowIds), differentiable);
      SDVariable kinds = lookup("token_type", TokenGather.elements(types, rowIds), differentiable);
      SDVariable places = lookup("position", positions.reshape(-1), differentiable);
      SDVariable sum =
          Residual.apply(Residual.apply(words, kinds, options.style()), places, options.style());
      TokenStream x =
          normalise(EMBEDDINGS + "LayerNorm", tokens(sum, positions, rowIds, differentiable), null);
      return graph.dropout(x, config.hiddenDropout(), "embeddings");
    }

    private SDVariable lookup(String table, SDVariable rowIds, boolean differentiable) {
      return new Embedding(EMBEDDINGS + table + "_embeddings.weight")
          .rows(graph, rowIds, differentiable);
    }

    @Override
    AttentionKeys keys(TokenStreams x) {
      return AttentionKeys.all(x, mask, type);
    }

    @Override
    TokenStreams layer(int number, TokenStreams queries, TokenStreams tokens, AttentionKeys keys) {
      String name = Bert.layer(number);
      SelfAttention attention =
          new SelfAttention(
              new Linear(name + "attention.self.query"),
              new Linear(name + "attention.self.key"),
              new Linear(name + "attention.self.value"),
              config.heads(),
              config.heads(),
              config.hidden() / config.heads(),
              config.attentionDropout(),
              name + "attention.self");
      TokenStreams context = attention.apply(graph, queries, tokens, keys);
      TokenStreams attended = output(name + "attention.output", context, queries);
      Linear dense = new Linear(name + "intermediate.dense");
      TokenStreams inner = attended.map(x -> activate(dense.apply(graph, x)));
      return output(name + "output", inner, attended);
    }

    /** A dense layer, dropout, the residual and the norm. */
    private TokenStreams output(String name, TokenStreams x, TokenStreams residual) {
      return residual.map(x, (added, rows) -> output(name, rows, added));
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
      return Activation.read(config.activation()).apply(graph, x);
    }

    @Override
    SDVariable logits(TokenStream x) {
      return switch (head.task()) {
        case MASKED_LM -> vocabulary(x);
        case TOKEN -> classify(x);
        default -> classify(pool(x));
      };
    }

    /** One row a text, through the pooler: [batch, hidden]. */
    private TokenStream pool(TokenStream x) {
      TokenStream pooled = x; // the last layer gave the first rows only
      if (head.pooling() == Pooling.MEAN) {
        SDVariable weights = x.bySequence(x.values(mask).castTo(type), 1);
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
      TokenStream rows = normalise(TRANSFORM + "LayerNorm", inner, null);
      return new Linear(WORDS, VOCABULARY_BIAS, false).apply(graph, rows).rows();
    }
  }
}
