package org.tokentune.formats;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of tensors, without {@code .weight} or {@code .bias}: Hugging Face's by llama.cpp's.
 *
 * @param outer names outside the layers
 * @param layers what Hugging Face's names within a layer have before its number
 * @param inner names within a layer
 */
record GgufNames(Map<String, String> outer, String layers, Map<String, String> inner) {

  private static final Pattern STORED_LAYER = Pattern.compile("blk\\.(\\d+)\\.(.+)");

  /** Llama's, which most families share. */
  static final GgufNames LLAMA =
      new GgufNames(
          Map.of(
              "token_embd", "model.embed_tokens", "output_norm", "model.norm", "output", "lm_head"),
          "model.layers.",
          Map.ofEntries(
              Map.entry("attn_norm", "input_layernorm"),
              Map.entry("attn_q", GgufArchitecture.QUERY),
              Map.entry("attn_k", GgufArchitecture.KEY),
              Map.entry("attn_v", "self_attn.v_proj"),
              Map.entry("attn_q_norm", "self_attn.q_norm"),
              Map.entry("attn_k_norm", "self_attn.k_norm"),
              Map.entry("attn_output", "self_attn.o_proj"),
              Map.entry("ffn_norm", "post_attention_layernorm"),
              Map.entry("ffn_gate", "mlp.gate_proj"),
              Map.entry("ffn_up", "mlp.up_proj"),
              Map.entry("ffn_down", "mlp.down_proj")));

  static final GgufNames GPT2 =
      new GgufNames(
          Map.of(
              "token_embd",
              "transformer.wte",
              "position_embd",
              "transformer.wpe",
              "output_norm",
              "transformer.ln_f",
              "output",
              "lm_head"),
          "transformer.h.",
          Map.of(
              "attn_norm",
              "ln_1",
              "attn_qkv",
              "attn.c_attn",
              "attn_output",
              "attn.c_proj",
              "ffn_norm",
              "ln_2",
              "ffn_up",
              "mlp.c_fc",
              "ffn_down",
              "mlp.c_proj"));

  /** The same with one module within a layer under another name in files. */
  GgufNames with(String stored, String named) {
    Map<String, String> all = new TreeMap<>(inner);
    all.values().removeIf(named::equals); // so that it has one name in files, too
    all.put(stored, named);
    return new GgufNames(outer, layers, Collections.unmodifiableMap(all));
  }

  /** A stored tensor's name in Hugging Face's scheme; unknown names are unchanged. */
  String named(String stored) {
    String name =
        renamed(
            stored,
            outer::get,
            STORED_LAYER,
            layer -> {
              String known = inner.get(layer.group(2));
              return known == null ? null : layers + layer.group(1) + "." + known;
            });
    if (name != null) {
      return name;
    }
    Matcher other = STORED_LAYER.matcher(stored); // unknown, but still part of a layer
    return other.matches() ? layers + other.group(1) + "." + other.group(2) : stored;
  }

  /** The name under which a parameter is stored; empty if it has none. */
  Optional<String> stored(String named) {
    Pattern inLayer = Pattern.compile(Pattern.quote(layers) + "(\\d+)\\.(.+)");
    return Optional.ofNullable(
        renamed(
            named,
            module -> key(outer, module),
            inLayer,
            layer -> {
              String known = key(inner, layer.group(2));
              return known == null ? null : "blk." + layer.group(1) + "." + known;
            }));
  }

  /** Renames what stands before {@code .weight} or {@code .bias}; null if it has no other name. */
  private static String renamed(
      String name,
      Function<String, String> outer,
      Pattern inLayer,
      Function<Matcher, String> inner) {
    int dot = name.lastIndexOf('.');
    String kind = name.substring(dot + 1);
    if (dot <= 0 || !(kind.equals("weight") || kind.equals("bias"))) {
      return null;
    }
    String module = name.substring(0, dot);
    Matcher layer = inLayer.matcher(module);
    String renamed = layer.matches() ? inner.apply(layer) : outer.apply(module);
    return renamed == null ? null : renamed + "." + kind;
  }

  private static String key(Map<String, String> map, String value) {
    return map.entrySet().stream()
        .filter(entry -> entry.getValue().equals(value))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }
}
