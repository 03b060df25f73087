package org.tokentune.formats;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How GGUF files store the models of one architecture. A new one is added to the list here, and
 * nowhere else (source: llama.cpp's {@code conversion/} and {@code src/models/}).
 *
 * @param name llama.cpp's
 * @param modelType Hugging Face's
 * @param className transformers' class of the model with its head
 * @param names Hugging Face's names within a layer by llama.cpp's
 * @param permuted whether rows of queries and keys are ordered for rotating neighbours
 * @param addsOne whether gains of norms are stored with 1 added
 * @param biased modules whose projections may have biases
 * @param fields what its metadata say beyond Llama's
 */
record GgufArchitecture(
    String name,
    String modelType,
    String className,
    Map<String, String> names,
    boolean permuted,
    boolean addsOne,
    Set<String> biased,
    Fields fields) {

  static final String ATTENTION = "self_attn";
  static final String MLP = "mlp";
  static final String QUERY = "self_attn.q_proj";
  static final String KEY = "self_attn.k_proj";

  private static final String WINDOW = "attention.sliding_window";
  private static final String PATTERN = "attention.sliding_window_pattern";

  /** Llama's names within a layer, which most share. */
  private static final Map<String, String> LLAMA =
      Map.ofEntries(
          Map.entry("attn_norm", "input_layernorm"),
          Map.entry("attn_q", QUERY),
          Map.entry("attn_k", KEY),
          Map.entry("attn_v", "self_attn.v_proj"),
          Map.entry("attn_q_norm", "self_attn.q_norm"),
          Map.entry("attn_k_norm", "self_attn.k_norm"),
          Map.entry("attn_output", "self_attn.o_proj"),
          Map.entry("ffn_norm", "post_attention_layernorm"),
          Map.entry("ffn_gate", "mlp.gate_proj"),
          Map.entry("ffn_up", "mlp.up_proj"),
          Map.entry("ffn_down", "mlp.down_proj"));

  private static final List<GgufArchitecture> ALL =
      List.of(
          llama("llama", "LlamaForCausalLM").withPermuted().withBiased(ATTENTION, MLP),
          llama("qwen2", "Qwen2ForCausalLM"),
          llama("qwen3", "Qwen3ForCausalLM").withBiased(ATTENTION),
          llama("smollm3", "SmolLM3ForCausalLM")
              .withPermuted()
              .withBiased(ATTENTION, MLP)
              .withFields((keys, config) -> config.put("no_rope_layer_interval", 4)),
          llama("olmo2", "Olmo2ForCausalLM")
              .withBiased(ATTENTION)
              .withName("post_attention_norm", "post_attention_layernorm")
              .withName("post_ffw_norm", "post_feedforward_layernorm"),
          llama("phi3", "Phi3ForCausalLM")
              .withName("attn_qkv", "self_attn.qkv_proj")
              .withName("ffn_up", "mlp.gate_up_proj")
              .withFields((keys, config) -> window(config, keys.count(WINDOW, 0))),
          gemma("gemma2", "gemma2", "Gemma2ForCausalLM").withFields(GgufArchitecture::gemma2),
          gemma("gemma3", "gemma3_text", "Gemma3ForCausalLM").withFields(GgufArchitecture::gemma3),
          llama("granite", "GraniteForCausalLM")
              .withPermuted()
              .withBiased(ATTENTION, MLP)
              .withFields(GgufArchitecture::granite));

  /** Adds to a {@code config.json} that has Llama's fields. */
  interface Fields {
    void read(GgufKeys keys, ObjectNode config);
  }

  static Optional<GgufArchitecture> of(String name) {
    return ALL.stream().filter(architecture -> architecture.name().equals(name)).findFirst();
  }

  /** Hugging Face's names of all families. */
  static Set<String> families() {
    return ALL.stream()
        .map(GgufArchitecture::modelType)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** llama.cpp's names of all architectures. */
  static List<String> all() {
    return ALL.stream().map(GgufArchitecture::name).toList();
  }

  private static GgufArchitecture llama(String name, String className) {
    return new GgufArchitecture(
        name, name, className, LLAMA, false, false, Set.of(), (keys, config) -> {});
  }

  private static GgufArchitecture gemma(String name, String modelType, String className) {
    return new GgufArchitecture(
            name, modelType, className, LLAMA, false, true, Set.of(ATTENTION), (k, config) -> {})
        .withName("post_attention_norm", "post_attention_layernorm")
        .withName("ffn_norm", "pre_feedforward_layernorm")
        .withName("post_ffw_norm", "post_feedforward_layernorm");
  }

  private GgufArchitecture withName(String stored, String named) {
    Map<String, String> all = new TreeMap<>(names);
    all.put(stored, named);
    return new GgufArchitecture(
        name,
        modelType,
        className,
        Collections.unmodifiableMap(all),
        permuted,
        addsOne,
        biased,
        fields);
  }

  private GgufArchitecture withPermuted() {
    return new GgufArchitecture(name, modelType, className, names, true, addsOne, biased, fields);
  }

  private GgufArchitecture withBiased(String... modules) {
    return new GgufArchitecture(
        name, modelType, className, names, permuted, addsOne, Set.of(modules), fields);
  }

  private GgufArchitecture withFields(Fields other) {
    return new GgufArchitecture(
        name, modelType, className, names, permuted, addsOne, biased, other);
  }

  private static void gemma2(GgufKeys keys, ObjectNode config) {
    gemma(config, 46);
    windows(keys, config, keys.count(WINDOW, 4096), 2);
    config
        .put("attn_logit_softcapping", keys.number("attn_logit_softcapping", 50))
        .put("final_logit_softcapping", keys.number("final_logit_softcapping", 30));
  }

  private static void gemma3(GgufKeys keys, ObjectNode config) {
    gemma(config, 62);
    windows(keys, config, keys.count(WINDOW, 0), 6);
    config.put("rope_local_base_freq", keys.number("rope.freq_base_swa", 10000));
    double cap = keys.number("final_logit_softcapping", 0);
    if (cap != 0) {
      config.put("final_logit_softcapping", cap);
    }
  }

  /**
   * Files do not store the scale of the scores: llama.cpp knows it from the number of layers.
   *
   * @param largest number of layers of the model with 27 billion parameters
   */
  private static void gemma(ObjectNode config, int largest) {
    int headSize = config.path("head_dim").intValue();
    int share =
        config.path("hidden_size").intValue() / config.path("num_attention_heads").intValue();
    boolean isLargest = config.path("num_hidden_layers").intValue() == largest;
    config
        .put("hidden_activation", "gelu_pytorch_tanh")
        .put("query_pre_attn_scalar", isLargest ? share : headSize)
        .remove("hidden_act");
  }

  private static void granite(GgufKeys keys, ObjectNode config) {
    keys.mustBe("rope.scaling.finetuned", true); // its models without positions say false
    double scale = keys.number("attention.scale", 0);
    config
        .put("embedding_multiplier", orOne(keys.number("embedding_scale", 0)))
        .put("residual_multiplier", orOne(keys.number("residual_scale", 0)))
        .put("logits_scaling", keys.number("logit_scale"))
        .put(
            "attention_multiplier",
            scale == 0 ? 1 / Math.sqrt(config.path("head_dim").intValue()) : scale);
  }

  /** llama.cpp takes 0 for a missing factor. */
  private static double orOne(double factor) {
    return factor == 0 ? 1 : factor;
  }

  private static void window(ObjectNode config, int window) {
    if (window == 0) {
      config.putNull("sliding_window");
    } else {
      config.put("sliding_window", window);
    }
  }

  /** Windows in some layers: those listed, or all but every n-th. */
  private static void windows(GgufKeys keys, ObjectNode config, int window, int otherwise) {
    int layers = config.path("num_hidden_layers").intValue();
    List<Boolean> slides = new ArrayList<>();
    if (keys.isList(PATTERN)) {
      slides.addAll(keys.flags(PATTERN, layers));
    } else {
      int every = keys.count(PATTERN, otherwise);
      IntStream.range(0, layers)
          .forEach(layer -> slides.add(every == 0 || layer % every < every - 1));
    }
    window(config, window);
    ArrayNode types = config.putArray("layer_types");
    slides.forEach(one -> types.add(window > 0 && one ? "sliding_attention" : "full_attention"));
  }
}
