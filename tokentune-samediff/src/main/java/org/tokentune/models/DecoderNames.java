package org.tokentune.models;

import java.util.EnumMap;
import java.util.Map;

/** The names of a decoder family's parameters in Hugging Face's files. */
public final class DecoderNames {

  /** A part of a decoder that has parameters. */
  public enum Part {
    WORDS,
    POSITIONS,
    ATTENTION_NORM,
    QUERY,
    KEY,
    VALUE,
    /** Queries, keys and values in one. */
    QUERY_KEY_VALUE,
    QUERY_NORM,
    KEY_NORM,
    ATTENTION_OUTPUT,
    AFTER_ATTENTION_NORM,
    MLP_NORM,
    GATE,
    UP,
    /** Gate and up in one. */
    GATE_UP,
    DOWN,
    AFTER_MLP_NORM,
    LAST_NORM,
    HEAD
  }

  /** Llama's names, which most families share. */
  static final DecoderNames LLAMA =
      new DecoderNames("model.", "layers.", "self_attn")
          .with(Part.WORDS, "embed_tokens")
          .with(Part.ATTENTION_NORM, "input_layernorm")
          .with(Part.QUERY, "self_attn.q_proj")
          .with(Part.KEY, "self_attn.k_proj")
          .with(Part.VALUE, "self_attn.v_proj")
          .with(Part.QUERY_NORM, "self_attn.q_norm")
          .with(Part.KEY_NORM, "self_attn.k_norm")
          .with(Part.ATTENTION_OUTPUT, "self_attn.o_proj")
          .with(Part.MLP_NORM, "post_attention_layernorm")
          .with(Part.GATE, "mlp.gate_proj")
          .with(Part.UP, "mlp.up_proj")
          .with(Part.DOWN, "mlp.down_proj")
          .with(Part.LAST_NORM, "norm")
          .with(Part.HEAD, "lm_head");

  private final String prefix;
  private final String layers;
  private final String attention;
  private final Map<Part, String> names = new EnumMap<>(Part.class);

  /**
   * Without parts.
   *
   * @param prefix of all names but the head's
   * @param layers what stands before a layer's number
   * @param attention the module of a layer's attention, which names its place of dropout
   */
  DecoderNames(String prefix, String layers, String attention) {
    this.prefix = prefix;
    this.layers = layers;
    this.attention = attention;
  }

  /** The same, with a part's name within its layer, or after the prefix. */
  DecoderNames with(Part part, String name) {
    DecoderNames copy = new DecoderNames(prefix, layers, attention);
    copy.names.putAll(names);
    copy.names.put(part, name);
    return copy;
  }

  /** The prefix of all names but the head's. */
  public String prefix() {
    return prefix;
  }

  /** The name of a part outside the layers. */
  public String of(Part part) {
    return part == Part.HEAD ? name(part) : prefix + name(part);
  }

  /** The name of a part of a layer. */
  public String of(int layer, Part part) {
    return layer(layer) + name(part);
  }

  /** What the names of a layer's parameters begin with. */
  String layer(int number) {
    return prefix + layers + number + ".";
  }

  /** The name of the place where a layer's attention weights are dropped. */
  String attentionDropout(int layer) {
    return layer(layer) + attention;
  }

  private String name(Part part) {
    String name = names.get(part);
    if (name == null) {
      throw new IllegalStateException("this family has no name for " + part);
    }
    return name;
  }
}
