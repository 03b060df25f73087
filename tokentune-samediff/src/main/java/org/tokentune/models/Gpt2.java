package org.tokentune.models;

import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.nn.ActivationFunction;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.AttentionMask;
import org.tokentune.nn.internal.DropoutPlaces;
import org.tokentune.nn.internal.Embedding;
import org.tokentune.nn.internal.FeedForward;
import org.tokentune.nn.internal.LayerNorm;
import org.tokentune.nn.internal.Linear;
import org.tokentune.nn.internal.PackedLinear;
import org.tokentune.nn.internal.PreNormBlock;
import org.tokentune.nn.internal.SelfAttention;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.nn.internal.TokenStreams;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.Residual;
import org.tokentune.ops.TokenGather;

/** GPT-2 (Radford et al., 2019) over two token streams, with Hugging Face's names. */
record Gpt2(Gpt2Config config, Head head) implements TransformerModel {

  private static final String WORDS = "transformer.wte.weight";
  private static final String POSITIONS = "transformer.wpe.weight";
  private static final String LAST_NORM = "transformer.ln_f";
  private static final String OWN_HEAD = "lm_head.weight";

  public Gpt2 {
    head.requireCausal();
  }

  @Override
  public Map<String, long[]> parameters() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    long hidden = config.hidden();
    shapes.put(WORDS, new long[] {config.vocabulary(), hidden});
    shapes.put(POSITIONS, new long[] {config.maxPositions(), hidden});
    for (int i = 0; i < config.layers(); i++) {
      String layer = layer(i);
      norm(shapes, layer + "ln_1");
      linear(shapes, layer + "attn.c_attn", hidden, 3 * hidden);
      linear(shapes, layer + "attn.c_proj", hidden, hidden);
      norm(shapes, layer + "ln_2");
      linear(shapes, layer + "mlp.c_fc", hidden, config.intermediate());
      linear(shapes, layer + "mlp.c_proj", config.intermediate(), hidden);
    }
    norm(shapes, LAST_NORM);
    if (!config.tied() && head.task() == Objectives.CAUSAL_LM) {
      shapes.put(OWN_HEAD, new long[] {config.vocabulary(), hidden});
    }
    return shapes;
  }

  private static String layer(int i) {
    return "transformer.h." + i + ".";
  }

  private static void linear(Map<String, long[]> shapes, String name, long in, long out) {
    shapes.put(name + ".weight", new long[] {in, out});
    shapes.put(name + ".bias", new long[] {out});
  }

  private void norm(Map<String, long[]> shapes, String name) {
    shapes.put(name + ".weight", new long[] {config.hidden()});
    shapes.put(name + ".bias", new long[] {config.hidden()});
  }

  @Override
  public String prefix() {
    return "transformer.";
  }

  @Override
  public boolean inputFirst() {
    return true;
  }

  @Override
  public boolean isHead(String name) {
    return name.equals(OWN_HEAD);
  }

  @Override
  public boolean isEmbedding(String name) {
    return name.equals(WORDS) || name.equals(POSITIONS);
  }

  @Override
  public String wordTable() {
    return WORDS;
  }

  @Override
  public String headTable() {
    return config.tied() ? WORDS : OWN_HEAD;
  }

  @Override
  public ModelGraph build(Parameters parameters, GraphOptions options) {
    return new Builder(parameters, options).build();
  }

  /** A graph under construction. */
  private final class Builder extends DecoderBuilder {

    private final SDVariable positionIds = placeholder(ModelGraph.POSITION_IDS);

    Builder(Parameters parameters, GraphOptions options) {
      super(Gpt2.this, parameters, options);
    }

    @Override
    TokenStream embed(SDVariable positions, SDVariable rowIds, boolean differentiable) {
      SDVariable sum =
          Residual.apply(
              lookup(WORDS, TokenGather.elements(ids, rowIds), differentiable),
              lookup(POSITIONS, TokenGather.elements(positionIds, rowIds), differentiable),
              options.kernelMode());
      TokenStream x = tokens(sum, positions, rowIds, differentiable);
      return graph.dropout(x, config.embeddingDropout(), DropoutPlaces.EMBEDDINGS);
    }

    private SDVariable lookup(String table, SDVariable numbers, boolean differentiable) {
      return new Embedding(table).rows(graph, numbers, differentiable);
    }

    @Override
    AttentionMask keys(TokenStreams x) {
      return AttentionMask.causal(graph, x, mask, 0, type);
    }

    @Override
    TokenStreams layer(int number, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
      String name = Gpt2.layer(number);
      PackedLinear projections = new PackedLinear(Linear.inputFirst(name + "attn.c_attn"), 3);
      SelfAttention attention =
          new SelfAttention(
              projections.part(0),
              projections.part(1),
              projections.part(2),
              config.heads(),
              config.heads(),
              config.hidden() / config.heads(),
              config.attentionDropout(),
              name + DropoutPlaces.GPT2_ATTENTION);
      PreNormBlock block =
          new PreNormBlock(
              norm(name + "ln_1"),
              attention,
              Linear.inputFirst(name + "attn.c_proj"),
              norm(name + "ln_2"),
              FeedForward.plain(
                  Linear.inputFirst(name + "mlp.c_fc"),
                  ActivationFunction.read(config.activation()),
                  Linear.inputFirst(name + "mlp.c_proj")),
              config.residualDropout(),
              name);
      TokenStreams x = block.apply(graph, queries, tokens, keys);
      return number < config.layers() - 1 ? x : x.map(y -> norm(LAST_NORM).apply(graph, y));
    }

    private LayerNorm norm(String name) {
      return new LayerNorm(name, config.layerNormEpsilon());
    }
  }
}
