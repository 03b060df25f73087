package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.nn.ActivationFunction;
import org.tokentune.testing.Said;

/** Every field of a {@code config.json} is used, known to change no number, or named. */
class ConfigFieldsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Map<String, String> SIZES =
      Map.of(
          "bert",
          "'hidden_size': 8, 'num_hidden_layers': 1, 'num_attention_heads': 2, 'intermediate_size': 8,"
              + " 'max_position_embeddings': 9, 'type_vocab_size': 2",
          "distilbert",
          "'dim': 8, 'n_layers': 1, 'n_heads': 2, 'hidden_dim': 8, 'max_position_embeddings': 9",
          "gpt2",
          "'n_embd': 8, 'n_layer': 1, 'n_head': 2, 'n_positions': 9",
          "llama",
          "'hidden_size': 8, 'num_hidden_layers': 2, 'num_attention_heads': 2, 'intermediate_size': 8,"
              + " 'max_position_embeddings': 9");

  private static ObjectNode config(String type, String more) {
    String sizes =
        switch (type) {
          case "roberta", "xlm-roberta", "electra", "mpnet" -> SIZES.get("bert");
          case "deberta-v2" ->
              SIZES.get("bert")
                  + ", 'relative_attention': true, 'share_att_key': true, 'norm_rel_ebd': 'layer_norm', 'pos_att_type': ['p2c', 'c2p']";
          case "gpt2", "bert", "distilbert" -> SIZES.get(type);
          case "stablelm" ->
              SIZES.get("llama") + ", 'num_key_value_heads': 2, 'partial_rotary_factor': 0.5";
          default -> SIZES.get("llama") + ", 'num_key_value_heads': 2";
        };
    String fields = "{'model_type': '" + type + "', 'vocab_size': 7, " + sizes + more + "}";
    try {
      return (ObjectNode) JSON.readTree(fields.replace('\'', '"'));
    } catch (IOException e) {
      throw new AssertionError(fields, e);
    }
  }

  private static ModelConfig read(String type, String more) {
    return ModelConfig.read(config(type, ", " + more), "file");
  }

  @Test
  void everyFieldOfTransformersIsAccountedFor() throws IOException {
    JsonNode recorded =
        JSON.readTree(Path.of("src/test/resources/transformers-config-fields.json").toFile());
    Set<String> unrecorded = new TreeSet<>(families());
    recorded.get("5.24.0").fieldNames().forEachRemaining(unrecorded::remove);
    assertEquals(Set.of(), unrecorded, "families without recorded fields");
    for (String version : List.of("5.24.0", "4.36.0")) {
      for (Map.Entry<String, JsonNode> family : recorded.get(version).properties()) {
        ConfigReader reader = ConfigReader.of(config(family.getKey(), ""), "file");
        ModelConfig.read(reader);
        Set<String> unknown = new TreeSet<>();
        family.getValue().forEach(name -> unknown.add(name.asText()));
        int all = unknown.size();
        unknown.removeAll(reader.asked());
        int used = all - unknown.size();
        unknown.removeAll(reader.known().harmless());
        unknown.removeAll(reader.known().supported().keySet());
        System.out.printf(
            "transformers %s, %s: %d fields, %d used%n", version, family.getKey(), all, used);
        assertEquals(Set.of(), unknown, version + " " + family.getKey());
        Set<String> twice = new TreeSet<>(reader.known().harmless());
        twice.retainAll(reader.known().supported().keySet());
        assertEquals(Set.of(), twice, "both harmless and not");
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "bert; 'is_decoder': true; is_decoder",
        "bert; 'add_cross_attention': true; add_cross_attention",
        "bert; 'position_embedding_type': 'relative_key'; position_embedding_type",
        "bert; 'pruned_heads': {'0': [1]}; pruned_heads",
        "bert; 'layer_norm_eps': -1; layer_norm_eps",
        "bert; 'layer_norm_eps': '1e-12'; layer_norm_eps",
        "bert; 'hidden_dropout_prob': 1.5; hidden_dropout_prob",
        "bert; 'hidden_act': 'swish2'; hidden_act must be gelu, gelu_new, relu, silu or tanh, but is \"swish2\"",
        "gpt2; 'activation_function': 'quick_gelu'; activation_function must be gelu",
        "bert; 'tie_word_embeddings': 'no'; tie_word_embeddings",
        "gpt2; 'scale_attn_weights': false; scale_attn_weights",
        "gpt2; 'scale_attn_by_inverse_layer_idx': true; scale_attn_by_inverse_layer_idx",
        "gpt2; 'hidden_size': 16; but its alias hidden_size",
        "llama; 'hidden_act': 'relu'; hidden_act must be silu or a kind of gelu",
        "qwen3; 'layer_types': ['full_attention', 'chunked_attention']; layer_types",
        "gemma2; 'use_bidirectional_attention': true; use_bidirectional_attention",
        "smollm3; 'no_rope_layers': [1]; no_rope_layers",
        "olmo2; 'clip_qkv': 8; clip_qkv",
        "mpnet; 'relative_attention_num_buckets': 64; relative_attention_num_buckets",
        "modernbert; 'classifier_pooling': 'max'; classifier_pooling",
        "modernbert; 'hidden_activation': 'relu'; hidden_activation",
        "deberta-v2; 'pos_att_type': ['c2p']; pos_att_type",
        "llama; 'partial_rotary_factor': 0.5; partial_rotary_factor",
        "phi3; 'partial_rotary_factor': 1.5; partial_rotary_factor",
        "phi3; 'partial_rotary_factor': 0.5, 'rope_parameters': {'rope_type': 'default', 'partial_rotary_factor': 0.25}; partial_rotary_factor",
        "stablelm; 'qk_layernorm': true; qk_layernorm is true, which is not supported",
        "stablelm; 'use_parallel_residual': true; use_parallel_residual is true",
        "stablelm; 'hidden_dropout': 0.1; hidden_dropout is 0.1",
        "stablelm; 'head_dim': 8; head_dim must be hidden_size divided by num_attention_heads",
        "stablelm; 'partial_rotary_factor': null; partial_rotary_factor gives 1 numbers",
        "stablelm; 'layer_types': ['full_attention', 'sliding_attention']; layer_types",
        "gemma3_text; 'rope_parameters': {'full_attention': {'partial_rotary_factor': 0.5}}; partial_rotary_factor",
        "llama; 'rope_interleaved': true; rope_interleaved",
        "llama; 'head_dim': 3; head size 3",
        "llama; 'num_attention_heads': 2.5; num_attention_heads",
        "mistral; 'layer_types': ['full_attention', 'sliding_attention']; layer_types",
        "qwen2; 'layer_types': ['full_attention', 'sliding_attention']; layer_types",
        "qwen2; 'use_mrope': true; use_mrope",
        "llama; 'quantization_config': {'quant_method': 'gptq', 'bits': 4}; gptq",
        "llama; 'quantization_config': {'quant_method': 'fp8'}; quantization_config",
        "llama; 'quantization_config': {'bits': 4}; the weights are quantised, which",
        "llama; 'quantization': {'group_size': 64, 'bits': 4}; quantised by MLX",
        "llama; 'quantization_config': {'quant_method': 'bitsandbytes', 'load_in_8bit': true}; in 8 bits"
      })
  void whatChangesNumbersIsRefusedByName(String type, String field, String named) {
    String message = assertThrows(BadInputException.class, () -> read(type, field)).getMessage();
    System.out.println(message);
    assertTrue(message.contains(named), message);
  }

  private static List<String> families() {
    return ModelConfig.families();
  }

  /** Fields of other families, of mixtures of experts, and other kinds of layers and positions. */
  @ParameterizedTest
  @MethodSource("families")
  void everyFamilyRefusesWhatItDoesNotCompute(String type) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("attn_logit_softcapping", "20.0");
    fields.put("final_logit_softcapping", "30.0");
    fields.put("attention_multiplier", "0.5");
    fields.put("logits_scaling", "8.0");
    fields.put("num_local_experts", "8");
    fields.put("num_experts", "64");
    fields.put("n_routed_experts", "64");
    fields.put("clip_qkv", "8.0");
    fields.put("use_parallel_residual", "true");
    fields.put("add_cross_attention", "true");
    fields.put("pruned_heads", "{'0': [1]}");
    if (isRotary(type)) {
      fields.put("layer_types", "['chunked_attention', 'full_attention']");
      fields.put(
          "rope_parameters",
          "{'full_attention': {'rope_type': 'proportional', 'rope_theta': 10000.0}}");
    }
    if (List.of("mistral", "phi3").contains(type)) {
      fields.put("attention_bias", "true");
    }
    fields.keySet().removeAll(own(type));
    int refused = 0;
    for (Map.Entry<String, String> field : fields.entrySet()) {
      String message =
          assertThrows(
                  BadInputException.class,
                  () -> read(type, "'" + field.getKey() + "': " + field.getValue()),
                  field.getKey())
              .getMessage();
      assertTrue(message.contains(field.getKey()) && message.lines().count() == 1, message);
      refused++;
    }
    System.out.println(type + " refuses " + fields.keySet());
    assertTrue(refused >= 4);
  }

  @ParameterizedTest
  @MethodSource("families")
  void whatIsWrittenIsReadAlike(String type) {
    ObjectNode json = config(type, "");
    ModelConfig written = ModelConfig.read(json, "file").withDropout(0.1);
    written.write(json);
    assertEquals(written, ModelConfig.read(json, "file"));
  }

  private static boolean isRotary(String type) {
    ConfigReader reader = ConfigReader.of(config(type, ""), "file");
    ModelConfig.read(reader);
    return reader.asked().contains("rope_parameters");
  }

  /** What a family computes of the fields that others refuse. */
  private static Set<String> own(String type) {
    ConfigReader reader = ConfigReader.of(config(type, ""), "file");
    ModelConfig.read(reader);
    Set<String> own = new TreeSet<>(reader.asked());
    own.removeAll(Set.of("layer_types", "rope_parameters"));
    return own;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'pretraining_tp': 2",
        "'use_cache': false, 'torch_dtype': 'bfloat16', 'dtype': 'bfloat16'",
        "'pruned_heads': {}, 'quantization_config': null, 'head_dim': null",
        "'quantization_config': {'quant_method': 'bitsandbytes', 'load_in_4bit': true}",
        "'max_length': 4096, 'temperature': 0.9, 'do_sample': true"
      })
  void whatChangesNoNumberIsPassedOver(String field) {
    assertEquals("", Said.by(() -> read("llama", field)));
  }

  @Test
  void whatIsUnknownIsNamedInOneLine() {
    String said = Said.by(() -> read("llama", "'attention_sinks': 4, 'logit_softcap': 30.0"));
    assertEquals(1, said.lines().count());
    assertTrue(said.contains("file: attention_sinks, logit_softcap are not known"), said);
  }

  @Test
  void withoutAModelTypeOnlyBertIsRead() {
    ObjectNode bert = config("bert", "");
    bert.remove("model_type");
    ModelConfig.read(bert, "file");
    ModelConfig.read(bert.set("architectures", JSON.createArrayNode().add("BertModel")), "file");
    bert.set("architectures", JSON.createArrayNode().add("RobertaModel"));
    String message =
        assertThrows(BadInputException.class, () -> ModelConfig.read(bert, "file")).getMessage();
    assertTrue(message.contains("no model_type, but architectures [RobertaModel]"), message);
  }

  /** Source: ACT2CLS of transformers 5.24.0; they differ by less than 1e-6. */
  @Test
  void activationsHaveSeveralNames() {
    for (String name :
        List.of("gelu_fast", "gelu_accurate", "gelu_python_tanh", "gelu_pytorch_tanh")) {
      read("gpt2", "'activation_function': '" + name + "'");
      assertEquals(ActivationFunction.GELU_TANH, ActivationFunction.read(name));
    }
    assertEquals(ActivationFunction.GELU, ActivationFunction.read("gelu_python"));
  }

  /** What transformers' classes fill in themselves. */
  @Test
  void otherNamesAndDefaultsAreTransformers() {
    ObjectNode gpt2 = JSON.createObjectNode().put("model_type", "gpt2").put("vocab_size", 7);
    gpt2.put("hidden_size", 8).put("num_hidden_layers", 1).put("num_attention_heads", 2);
    assertEquals(
        9, ModelConfig.read(gpt2.put("max_position_embeddings", 9), "file").maxPositions());
    assertEquals(
        2, decoder(read("mistral", "'num_key_value_heads': null")).attention().keyValueHeads());
    assertEquals(4096, decoder(read("mistral", "'rope_theta': 5")).layerTypes().get(0).window());
    assertEquals(
        0, decoder(read("mistral", "'sliding_window': null")).layerTypes().get(0).window());
    List<String> full = new ArrayList<>(List.of("full_attention", "full_attention"));
    ObjectNode qwen2 = config("qwen2", ", 'use_sliding_window': true, 'sliding_window': 4");
    qwen2.set("layer_types", JSON.valueToTree(full));
    assertEquals(0, decoder(ModelConfig.read(qwen2, "file")).layerTypes().get(0).window());
  }

  private static DecoderConfig decoder(ModelConfig config) {
    return (DecoderConfig) config;
  }
}
