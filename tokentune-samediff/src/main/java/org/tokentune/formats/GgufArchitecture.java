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
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
 * @param largest layers of the model whose scores are divided by the root of {@code hidden size /
 *     heads} in place of the head size; 0: none
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
    int largest,
    Fields fields) {

  static final String ATTENTION = "self_attn";
  static final String MLP = "mlp";
  static final String QUERY = "self_attn.q_proj";
  static final String KEY = "self_attn.k_proj";

  static final String WINDOW = "attention.sliding_window";
  static final String PATTERN = "attention.sliding_window_pattern";

  /** Hugging Face's names outside the layers by llama.cpp's. */
  private static final Map<String, String> OUTER =
      Map.of("token_embd", "model.embed_tokens", "output_norm", "model.norm", "output", "lm_head");

  private static final Pattern IN_LAYER = Pattern.compile("blk\\.(\\d+\\..+)");
  private static final Pattern STORED_LAYER = Pattern.compile("blk\\.(\\d+)\\.(\\w+)");
  private static final Pattern NAMED_LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\.(.+)");

  /** Families that are stored as another one. */
  private static final Map<String, String> STORED_AS = Map.of("mistral", "llama");

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

  private static final int LARGEST_GEMMA2 = 46;
  private static final int LARGEST_GEMMA3 = 62;

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
          gemma("gemma2", "gemma2", "Gemma2ForCausalLM", LARGEST_GEMMA2)
              .withFields(GgufArchitecture::gemma2),
          gemma("gemma3", "gemma3_text", "Gemma3ForCausalLM", LARGEST_GEMMA3)
              .withFields(GgufArchitecture::gemma3),
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

  /** How the models of one of Hugging Face's families are stored. */
  static Optional<GgufArchitecture> storing(String modelType) {
    String type = STORED_AS.getOrDefault(modelType, modelType);
    return ALL.stream().filter(architecture -> architecture.modelType().equals(type)).findFirst();
  }

  /** Hugging Face's names of all families that can be stored. */
  static Set<String> stored() {
    Set<String> stored = new TreeSet<>(STORED_AS.keySet());
    stored.addAll(families());
    return stored;
  }

  /** A stored tensor's name in Hugging Face's scheme; unknown names are unchanged. */
  String named(String stored) {
    String name = renamed(stored, OUTER::get, STORED_LAYER, this::namedInLayer);
    if (name != null) {
      return name;
    }
    Matcher other = IN_LAYER.matcher(stored); // unknown, but still part of a layer
    return other.matches() ? "model.layers." + other.group(1) : stored;
  }

  private String namedInLayer(Matcher layer) {
    String inner = names.getOrDefault(layer.group(2), layer.group(2));
    return "model.layers." + layer.group(1) + "." + inner;
  }

  /** The name under which a parameter is stored; empty if it has none. */
  Optional<String> stored(String named) {
    return Optional.ofNullable(
        renamed(named, module -> key(OUTER, module), NAMED_LAYER, this::storedInLayer));
  }

  private String storedInLayer(Matcher layer) {
    String inner = key(names, layer.group(2));
    return inner == null ? null : "blk." + layer.group(1) + "." + inner;
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

  /** Whether the rows of one of Hugging Face's tensors are stored in another order. */
  boolean permutes(String named) {
    return permuted && (named.contains(QUERY) || named.contains(KEY));
  }

  /** Whether one of Hugging Face's tensors is stored with 1 added. */
  boolean addsOneTo(String named) {
    return addsOne && named.endsWith("norm.weight");
  }

  /** By the square root of what scores are divided, unless the metadata say it. */
  int scoreDivisor(int layers, int hidden, int heads, int headSize) {
    return layers == largest ? hidden / heads : headSize;
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
        name, name, className, LLAMA, false, false, Set.of(), 0, (keys, config) -> {});
  }

  private static GgufArchitecture gemma(
      String name, String modelType, String className, int largest) {
    return new GgufArchitecture(
            name,
            modelType,
            className,
            LLAMA,
            false,
            true,
            Set.of(ATTENTION),
            largest,
            (keys, config) -> {})
        .withName("post_attention_norm", "post_attention_layernorm")
        .withName("ffn_norm", "pre_feedforward_layernorm")
        .withName("post_ffw_norm", "post_feedforward_layernorm");
  }

  private GgufArchitecture withName(String stored, String named) {
    Map<String, String> all = new TreeMap<>(names);
    all.values().removeIf(named::equals); // so that it has one name in files, too
    all.put(stored, named);
    return new GgufArchitecture(
        name,
        modelType,
        className,
        Collections.unmodifiableMap(all),
        permuted,
        addsOne,
        biased,
        largest,
        fields);
  }

  private GgufArchitecture withPermuted() {
    return new GgufArchitecture(
        name, modelType, className, names, true, addsOne, biased, largest, fields);
  }

  private GgufArchitecture withBiased(String... modules) {
    return new GgufArchitecture(
        name, modelType, className, names, permuted, addsOne, Set.of(modules), largest, fields);
  }

  private GgufArchitecture withFields(Fields other) {
    return new GgufArchitecture(
        name, modelType, className, names, permuted, addsOne, biased, largest, other);
  }

  private static void gemma2(GgufKeys keys, ObjectNode config) {
    gemma(config, "gemma2");
    windows(keys, config, keys.count(WINDOW, 4096), 2);
    config
        .put("attn_logit_softcapping", keys.number("attn_logit_softcapping", 50))
        .put("final_logit_softcapping", keys.number("final_logit_softcapping", 30));
  }

  private static void gemma3(GgufKeys keys, ObjectNode config) {
    gemma(config, "gemma3");
    windows(keys, config, keys.count(WINDOW, 0), 6);
    config.put("rope_local_base_freq", keys.number("rope.freq_base_swa", 10000));
    double cap = keys.number("final_logit_softcapping", 0);
    if (cap != 0) {
      config.put("final_logit_softcapping", cap);
    }
  }

  /** Files do not store the scale of the scores: llama.cpp knows it from the number of layers. */
  private static void gemma(ObjectNode config, String name) {
    int divisor =
        of(name)
            .orElseThrow()
            .scoreDivisor(
                config.path("num_hidden_layers").intValue(),
                config.path("hidden_size").intValue(),
                config.path("num_attention_heads").intValue(),
                config.path("head_dim").intValue());
    config
        .put("hidden_activation", "gelu_pytorch_tanh")
        .put("query_pre_attn_scalar", divisor)
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
