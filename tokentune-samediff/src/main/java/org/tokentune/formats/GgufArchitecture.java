package org.tokentune.formats;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How GGUF files store the models of one architecture. A new one is added to the list here, and
 * nowhere else (source: llama.cpp's {@code conversion/} and {@code src/models/}).
 *
 * @param name llama.cpp's
 * @param modelType Hugging Face's
 * @param className transformers' class of the model with its head
 * @param permuted whether rows of queries and keys are ordered for rotating neighbours
 * @param addsOne whether gains of norms are stored with 1 added
 * @param inputFirst whether Hugging Face's matrices within layers are [in, out]; files have [out,
 *     in]
 * @param layerNorms whether norms are layer norms; otherwise RMSNorms
 * @param biased modules whose projections may have biases
 * @param largest layers of the model whose scores are divided by the root of {@code hidden size /
 *     heads} in place of the head size; 0: none
 * @param fields what its metadata say beyond Llama's
 */
record GgufArchitecture(
    String name,
    String modelType,
    String className,
    GgufNames names,
    boolean permuted,
    boolean addsOne,
    boolean inputFirst,
    boolean layerNorms,
    Set<String> biased,
    int largest,
    Fields fields) {

  static final String ATTENTION = "self_attn";
  static final String MLP = "mlp";
  static final String QUERY = "self_attn.q_proj";
  static final String KEY = "self_attn.k_proj";

  static final String WINDOW = "attention.sliding_window";
  static final String PATTERN = "attention.sliding_window_pattern";

  /** Families that are stored as another one. */
  private static final Map<String, String> STORED_AS = Map.of("mistral", "llama");

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
              .withFields((keys, weights, config) -> config.put("no_rope_layer_interval", 4)),
          llama("olmo2", "Olmo2ForCausalLM")
              .withBiased(ATTENTION)
              .withName("post_attention_norm", "post_attention_layernorm")
              .withName("post_ffw_norm", "post_feedforward_layernorm"),
          llama("phi3", "Phi3ForCausalLM")
              .withName("attn_qkv", "self_attn.qkv_proj")
              .withName("ffn_up", "mlp.gate_up_proj")
              .withFields((keys, weights, config) -> window(config, keys.count(WINDOW, 0))),
          gemma("gemma2", "gemma2", "Gemma2ForCausalLM", LARGEST_GEMMA2)
              .withFields(GgufArchitecture::gemma2),
          gemma("gemma3", "gemma3_text", "Gemma3ForCausalLM", LARGEST_GEMMA3)
              .withFields(GgufArchitecture::gemma3),
          llama("granite", "GraniteForCausalLM")
              .withPermuted()
              .withBiased(ATTENTION, MLP)
              .withFields(GgufArchitecture::granite),
          new GgufArchitecture(
              "gpt2",
              "gpt2",
              "GPT2LMHeadModel",
              GgufNames.GPT2,
              false,
              false,
              true,
              true,
              Set.of(),
              0,
              GgufArchitecture::gpt2),
          llama("stablelm", "StableLmForCausalLM")
              .withLayerNorms()
              .withFields(GgufArchitecture::stableLm));

  /** Adds to a {@code config.json} that has Llama's fields. */
  interface Fields {
    void read(GgufKeys keys, Gguf weights, ObjectNode config);
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
    return names.named(stored);
  }

  /** The name under which a parameter is stored; empty if it has none. */
  Optional<String> stored(String named) {
    return names.stored(named);
  }

  /** Whether the rows of one of Hugging Face's tensors are stored in another order. */
  boolean permutes(String named) {
    return permuted && (named.contains(QUERY) || named.contains(KEY));
  }

  /** Whether one of Hugging Face's tensors is stored with 1 added. */
  boolean addsOneTo(String named) {
    return addsOne && named.endsWith("norm.weight");
  }

  /** Whether one of Hugging Face's tensors is stored with its dimensions exchanged. */
  boolean transposes(String named) {
    return inputFirst
        && named.startsWith(names.layers())
        && named.contains(".c_")
        && named.endsWith(".weight");
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
        name,
        name,
        className,
        GgufNames.LLAMA,
        false,
        false,
        false,
        false,
        Set.of(),
        0,
        (keys, weights, config) -> {});
  }

  private static GgufArchitecture gemma(
      String name, String modelType, String className, int largest) {
    return new GgufArchitecture(
            name,
            modelType,
            className,
            GgufNames.LLAMA,
            false,
            true,
            false,
            false,
            Set.of(ATTENTION),
            largest,
            (keys, weights, config) -> {})
        .withName("post_attention_norm", "post_attention_layernorm")
        .withName("ffn_norm", "pre_feedforward_layernorm")
        .withName("post_ffw_norm", "post_feedforward_layernorm");
  }

  private GgufArchitecture withName(String stored, String named) {
    return new GgufArchitecture(
        name,
        modelType,
        className,
        names.with(stored, named),
        permuted,
        addsOne,
        inputFirst,
        layerNorms,
        biased,
        largest,
        fields);
  }

  private GgufArchitecture withPermuted() {
    return new GgufArchitecture(
        name,
        modelType,
        className,
        names,
        true,
        addsOne,
        inputFirst,
        layerNorms,
        biased,
        largest,
        fields);
  }

  private GgufArchitecture withLayerNorms() {
    return new GgufArchitecture(
        name,
        modelType,
        className,
        names,
        permuted,
        addsOne,
        inputFirst,
        true,
        biased,
        largest,
        fields);
  }

  private GgufArchitecture withBiased(String... modules) {
    return new GgufArchitecture(
        name,
        modelType,
        className,
        names,
        permuted,
        addsOne,
        inputFirst,
        layerNorms,
        Set.of(modules),
        largest,
        fields);
  }

  private GgufArchitecture withFields(Fields other) {
    return new GgufArchitecture(
        name,
        modelType,
        className,
        names,
        permuted,
        addsOne,
        inputFirst,
        layerNorms,
        biased,
        largest,
        other);
  }

  private static void gemma2(GgufKeys keys, Gguf weights, ObjectNode config) {
    gemma(config, "gemma2");
    windows(keys, config, keys.count(WINDOW, 4096), 2);
    config
        .put("attn_logit_softcapping", keys.number("attn_logit_softcapping", 50))
        .put("final_logit_softcapping", keys.number("final_logit_softcapping", 30));
  }

  private static void gemma3(GgufKeys keys, Gguf weights, ObjectNode config) {
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

  private static void granite(GgufKeys keys, Gguf weights, ObjectNode config) {
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

  /** Under the names of GPT-2's own configuration. */
  private static void gpt2(GgufKeys keys, Gguf weights, ObjectNode config) {
    int heads = config.path("num_attention_heads").intValue();
    keys.mustBe("attention.head_count_kv", heads);
    keys.mustBe("attention.key_length", config.path("hidden_size").intValue() / heads);
    config
        .retain(
            List.of(
                "architectures",
                "model_type",
                "vocab_size",
                "hidden_size",
                "intermediate_size",
                "num_hidden_layers",
                "num_attention_heads",
                "max_position_embeddings",
                "layer_norm_eps",
                "tie_word_embeddings",
                "torch_dtype"))
        .put("activation_function", "gelu_new");
    rename(config, "hidden_size", "n_embd");
    rename(config, "intermediate_size", "n_inner");
    rename(config, "num_hidden_layers", "n_layer");
    rename(config, "num_attention_heads", "n_head");
    rename(config, "max_position_embeddings", "n_positions");
    rename(config, "layer_norm_eps", "layer_norm_epsilon");
  }

  private static void rename(ObjectNode config, String field, String other) {
    config.set(other, config.remove(field));
  }

  /** llama.cpp goes by the tensors, as its converter writes true for a missing field. */
  private static void stableLm(GgufKeys keys, Gguf weights, ObjectNode config) {
    keys.has("use_parallel_residual");
    boolean parallel = !weights.names().contains("model.layers.0.post_attention_layernorm.weight");
    config
        .put("use_parallel_residual", parallel)
        .put("use_qkv_bias", weights.isBiased(ATTENTION))
        .put("qk_layernorm", weights.names().contains("model.layers.0.self_attn.q_norm.weight"))
        .put("partial_rotary_factor", 1.0);
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
