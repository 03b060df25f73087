package org.tokentune.models;

import static org.tokentune.Arguments.required;

import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.AttentionMask;
import org.tokentune.nn.internal.DropoutPlaces;
import org.tokentune.nn.internal.Embedding;
import org.tokentune.nn.internal.FeedForward;
import org.tokentune.nn.internal.Linear;
import org.tokentune.nn.internal.PreNormBlock;
import org.tokentune.nn.internal.RmsNorm;
import org.tokentune.nn.internal.Rotary;
import org.tokentune.nn.internal.SelfAttention;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.nn.internal.TokenStreams;
import org.tokentune.ops.TokenGather;

/**
 * Llama (Touvron et al., 2023) and its variants Mistral and Qwen2 over two token streams, with
 * Hugging Face's names.
 */
public record Llama(LlamaConfig config, Head head) implements TransformerModel {

  private static final String WORDS = "model.embed_tokens.weight";
  private static final String LAST_NORM = "model.norm";
  private static final String OWN_HEAD = "lm_head.weight";

  public Llama {
    required(config, "config");
    required(head, "head");

    head.requireCausal();
  }

  @Override
  public Map<String, long[]> parameters() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    long hidden = config.hidden();
    long inner = config.intermediate();
    long queries = (long) config.heads() * config.headSize();
    long keys = (long) config.keyValueHeads() * config.headSize();
    shapes.put(WORDS, new long[] {config.vocabulary(), hidden});
    for (int i = 0; i < config.layers(); i++) {
      String layer = layer(i);
      norm(shapes, layer + "input_layernorm");
      linear(shapes, layer + "self_attn.q_proj", queries, hidden, config.projectionBias());
      linear(shapes, layer + "self_attn.k_proj", keys, hidden, config.projectionBias());
      linear(shapes, layer + "self_attn.v_proj", keys, hidden, config.projectionBias());
      linear(shapes, layer + "self_attn.o_proj", hidden, queries, config.outputBias());
      norm(shapes, layer + "post_attention_layernorm");
      linear(shapes, layer + "mlp.gate_proj", inner, hidden, config.feedForwardBias());
      linear(shapes, layer + "mlp.up_proj", inner, hidden, config.feedForwardBias());
      linear(shapes, layer + "mlp.down_proj", hidden, inner, config.feedForwardBias());
    }
    norm(shapes, LAST_NORM);
    if (!config.tied()) {
      shapes.put(OWN_HEAD, new long[] {config.vocabulary(), hidden});
    }
    return shapes;
  }

  private static String layer(int i) {
    return "model.layers." + i + ".";
  }

  private static void linear(
      Map<String, long[]> shapes, String name, long out, long in, boolean biased) {
    shapes.put(name + ".weight", new long[] {out, in});
    if (biased) {
      shapes.put(name + ".bias", new long[] {out});
    }
  }

  private void norm(Map<String, long[]> shapes, String name) {
    shapes.put(name + ".weight", new long[] {config.hidden()});
  }

  @Override
  public String prefix() {
    return "model.";
  }

  @Override
  public boolean isHead(String name) {
    return name.equals(OWN_HEAD);
  }

  @Override
  public boolean isEmbedding(String name) {
    return name.equals(WORDS);
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

    private final Rotary rotary;

    Builder(Parameters parameters, GraphOptions options) {
      super(Llama.this, parameters, options);
      rotary =
          new Rotary(
              placeholder(ModelGraph.POSITION_IDS),
              config.rope().frequencies(config.headSize()),
              type);
    }

    @Override
    TokenStream embed(SDVariable positions, SDVariable rowIds, boolean differentiable) {
      SDVariable words =
          new Embedding(WORDS).rows(graph, TokenGather.elements(ids, rowIds), differentiable);
      return tokens(words, positions, rowIds, differentiable);
    }

    @Override
    AttentionMask keys(TokenStreams x) {
      return AttentionMask.causal(graph, x, mask, config.window(), type);
    }

    @Override
    TokenStreams layer(int number, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
      String name = Llama.layer(number);
      SelfAttention attention =
          new SelfAttention(
              rotary.after(Linear.of(name + "self_attn.q_proj", config.projectionBias())),
              rotary.after(Linear.of(name + "self_attn.k_proj", config.projectionBias())),
              Linear.of(name + "self_attn.v_proj", config.projectionBias()),
              config.heads(),
              config.keyValueHeads(),
              config.headSize(),
              config.attentionDropout(),
              name + DropoutPlaces.LLAMA_ATTENTION);
      PreNormBlock block =
          new PreNormBlock(
              norm(name + "input_layernorm"),
              attention,
              Linear.of(name + "self_attn.o_proj", config.outputBias()),
              norm(name + "post_attention_layernorm"),
              FeedForward.gated(
                  Linear.of(name + "mlp.gate_proj", config.feedForwardBias()),
                  Linear.of(name + "mlp.up_proj", config.feedForwardBias()),
                  Linear.of(name + "mlp.down_proj", config.feedForwardBias())),
              0,
              name);
      TokenStreams x = block.apply(graph, queries, tokens, keys);
      return number < config.layers() - 1 ? x : x.map(y -> norm(LAST_NORM).apply(graph, y));
    }

    private RmsNorm norm(String name) {
      return new RmsNorm(name, config.rmsNormEpsilon());
    }
  }
}
