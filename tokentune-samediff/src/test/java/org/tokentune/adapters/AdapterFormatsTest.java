package org.tokentune.adapters;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.FloatType;
import org.tokentune.checkpoint.ModelFolder;
import org.tokentune.checkpoint.SafeTensors;
import org.tokentune.checkpoint.SafeTensorsWriter;
import org.tokentune.checkpoint.WeightSource;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.Parity;

/** Adapters as PEFT writes them, with its logits: made by acceptance/peft_fixtures.py. */
class AdapterFormatsTest {

  private static final Path PEFT = Path.of("src/test/resources/peft");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PREFIX = "base_model.model.";
  private static final String Q = PREFIX + "model.layers.0.self_attn.q_proj.";

  @TempDir Path temp;

  /** What is changed in a folder of adapters. */
  private interface Change {
    void of(ObjectNode config, Map<String, INDArray> tensors);
  }

  static List<String> folders() throws IOException {
    try (Stream<Path> entries = Files.list(PEFT)) {
      return entries
          .filter(AdapterFolder::isOne)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  private static Map<String, INDArray> tensors(Path folder) {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    try (SafeTensors file = SafeTensors.open(folder.resolve(AdapterFolder.WEIGHTS))) {
      file.names().forEach(name -> tensors.put(name, file.read(name)));
    }
    return tensors;
  }

  private Path changed(String name, Change change) {
    return changed(name, FloatType.F32, change);
  }

  /** A folder of adapters, with its case and other contents. */
  private Path changed(String name, FloatType type, Change change) {
    try {
      Path folder = Files.createTempDirectory(temp, name);
      ObjectNode config =
          (ObjectNode) ModelFolder.configFile(PEFT.resolve(name).resolve(AdapterFolder.CONFIG));
      Path base = PEFT.resolve(name).resolve(config.get("base_model_name_or_path").asText());
      config.put("base_model_name_or_path", base.toAbsolutePath().normalize().toString());
      Map<String, INDArray> tensors = tensors(PEFT.resolve(name));
      change.of(config, tensors);
      JSON.writeValue(folder.resolve(AdapterFolder.CONFIG).toFile(), config);
      SafeTensorsWriter.write(folder.resolve(AdapterFolder.WEIGHTS), tensors, type);
      Files.copy(
          PEFT.resolve(name).resolve("case.safetensors"), folder.resolve("case.safetensors"));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void rename(Map<String, INDArray> tensors, UnaryOperator<String> names) {
    Map<String, INDArray> renamed = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> renamed.put(names.apply(name), tensor));
    tensors.clear();
    tensors.putAll(renamed);
  }

  /** The largest error of a folder's case. */
  private static double error(Path folder) {
    return new Parity(folder)
        .compare(folder.resolve("case.safetensors")).stream()
            .mapToDouble(Parity.Row::error)
            .max()
            .orElseThrow();
  }

  private static void refuses(String sentence, Path folder) {
    String message = assertThrows(BadInputException.class, () -> new Parity(folder)).getMessage();
    System.out.println(message);
    assertTrue(message.contains(sentence), message);
    assertEquals(sentence.contains("another base"), message.contains("another base"), message);
  }

  /** What is printed as a warning. */
  private static String warnings(Runnable what) {
    PrintStream before = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      what.run();
    } finally {
      System.setErr(before);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @MethodSource("folders")
  void equalsPeft(String name) {
    Parity parity = new Parity(PEFT.resolve(name));
    for (Path file : parity.cases()) {
      double tolerance = file.endsWith("merged.safetensors") ? 1e-6 : 1e-5;
      for (Parity.Row row : parity.compare(file)) {
        assertTrue(row.within(tolerance), row.toString());
      }
    }
    String warnings = warnings(() -> error(changed(name, (config, tensors) -> {})));
    boolean unused = warnings.contains("rank_pattern matches no adapted layer by _proj, proj");
    assertTrue(name.startsWith("patterns") ? unused : warnings.isEmpty(), warnings);
  }

  /** Names, values and settings come back, the names as PEFT wrote them. */
  @ParameterizedTest
  @MethodSource("folders")
  void comesBack(String name) throws IOException {
    Path folder = PEFT.resolve(name);
    Path written = temp.resolve(name);
    try (AdapterFolder opened = AdapterFolder.open(folder)) {
      Path basePath = opened.basePath().orElseThrow();
      JsonNode json = opened.modelConfig(ModelFolder.config(basePath));
      ModelConfig config = ModelConfig.read(json, name);
      Objective task = Objectives.read(json, opened.outputs().orElse(0)).orElseThrow();
      boolean words = task == Objectives.CAUSAL_LM || task == Objectives.MASKED_LM;
      int outputs = words ? config.vocabulary() : opened.outputs().orElse(3);
      TransformerModel base = config.model(new Head(task, outputs, Pooling.FIRST));
      Adapter adapter = read(opened, base);
      String address = basePath.toAbsolutePath().normalize().toString();
      AdapterFolder.write(written, adapter, address, json, List.of());
      try (AdapterFolder again = AdapterFolder.open(written)) {
        Adapter read = read(again, base);
        assertEquals(adapter.model().layers(), read.model().layers());
        for (String layer : adapter.model().layers()) {
          assertEquals(adapter.model().lora().scale(layer), read.model().lora().scale(layer));
        }
        adapter
            .parameters()
            .asMap()
            .forEach(
                (parameter, array) ->
                    assertArrayEquals(
                        array.dup().data().asFloat(),
                        read.parameters().get(parameter).dup().data().asFloat(),
                        parameter));
      }
    }
    Files.copy(folder.resolve("case.safetensors"), written.resolve("case.safetensors"));
    assertTrue(error(written) <= 1e-5);
    if (!name.startsWith("old-")) {
      Set<String> names = new TreeSet<>(tensors(folder).keySet());
      names.removeIf(tensor -> tensor.matches(".*\\.(original_module|modules_to_save)\\..*"));
      if (name.equals("tied-embeddings")) {
        names.remove(PREFIX + "lm_head.weight"); // the table itself
      }
      assertEquals(names, tensors(written).keySet());
    }
  }

  private static Adapter read(AdapterFolder adapters, TransformerModel base) {
    try (WeightSource weights = ModelFolder.weights(adapters.basePath().orElseThrow())) {
      return adapters.read(base, ParameterLoader.load(base, adapters.over(weights, base)));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "bert-bias-all, base_model.model., ''",
    "bert-bias-all, base_model.model., base_model.model.base_model.model.",
    "bert-bias-all, base_model.model., base_model.model.module.",
    "encoder-words-whole, base_model.model., base_model.model._orig_mod.",
    "roberta-bias-all, classifier.dense, classifier.modules_to_save.default.dense",
    "whole, layers.0, layers.0._fsdp_wrapped_module",
    "whole, lm_head, lm_head.modules_to_save.default",
    "bias-all, lora_(.), lora_$1.default",
    "bias-all, lora_(.), lora_$1.my_adapter",
    "bias-all, .base_layer, ''",
    "tied-both, embed_tokens, embed_tokens.modules_to_save.default",
    "encoder-tags, bert., ''",
  })
  void readsOtherSpellings(String name, String part, String other) {
    Path folder =
        changed(
            name,
            (config, tensors) -> {
              Set<String> before = Set.copyOf(tensors.keySet());
              rename(
                  tensors,
                  tensor ->
                      tensor.contains("modules_to_save") || tensor.contains("original_module")
                          ? tensor
                          : tensor.replaceFirst(part, other));
              assertFalse(before.equals(tensors.keySet()));
            });
    assertTrue(error(folder) <= 1e-5);
  }

  @Test
  void anotherAdaptersNameStandsBeforeCopiesToo() {
    Path folder =
        changed(
            "roberta-bias-all",
            (config, tensors) -> {
              tensors.keySet().removeIf(t -> t.matches(".*(modules_to_save|original_module).*"));
              rename(
                  tensors,
                  tensor ->
                      tensor
                          .replaceFirst("lora_(.)", "lora_$1.mine")
                          .replaceFirst("classifier", "classifier.modules_to_save.mine"));
            });
    assertTrue(error(folder) <= 1e-5);
  }

  /** What is in 16 bits is taken as it is. */
  @Test
  void readsHalfPrecision() {
    for (FloatType type : List.of(FloatType.BF16, FloatType.F16)) {
      double error = error(changed("whole", type, (config, tensors) -> {}));
      System.out.printf("%s: %.1e%n", type, error);
      assertTrue(error < 2e-2 && error > 1e-5);
    }
  }

  /** Defaults are PEFT's: files may leave fields out, or say null. */
  @Test
  void readsWhatIsLeftOut() {
    Path folder =
        changed(
            "encoder-tags",
            (config, tensors) -> {
              config.put("r", 8).putNull("bias").putNull("rank_pattern").putNull("lora_dropout");
              config.remove(List.of("use_rslora", "modules_to_save", "target_modules"));
              config.remove(List.of("fan_in_fan_out", "init_lora_weights", "use_dora"));
              config.put("lora_alpha", 20);
              for (String name : List.copyOf(tensors.keySet())) {
                if (name.contains("lora_")) { // ranks 3 to 8 are zero
                  INDArray matrix = tensors.get(name);
                  int along = name.contains("lora_A") ? 0 : 1;
                  long[] shape = matrix.shape().clone();
                  shape[along] = 6;
                  tensors.put(name, Nd4j.concat(along, matrix, Nd4j.zeros(shape)).dup('c'));
                }
              }
            });
    assertTrue(error(folder) <= 1e-5);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "init_lora_weights; 'pissa'; init_lora_weights is \"pissa\", which is not supported",
        "init_lora_weights; 'pissa_niter_16'; path_initial_model_for_weight_conversion",
        "init_lora_weights; 'OLoRA'; path_initial_model_for_weight_conversion",
        "init_lora_weights; 'corda'; path_initial_model_for_weight_conversion",
        "init_lora_weights; 'lora_ga'; path_initial_model_for_weight_conversion",
        "init_lora_weights; 'loftq'; merge the adapters",
        "init_lora_weights; 'other'; init_lora_weights is \"other\"",
        "init_lora_weights; 1; init_lora_weights must be true, false or a text, but is 1",
        "peft_type; 'IA3'; peft_type is \"IA3\", which is not supported",
        "peft_type; 'ADALORA'; peft_type is \"ADALORA\"",
        "peft_type; null; has no peft_type",
        "task_type; 'SEQ_2_SEQ_LM'; task_type is \"SEQ_2_SEQ_LM\"",
        "task_type; 'SEQ_CLS'; SEQ_CLS is not supported on a base whose model_type is llama",
        "use_dora; true; use_dora is true, which is not supported; false is",
        "use_dora; 'yes'; use_dora is \"yes\"",
        "use_qalora; true; use_qalora is true",
        "use_rslora; 'yes'; use_rslora must be true or false, but is \"yes\"",
        "use_rslora; 1; use_rslora must be true or false",
        "lora_bias; true; lora_bias is true",
        "alora_invocation_tokens; [1]; alora_invocation_tokens is [1]",
        "layer_replication; [[0,2],[1,2]]; layer_replication is [[0,2],[1,2]]",
        "trainable_token_indices; [3]; trainable_token_indices is [3]",
        "target_parameters; ['experts']; target_parameters is [\"experts\"]",
        "megatron_config; {'a':1}; megatron_config is",
        "arrow_config; {'top_k':1}; arrow_config is",
        "kasa_config; {'beta':1}; kasa_config is",
        "monteclora_config; {'a':1}; monteclora_config is",
        "use_bdlora; {'a':1}; use_bdlora is",
        "enable_lora; [true,false,true]; enable_lora is",
        "r; 5; .lora_A.weight has the shape [2, 16] and should have [5, 16]; correct r or rank_pattern",
        "r; 0; r must be a whole number from 1 to 16777216, but is 0",
        "r; '4'; r must be a whole number from 1 to 16777216, but is \"4\"",
        "r; true; r must be a whole number from 1",
        "lora_alpha; '16'; lora_alpha must be a number, but is \"16\"",
        "lora_dropout; 2; lora_dropout must be a number from 0 to below 1",
        "bias; 'some'; bias must be \"none\", \"all\" or \"lora_only\", but is \"some\"",
        "bias; true; bias must be a text, but is true",
        "modules_to_save; 'lm_head'; modules_to_save must be a list of texts",
        "modules_to_save; ['lm_head']; holds no lm_head.weight",
        "rank_pattern; {'q_proj':3}; has the shape [2, 16] and should have [3, 16]",
        "rank_pattern; {'q_proj':'3'}; rank_pattern.q_proj must be a whole number from 1",
        "rank_pattern; {'*.q_proj':2}; rank_pattern.*.q_proj is not a regular expression",
        "alpha_pattern; {'([a-z]+)+_proj':2}; alpha_pattern.([a-z]+)+_proj repeats a repetition",
        "alpha_pattern; [3]; alpha_pattern must be an object",
        "base_model_name_or_path; 'nowhere'; stands on 'nowhere', which is not there",
        "layers_to_transform; ['a']; layers_to_transform must be a list of whole numbers",
        "layers_to_transform; 'a'; layers_to_transform must be a whole number from 0",
        "target_modules; 3; target_modules must be a list of texts",
        "base_model_name_or_path; 3; base_model_name_or_path must be a text",
      })
  void refusesByField(String field, String value, String sentence) throws IOException {
    JsonNode parsed = JSON.readTree(value.replace('\'', '"'));
    refuses(sentence, changed("plain", (config, tensors) -> config.set(field, parsed)));
  }

  @Test
  void refusesByTensor() {
    INDArray some = Nd4j.ones(16, 2);
    Map.of(
            Q + "lora_B.bias", "of lora_bias: that is not supported",
            Q + "lora_B.default.bias", "of lora_bias",
            Q + "lora_magnitude_vector", "of use_dora",
            PREFIX + "model.embed_tokens.lora_embedding_A", "LoRA on a table of embeddings",
            PREFIX + "model.embed_tokens.token_adapter.trainable_tokens_delta",
                "of trainable_token_indices",
            Q + "base_layer.lora_A.weight", "LoRA on top of other adapters",
            Q + "lora_diag", "q_proj.lora_diag, for which the base has no place",
            PREFIX + "score.weight", "score.weight, for which the base has no place",
            PREFIX + "lm_head.lora_A.weight", "without its other matrix, lora_B",
            Q + "lora_A.default.weight", "twice: as " + Q + "lora_A.")
        .forEach(
            (name, sentence) ->
                refuses(sentence, changed("plain", (config, tensors) -> tensors.put(name, some))));
    refuses(
        "holds no adapters",
        changed("plain", (config, tensors) -> tensors.keySet().removeIf(t -> t.contains("lora"))));
    refuses("holds no adapters", changed("plain", (config, tensors) -> tensors.clear()));
    refuses(
        "without its other matrix, lora_A",
        changed("plain", (config, tensors) -> tensors.remove(Q + "lora_A.weight")));
    refuses(
        "adapts lm_head, which is not supported",
        changed(
            "plain",
            (config, tensors) -> {
              tensors.put(PREFIX + "lm_head.lora_A.weight", Nd4j.ones(2, 16));
              tensors.put(PREFIX + "lm_head.lora_B.weight", Nd4j.ones(32, 2));
            }));
    refuses(
        "adapts lm_head, which is not supported",
        changed(
            "tied-table",
            (config, tensors) -> {
              tensors.put(PREFIX + "lm_head.lora_A.weight", Nd4j.ones(2, 16));
              tensors.put(PREFIX + "lm_head.lora_B.weight", Nd4j.ones(32, 2));
            }));
  }

  @Test
  void refusesWholeNumbers() {
    refuses(
        "lora_A.weight holds whole numbers (BYTE) in place of floats",
        changed(
            "plain",
            (config, t) -> t.put(Q + "lora_A.weight", Nd4j.zeros(2, 16).castTo(DataType.INT8))));
  }

  @Test
  void refusesByShape() {
    refuses(
        Q + "lora_B.weight has the shape [16, 2, 1] and should have [16, 2]",
        changed("plain", (config, t) -> t.put(Q + "lora_B.weight", Nd4j.ones(16, 2, 1))));
    refuses(
        Q + "lora_A.weight has the shape [0] and should have [2, 16]; it is empty",
        changed("plain", (config, t) -> t.put(Q + "lora_A.weight", Nd4j.zeros(0))));
    refuses(
        "lm_head.weight has the shape [34, 16] and should have [32, 16]; a table of another size",
        changed("whole", (config, t) -> t.put(PREFIX + "lm_head.weight", Nd4j.ones(34, 16))));
    refuses(
        "model.embed_tokens.weight has the shape [34, 16] and should have [32, 16]; a table",
        changed(
            "embeddings",
            (config, t) -> t.put(PREFIX + "model.embed_tokens.weight", Nd4j.ones(34, 16))));
    refuses(
        "model.norm.weight has the shape [15] and should have [16]",
        changed("whole", (config, t) -> t.put(PREFIX + "model.norm.weight", Nd4j.ones(15))));
    refuses(
        "holds no model.layers.1.self_attn.k_proj.bias",
        changed("whole", (config, t) -> t.remove(PREFIX + "model.layers.1.self_attn.k_proj.bias")));
    refuses(
        "holds no classifier.weight",
        changed("bert-bias-all", (config, t) -> t.remove(PREFIX + "classifier.weight")));
  }

  @Test
  void refusesLongPatterns() {
    String wanted = "target_modules must be names or patterns of at most 10000 characters";
    refuses(
        wanted, changed("plain", (config, t) -> config.put("target_modules", "x".repeat(10_001))));
  }

  @Test
  void refusesWhatIsThereTwice() {
    refuses(
        "adapts bert.encoder.layer.0.attention.self.query twice, under two names",
        changed(
            "encoder-tags",
            (config, t) -> {
              for (String name : List.copyOf(t.keySet())) {
                t.put(name.replace("bert.", ""), t.get(name));
              }
            }));
    String bias = Q + "base_layer.bias";
    refuses(
        "holds model.layers.0.self_attn.q_proj.bias twice",
        changed("bias-all", (config, t) -> t.put(Q + "bias", t.get(bias))));
    refuses(
        "holds classifier.bias twice",
        changed(
            "bert-bias-all",
            (config, t) -> t.put(PREFIX + "classifier.modules_to_save.bias", Nd4j.ones(3))));
    refuses(
        "holds model.embed_tokens.weight twice",
        changed(
            "kept-tied-both", (config, t) -> t.put(PREFIX + "lm_head.weight", Nd4j.ones(32, 16))));
    refuses(
        "holds cls.predictions.bias twice",
        changed(
            "encoder-words",
            (config, t) -> t.put(PREFIX + "cls.predictions.decoder.bias", Nd4j.ones(32))));
  }

  @Test
  void saysThatTheBaseIsAnother() {
    String llama = PEFT.resolve("llama").toAbsolutePath().toString();
    refuses(
        "was made for another base: it adapts transformer.h.0.attn.c_attn, which this base does not"
            + " have",
        changed("gpt2-table", (config, t) -> config.put("base_model_name_or_path", llama)));
    refuses(
        "was made for another base: " + Q + "lora_A.weight has the shape [2, 12] and should have",
        changed("plain", (config, t) -> t.put(Q + "lora_A.weight", Nd4j.ones(2, 12))));
    refuses(
        "was made for another base: it adapts model.layers.2.mlp.down_proj, which this base does not",
        changed("regex", (config, t) -> rename(t, name -> name.replace("layers.1", "layers.2"))));
    refuses(
        "was made for another base: target_modules names model.layers.1.self_attn.q_proj, but its"
            + " adapters end with block 0",
        changed("plain", (config, t) -> t.keySet().removeIf(name -> name.contains("layers.1"))));
  }

  /** The tensors decide; what the configuration says otherwise is a warning. */
  @Test
  void warnsOfWhatDoesNotAgree() {
    assertTrue(
        warnings(
                () ->
                    assertTrue(
                        error(changed("plain", (config, t) -> config.putArray("target_modules")))
                            <= 1e-5))
            .contains("target_modules does not name"));
    assertTrue(
        warnings(
                () ->
                    error(
                        changed(
                            "plain",
                            (config, t) ->
                                t.keySet().removeIf(name -> name.contains("1.self_attn.v")))))
            .contains(
                "target_modules names model.layers.1.self_attn.v_proj, but there are no adapters of"
                    + " it"));
    assertTrue(
        warnings(() -> error(changed("plain", (config, t) -> config.put("bias", "lora_only"))))
            .contains("bias is \"lora_only\", but adapter_model.safetensors holds no biases"));
    assertTrue(
        warnings(() -> error(changed("plain", (config, t) -> config.put("use_new_kind", true))))
            .contains("use_new_kind is not known here and not used"));
    String quiet =
        warnings(
            () -> error(changed("plain", (config, t) -> config.put("target_modules", "(?P<a>x"))));
    assertEquals("", quiet);
  }

  @Test
  void saysWhichFileIsMissing() throws IOException {
    Path folder = Files.createDirectory(temp.resolve("folder"));
    assertEquals(
        folder + " has no adapter_config.json; name a folder of adapters.",
        assertThrows(BadInputException.class, () -> AdapterFolder.open(folder)).getMessage());
    Path within = Files.createDirectory(folder.resolve("checkpoint-5"));
    Files.copy(
        PEFT.resolve("plain").resolve(AdapterFolder.CONFIG), within.resolve(AdapterFolder.CONFIG));
    assertTrue(
        assertThrows(BadInputException.class, () -> AdapterFolder.open(folder))
            .getMessage()
            .endsWith("name a folder of adapters, such as " + within + "."));
    for (String[] file :
        new String[][] {
          {"README.md", "has no adapter_model.safetensors; copy it there"},
          {"adapter_model-00001-of-00002.safetensors", "in several files, which are not read"},
          {"adapter_model.bin", "is a pickle, which is not read; convert it in its folder: python"}
        }) {
      Files.createFile(within.resolve(file[0]));
      String message =
          assertThrows(BadInputException.class, () -> AdapterFolder.open(within)).getMessage();
      System.out.println(message);
      assertTrue(message.contains(file[1]), message);
    }
  }

  /** A configuration beside the adapters says what the outputs mean, if it is of their task. */
  @Test
  void findsTheTaskAndTheLabels() throws IOException {
    JsonNode base = ModelFolder.config(PEFT.resolve("encoder"));
    assertEquals(
        Map.of(
            "encoder-classes", "BertForSequenceClassification CLASSIFY 3",
            "encoder-number", "BertForSequenceClassification REGRESS 1",
            "encoder-tags", "BertForTokenClassification TOKEN 5",
            "encoder-answers", "BertForQuestionAnswering QUESTION_ANSWERING 2",
            "encoder-no-task", "BertForTokenClassification TOKEN 4",
            "encoder-words", "BertForMaskedLM MASKED_LM 0"),
        Stream.of("classes", "number", "tags", "answers", "no-task", "words")
            .map(name -> "encoder-" + name)
            .collect(Collectors.toMap(name -> name, name -> task(PEFT.resolve(name), base))));
    ObjectNode labelled = base.deepCopy();
    labelled.putObject("id2label").put("0", "no").put("1", "yes").put("2", "perhaps");
    assertEquals("yes", labels("encoder-classes", labelled).path("1").asText());
    assertTrue(labels("encoder-number", labelled).isMissingNode());
    labelled.putArray("architectures").add("BertForTokenClassification");
    Path beside = changed("encoder-classes", (config, tensors) -> {});
    JSON.writeValue(beside.resolve(ModelFolder.CONFIG).toFile(), labelled);
    assertEquals("BertForSequenceClassification CLASSIFY 3", task(beside, base));
    beside = changed("encoder-no-task", (config, tensors) -> config.putNull("auto_mapping"));
    labelled.putArray("architectures").add("BertForSequenceClassification");
    labelled.put("problem_type", "multi_label_classification");
    JSON.writeValue(beside.resolve(ModelFolder.CONFIG).toFile(), labelled);
    assertEquals("BertForSequenceClassification MULTILABEL 4", task(beside, base));
  }

  private static String task(Path folder, JsonNode base) {
    try (AdapterFolder adapters = AdapterFolder.open(folder)) {
      JsonNode config = adapters.modelConfig(base);
      int outputs = adapters.outputs().orElse(0);
      return config.path("architectures").path(0).asText()
          + " "
          + Objectives.read(config, outputs).orElseThrow()
          + " "
          + outputs;
    }
  }

  private static JsonNode labels(String name, JsonNode base) {
    try (AdapterFolder adapters = AdapterFolder.open(PEFT.resolve(name))) {
      return adapters.modelConfig(base).path("id2label");
    }
  }
}
