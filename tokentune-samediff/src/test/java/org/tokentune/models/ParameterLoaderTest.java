package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.GoldenModel.GOLDEN;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.RandomWeights;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.WeightSource;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.testing.Said;
import org.tokentune.train.InferenceEngine;

/** What a checkpoint holds is used, known to be harmless, or named. */
class ParameterLoaderTest {

  private static final String LLAMA =
      """
      {"model_type": "llama", "vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2,
       "num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 16}""";

  private static final String BERT =
      """
      {"model_type": "bert", "vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 1,
       "num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 16,
       "type_vocab_size": 2}""";

  private static ModelConfig config(String json) {
    try {
      return ModelConfig.read(new ObjectMapper().readTree(json), "test");
    } catch (IOException e) {
      throw new AssertionError(json, e);
    }
  }

  private static TransformerModel llama(boolean tied) {
    ModelConfig config = config(LLAMA.replace("}", ", \"tie_word_embeddings\": " + tied + "}"));
    return config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
  }

  private static TransformerModel bert(Objective task, int outputs) {
    return config(BERT).model(new Head(task, outputs, Pooling.FIRST));
  }

  private static Map<String, INDArray> weights(TransformerModel model) {
    return RandomWeights.of(model.parameters(), 3, 0.3f);
  }

  /** Tensors in memory. */
  private record Tensors(String origin, Map<String, INDArray> arrays) implements WeightSource {

    @Override
    public Set<String> names() {
      return arrays.keySet();
    }

    @Override
    public long[] shape(String name) {
      return arrays.get(name).shape();
    }

    @Override
    public INDArray read(String name) {
      return arrays.get(name).dup('c');
    }

    @Override
    public void close() {
      // nothing is open
    }
  }

  private static String refusal(TransformerModel model, Map<String, INDArray> tensors) {
    String message =
        assertThrows(
                BadInputException.class,
                () -> ParameterLoader.load(model, new Tensors("file", tensors)))
            .getMessage();
    System.out.println(message);
    assertTrue(message.startsWith("file"), message);
    return message;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.layers.0.self_attn.q_proj.bias",
        "model.layers.1.self_attn.q_norm.weight",
        "layers.1.mlp.gate_proj.bias",
        "model.layers.2.self_attn.q_proj.weight",
        "model.layers.0.block_sparse_moe.gate.weight",
        "model.norm.bias",
        "lm_head.bias"
      })
  void whatALayerHasMoreIsRefused(String name) {
    Map<String, INDArray> tensors = weights(llama(false));
    tensors.put(name, Nd4j.ones(8));
    assertTrue(refusal(llama(false), tensors).contains("file holds " + name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.layers.0.self_attn.q_proj.SCB",
        "model.layers.0.self_attn.q_proj.weight_scale_inv",
        "model.layers.0.self_attn.q_proj.qweight",
        "model.layers.0.self_attn.q_proj.weight.absmax",
        "model.layers.0.mlp.down_proj.weight_packed"
      })
  void quantisedLayersAreRefused(String name) {
    Map<String, INDArray> tensors = weights(llama(false));
    tensors.put(name, Nd4j.ones(8));
    assertTrue(refusal(llama(false), tensors).contains("quantised (it holds " + name));
  }

  @Test
  void layersPastTheLastAreNamedAsSuch() {
    Map<String, INDArray> tensors = weights(llama(false));
    tensors.put("model.layers.2.mlp.up_proj.weight", Nd4j.ones(8));
    assertTrue(refusal(llama(false), tensors).contains("but the configuration has 2 layers"));
  }

  /** What wraps a model, or its layers, stands in the names of its tensors. */
  @ParameterizedTest
  @CsvSource({
    "q_proj.weight, q_proj.base_layer.weight, merge_and_unload",
    "q_proj.weight, q_proj.qweight, quantised (it holds",
    "model., _orig_mod.model., torch.compile",
    "model., module.model., torch.compile",
    "lm_head.weight, lm_head.extra, tie_word_embeddings"
  })
  void aMissingTensorIsExplained(String part, String other, String sentence) {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    weights(llama(false)).forEach((name, value) -> tensors.put(name.replace(part, other), value));
    assertTrue(refusal(llama(false), tensors).contains(sentence));
  }

  @Test
  void adaptersThatAreNotMergedAreRefused() {
    Map<String, INDArray> tensors = weights(llama(false));
    tensors.put("model.layers.0.self_attn.q_proj.lora_A.default.weight", Nd4j.ones(2, 8));
    assertTrue(refusal(llama(false), tensors).contains("an adapter that is not merged"));
  }

  /** safetensors' save_model keeps one name of a tensor that has two: the head's. */
  @Test
  void aTiedTableIsReadUnderTheHeadsName() {
    for (TransformerModel model : List.of(llama(true), bert(Objectives.MASKED_LM, 11))) {
      Map<String, INDArray> tensors = weights(model);
      INDArray table = tensors.remove(model.wordTable());
      TransformerModel untied = model.config().untied().model(model.head());
      tensors.put(untied.headTable(), table);
      assertTrue(model.config().withHeadOf(new Tensors("head", tensors)).tied());
      assertSameBits(
          table, ParameterLoader.load(model, new Tensors("head", tensors)).get(model.wordTable()));
      assertTrue(refusal(untied, tensors).contains("has no tensor " + model.wordTable()));
    }
  }

  /** transformers 5.24 computes with the decoder's, tied or not. */
  @Test
  void ofTwoBiasesOfAHeadTheDecodersCounts() {
    TransformerModel tied = bert(Objectives.MASKED_LM, 11);
    for (TransformerModel model : List.of(tied, tied.config().untied().model(tied.head()))) {
      Map<String, INDArray> tensors = weights(model);
      tensors.put("cls.predictions.decoder.bias", Nd4j.ones(11));
      String said =
          Said.by(
              () ->
                  assertSameBits(
                      Nd4j.ones(11),
                      ParameterLoader.load(model, new Tensors("two", tensors))
                          .get("cls.predictions.bias")));
      assertEquals("", said);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "model.embed_tokens.weight",
    "model.norm.weight",
    "model.layers.0.self_attn.q_proj.weight"
  })
  void wholeNumbersAreNoWeights(String name) {
    Map<String, INDArray> tensors = weights(llama(false));
    tensors.put(name, tensors.get(name).castTo(DataType.INT8));
    assertTrue(refusal(llama(false), tensors).contains(name + " holds whole numbers (BYTE)"));
  }

  @Test
  void constantsAreHarmlessAndHeadsAreNoted() {
    TransformerModel model = bert(Objectives.TOKEN, 3);
    Map<String, INDArray> tensors = weights(model);
    tensors.put("bert.embeddings.position_ids", Nd4j.ones(DataType.INT64, 1, 16));
    assertEquals("", Said.by(() -> ParameterLoader.load(model, new Tensors("a", tensors))));
    tensors.put("bert.pooler.dense.weight", Nd4j.ones(8, 8));
    tensors.put("bert.pooler.dense.bias", Nd4j.ones(8));
    tensors.put("cls.predictions.bias", Nd4j.ones(11));
    String said = Said.by(() -> ParameterLoader.load(model, new Tensors("b", tensors)));
    System.out.print(said);
    assertEquals(1, said.lines().count());
    assertTrue(said.contains("b: not used for this: bert.pooler.dense, cls.predictions."), said);
    tensors.put("adapter.down.weight", Nd4j.ones(8));
    said = Said.by(() -> ParameterLoader.load(model, new Tensors("c", tensors)));
    assertTrue(said.contains("c: unknown and not used: adapter.down;"), said);
  }

  /**
   * All modules that transformers 5.24.0's classes of the family have besides the model itself, and
   * those of the published DeBERTa-v3.
   */
  @ParameterizedTest
  @CsvSource({
    "bert, pooler.dense cls.predictions cls.predictions.decoder cls.predictions.transform.dense"
        + " cls.seq_relationship qa_outputs",
    "roberta, pooler.dense lm_head lm_head.decoder lm_head.dense lm_head.layer_norm qa_outputs",
    "xlm-roberta, pooler.dense lm_head lm_head.decoder lm_head.dense lm_head.layer_norm qa_outputs",
    "distilbert, vocab_layer_norm vocab_projector vocab_transform qa_outputs",
    "electra, discriminator_predictions.dense discriminator_predictions.dense_prediction"
        + " generator_lm_head generator_predictions.LayerNorm generator_predictions.dense"
        + " sequence_summary.summary qa_outputs",
    "mpnet, pooler.dense lm_head lm_head.decoder lm_head.dense lm_head.layer_norm qa_outputs",
    "deberta-v3, cls.predictions cls.predictions.decoder cls.predictions.transform.dense qa_outputs"
        + " lm_predictions.lm_head lm_predictions.lm_head.dense mask_predictions.classifier"
        + " deberta.embeddings.position_embeddings",
    "modernbert, decoder"
  })
  void headsOfOtherTasksAreNoted(String folder, String modules) {
    ModelConfig config = ModelConfig.read(ModelFolder.config(GOLDEN.resolve(folder)), folder);
    for (Objective task :
        List.of(Objectives.FEATURE_EXTRACTION, Objectives.CLASSIFY, Objectives.TOKEN)) {
      int outputs = task == Objectives.FEATURE_EXTRACTION ? config.hidden() : 3;
      TransformerModel model = config.model(new Head(task, outputs, Pooling.FIRST));
      Map<String, INDArray> tensors = weights(model);
      for (String module : List.of(modules.split(" ", -1))) {
        boolean pooler = module.startsWith("pooler");
        tensors.putIfAbsent((pooler ? model.prefix() : "") + module + ".weight", Nd4j.ones(2, 2));
      }
      // The head of another task, where this one does not read it.
      config
          .model(new Head(Objectives.CLASSIFY, 3, Pooling.FIRST))
          .parameters()
          .forEach(
              (name, shape) -> {
                if (name.contains("pooler.") || task == Objectives.FEATURE_EXTRACTION) {
                  tensors.putIfAbsent(name, Nd4j.ones(shape));
                }
              });
      String file = folder + " for " + task;
      String said = Said.by(() -> ParameterLoader.load(model, new Tensors(file, tensors)));
      System.out.print(said);
      assertEquals(1, said.lines().count(), said);
      assertTrue(said.contains(file + ": not used for this: "), said);
    }
  }

  /** transformers 5: a head in the file wins over {@code tie_word_embeddings: true}. */
  @Test
  void aHeadThatIsNotTheTableIsKept() {
    TransformerModel tied = llama(true);
    Map<String, INDArray> tensors = weights(tied);
    assertTrue(tied.config().withHeadOf(new Tensors("none", tensors)).tied());
    tensors.put("lm_head.weight", tensors.get("model.embed_tokens.weight").dup());
    assertTrue(tied.config().withHeadOf(new Tensors("same", tensors)).tied());
    assertEquals("", Said.by(() -> ParameterLoader.load(tied, new Tensors("equal", tensors))));
    tensors.get("lm_head.weight").putScalar(5, 0.1234f);
    String said = Said.by(() -> tied.config().withHeadOf(new Tensors("other", tensors)));
    assertTrue(said.contains("other: tie_word_embeddings is true, but"), said);
    ModelConfig own = tied.config().withHeadOf(new Tensors("other", tensors));
    assertFalse(own.tied());
    TransformerModel model = own.model(new Head(Objectives.CAUSAL_LM, 11, Pooling.FIRST));
    assertSameBits(
        tensors.get("lm_head.weight"),
        ParameterLoader.load(model, new Tensors("other", tensors)).get("lm_head.weight"));
    ObjectNode saved = new ObjectMapper().createObjectNode();
    own.write(saved);
    assertFalse(saved.path("tie_word_embeddings").booleanValue());
  }

  @Test
  void aHeadForMaskedWordsOfItsOwnIsKept() {
    ModelConfig config = config(BERT);
    TransformerModel tied = bert(Objectives.MASKED_LM, 11);
    Map<String, INDArray> tensors = weights(tied);
    tensors.put("cls.predictions.decoder.weight", Nd4j.ones(11, 8));
    tensors.put("cls.predictions.decoder.bias", tensors.get("cls.predictions.bias").dup());
    ModelConfig own = config.withHeadOf(new Tensors("own", tensors));
    assertFalse(own.tied());
    TransformerModel model = own.model(new Head(Objectives.MASKED_LM, 11, Pooling.FIRST));
    assertSameBits(
        Nd4j.ones(11, 8),
        ParameterLoader.load(model, new Tensors("own", tensors)).get(model.headTable()));
  }

  private static Map<String, INDArray> batch(int id, int type) {
    INDArray ids = Nd4j.createFromArray(new int[][] {{1, 2, 3}, {4, id, 0}});
    INDArray types = Nd4j.createFromArray(new int[][] {{0, 0, 1}, {0, type, 0}});
    Map<String, INDArray> inputs = new LinkedHashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, ids);
    inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.ones(DataType.INT32, 2, 3));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, types);
    return inputs;
  }

  @Test
  void numbersBeyondATableNeverReachTheEngine() {
    TransformerModel model = bert(Objectives.CLASSIFY, 2);
    try (InferenceEngine engine =
        new InferenceEngine(
            model,
            ParameterLoader.load(model, new Tensors("file", weights(model))),
            List.of(ModelGraph.LOGITS))) {
      assertEquals(2, engine.run(batch(10, 1), row -> "").get(ModelGraph.LOGITS).size(0));
      for (int[] wrong : new int[][] {{11, 0}, {-1, 0}, {1 << 30, 0}, {5, 2}, {5, -1}, {5, 900}}) {
        String message =
            assertThrows(
                    BadInputException.class, () -> engine.run(batch(wrong[0], wrong[1]), row -> ""))
                .getMessage();
        System.out.println(message);
        boolean token = wrong[1] == 0;
        assertTrue(message.contains(token ? "token " + wrong[0] : "type " + wrong[1]), message);
      }
    }
  }

  @Test
  void answersThatAreNotFiniteAreErrors() {
    TransformerModel model = bert(Objectives.CLASSIFY, 2);
    Map<String, INDArray> tensors = weights(model);
    tensors.get("bert.encoder.layer.0.output.dense.weight").putScalar(3, Float.NaN);
    assertTrue(answer(model, tensors).contains("tensor bert.encoder.layer.0.output.dense.weight"));
    Map<String, INDArray> large = weights(model);
    large.get("classifier.weight").muli(Float.MAX_VALUE).muli(9);
    assertTrue(answer(model, large).contains("tensor classifier.weight"));
    Map<String, INDArray> overflows = weights(model);
    overflows.get("classifier.weight").assign(3e38f);
    overflows.get("bert.pooler.dense.bias").assign(9);
    assertTrue(answer(model, overflows).contains("though its weights are finite"));
  }

  private static String answer(TransformerModel model, Map<String, INDArray> tensors) {
    try (InferenceEngine engine =
        new InferenceEngine(
            model,
            ParameterLoader.load(model, new Tensors("file", tensors)),
            List.of(ModelGraph.LOGITS))) {
      String message =
          assertThrows(
                  BadInputException.class,
                  () -> engine.run(batch(5, 1), row -> "the text in row " + row))
              .getMessage();
      System.out.println(message);
      assertTrue(message.contains("the text in row 0"), message);
      return message;
    }
  }

  @Test
  void configurationsAreWrittenAsTheyWereRead() {
    for (String json : List.of(LLAMA, BERT)) {
      JsonNode read;
      try {
        read = new ObjectMapper().readTree(json);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
      ObjectNode written = read.deepCopy();
      config(json).write(written);
      assertEquals(config(json), ModelConfig.read(written, "test"));
      assertEquals(
          config(json).withDropout(0.25).toString(),
          ModelConfig.read(rewritten(written, config(json).withDropout(0.25)), "test").toString());
    }
  }

  private static ObjectNode rewritten(ObjectNode config, ModelConfig changed) {
    changed.write(config);
    return config;
  }
}
