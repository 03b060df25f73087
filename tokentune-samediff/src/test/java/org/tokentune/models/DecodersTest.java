package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.RandomWeights;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.Losses;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.train.SameDiffEngine;
import org.tokentune.train.TrainingEngine;

/** Properties of decoders that hold for any weights; random ones, from a seed. */
class DecodersTest {

  private static final String GPT2 =
      """
      {"model_type": "gpt2", "vocab_size": 30, "n_embd": 8, "n_layer": 2, "n_head": 2,
       "n_positions": 16}""";
  private static final String LLAMA =
      """
      {"model_type": "llama", "vocab_size": 30, "hidden_size": 8, "intermediate_size": 12,
       "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4,
       "max_position_embeddings": 16}""";

  /** Of a configuration; {@code changes} are fields that replace or add to it. */
  private static TransformerModel model(String config, String changes, double dropout) {
    ObjectNode fields = json(config);
    fields.setAll(json("{" + changes + "}"));
    ModelConfig sizes = ModelConfig.read(fields, "test").withDropout(dropout);
    return sizes.model(new Head(Objectives.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST));
  }

  private static ObjectNode json(String text) {
    try {
      return (ObjectNode) new ObjectMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static Parameters weights(TransformerModel model) {
    return RandomWeights.of(model, 5, 0.3f);
  }

  /** One text of so many tokens behind {@code left} and before {@code right} of padding. */
  private static Map<String, INDArray> text(int tokens, int left, int right) {
    int length = left + tokens + right;
    int[][] values = new int[4][length];
    for (int i = 0; i < length; i++) {
      boolean token = i >= left && i < left + tokens;
      values[0][i] = token ? (7 * (i - left) + 3) % 30 : 0;
      values[1][i] = token ? 1 : 0;
      values[2][i] = Math.max(0, i - left);
      values[3][i] = token && i > left ? values[0][i] : Losses.IGNORED;
    }
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, Nd4j.createFromArray(values[0]).reshape(1, length));
    inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.createFromArray(values[1]).reshape(1, length));
    inputs.put(ModelGraph.POSITION_IDS, Nd4j.createFromArray(values[2]).reshape(1, length));
    inputs.put(ModelGraph.LABELS, Nd4j.createFromArray(values[3]).reshape(1, length));
    return inputs;
  }

  private static Map<String, INDArray> select(
      Map<String, INDArray> inputs, int[] selected, int[] frozen) {
    Map<String, INDArray> all = new HashMap<>(inputs);
    all.put(ModelGraph.SELECTED, Nd4j.createFromArray(new int[][] {selected}));
    all.put(ModelGraph.FROZEN, Nd4j.createFromArray(new int[][] {frozen}));
    return all;
  }

  private static SameDiffEngine.Result run(TransformerModel model, Map<String, INDArray> inputs) {
    boolean split = inputs.containsKey(ModelGraph.SELECTED);
    ModelGraph graph = model.build(weights(model), GraphOptions.training(split, name -> true));
    return new SameDiffEngine(graph).run(inputs, List.of(ModelGraph.LOGITS));
  }

  /** Logits [length, vocabulary] of the inference graph. */
  private static INDArray logits(TransformerModel model, Map<String, INDArray> inputs) {
    Map<String, INDArray> features = new HashMap<>(inputs);
    features.remove(ModelGraph.LABELS);
    return model
        .build(weights(model), GraphOptions.inference())
        .sd()
        .outputSingle(features, ModelGraph.LOGITS)
        .slice(0);
  }

  private static double difference(SameDiffEngine.Result a, SameDiffEngine.Result b) {
    assertEquals(a.gradients().keySet(), b.gradients().keySet());
    double worst = Math.abs(a.loss() - b.loss());
    for (String name : a.gradients().keySet()) {
      INDArray gap = a.gradients().get(name).sub(b.gradients().get(name));
      worst = Math.max(worst, gap.amaxNumber().doubleValue());
    }
    return worst;
  }

  @ParameterizedTest
  @ValueSource(strings = {GPT2, LLAMA})
  void paddingOnEitherSideChangesNothing(String config) {
    TransformerModel model = model(config, "", 0);
    SameDiffEngine.Result plain = run(model, text(6, 0, 0));
    double right = difference(plain, run(model, text(6, 0, 3)));
    double left = difference(plain, run(model, text(6, 3, 0)));
    System.out.printf("gradients differ by %.1e padded right, %.1e left%n", right, left);
    assertTrue(right < 1e-6 && left < 1e-6);
  }

  @ParameterizedTest
  @ValueSource(strings = {GPT2, LLAMA})
  void selectingEveryTokenIsOrdinaryFineTuning(String config) {
    TransformerModel model = model(config, "", 0);
    Map<String, INDArray> inputs = text(5, 0, 1);
    double error =
        difference(
            run(model, inputs),
            run(model, select(inputs, new int[] {0, 1, 2, 3, 4}, new int[] {5})));
    System.out.printf("k = every valid token: gradients differ by %.1e%n", error);
    assertTrue(error < 1e-6);
  }

  @ParameterizedTest
  @ValueSource(strings = {GPT2, LLAMA})
  void dropoutDoesNotDependOnTheSelection(String config) {
    TransformerModel model = model(config, "", 0.2);
    Map<String, INDArray> inputs = text(6, 0, 0);
    inputs.put("dropout_seed", Nd4j.scalar(3));
    // The losses are of other positions: hidden states are compared, by the logits of token 4.
    INDArray all = run(model, inputs).outputs().get(ModelGraph.LOGITS).getRow(4);
    Map<String, INDArray> halves = select(inputs, new int[] {1, 4}, new int[] {0, 2, 3, 5});
    INDArray split = run(model, halves).outputs().get(ModelGraph.LOGITS).getRow(1);
    inputs.put("dropout_seed", Nd4j.scalar(4));
    INDArray next = run(model, inputs).outputs().get(ModelGraph.LOGITS).getRow(4);
    double error = all.sub(split).amaxNumber().doubleValue();
    double change = all.sub(next).amaxNumber().doubleValue();
    System.out.printf("dropout 0.2: split differs by %.1e, next step by %.1e%n", error, change);
    assertTrue(error < 1e-5 && change > 1e-3);
  }

  @ParameterizedTest
  @ValueSource(strings = {GPT2, LLAMA})
  void aBatchWithoutLabelsTeachesNothing(String config) {
    TransformerModel model = model(config, "", 0);
    Map<String, INDArray> inputs = text(6, 0, 0);
    // The first token's label is nobody's next, the last position has no next token.
    INDArray labels =
        Nd4j.valueArrayOf(new long[] {1, 6}, Losses.IGNORED)
            .castTo(inputs.get("labels").dataType());
    labels.putScalar(0, 0, 3);
    inputs.put(ModelGraph.LABELS, labels);
    inputs = select(inputs, new int[] {0, 2, 5}, new int[] {1, 3, 4});
    for (KernelMode kernelMode : KernelMode.values()) {
      ModelGraph graph =
          model.build(
              weights(model), GraphOptions.training(true, name -> true).withKernelMode(kernelMode));
      try (TrainingEngine engine =
          new TrainingEngine(graph, List.of(), ActivationCheckpointing.ELEMENTWISE)) {
        TrainingEngine.Result result = engine.run(inputs);
        assertEquals(0, result.loss());
        assertEquals(model.parameters().keySet(), result.gradients().keySet());
        result
            .gradients()
            .forEach((name, gradient) -> assertEquals(0, gradient.amaxNumber().doubleValue()));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {GPT2, LLAMA})
  void noTokenSeesALaterOne(String config) {
    TransformerModel model = model(config, "", 0);
    double[] changes = changes(model, 3);
    System.out.println("token 3 changed, logits change by " + Arrays.toString(changes));
    for (int i = 0; i < changes.length; i++) {
      assertEquals(i >= 3, changes[i] > 1e-5);
    }
  }

  /** How much the logits of each of 8 tokens change if one of them does. */
  private static double[] changes(TransformerModel model, int token) {
    Map<String, INDArray> inputs = text(8, 0, 0);
    INDArray before = logits(model, inputs);
    INDArray other = inputs.get(ModelGraph.INPUT_IDS).dup();
    other.putScalar(0, token, 29);
    inputs.put(ModelGraph.INPUT_IDS, other);
    return before.sub(logits(model, inputs)).norm1(1).toDoubleVector();
  }

  /** A layer looks window - 1 tokens back, so two layers twice as far. */
  @Test
  void mistralSeesAWindow() {
    String mistral = "\"model_type\": \"mistral\", \"num_hidden_layers\": ";
    for (int layers = 1; layers <= 2; layers++) {
      String window = mistral + layers + ", \"sliding_window\": ";
      double[] changes = changes(model(LLAMA, window + 3, 0), 1);
      System.out.printf("window 3, %d layers: %s%n", layers, Arrays.toString(changes));
      for (int i = 0; i < changes.length; i++) {
        assertEquals(i >= 1 && i <= 1 + 2 * layers, changes[i] > 1e-5);
      }
    }
    Map<String, INDArray> inputs = text(8, 0, 0);
    INDArray llama = logits(model(LLAMA, "", 0), inputs);
    for (String wide : List.of("8", "null")) {
      String changes = mistral + "2, \"sliding_window\": " + wide;
      assertSameBits(llama, logits(model(LLAMA, changes, 0), inputs));
    }
  }

  @Test
  void qwen2HasBiasesOfItsProjections() {
    TransformerModel qwen2 =
        model(LLAMA, "\"model_type\": \"qwen2\", \"tie_word_embeddings\": true", 0);
    List<String> biases =
        qwen2.parameters().keySet().stream().filter(name -> name.endsWith("bias")).toList();
    assertEquals(6, biases.size(), "q, k and v of two layers: " + biases);
    assertFalse(qwen2.parameters().containsKey("lm_head.weight"));
    SameDiffEngine.Result result = run(qwen2, text(6, 0, 0));
    assertEquals(qwen2.parameters().keySet(), result.gradients().keySet());
    for (String name : biases) {
      // A key's bias shifts a query's scores alike, unless keys are rotated afterwards.
      assertTrue(result.gradients().get(name).amaxNumber().doubleValue() > 1e-6, name);
    }
  }

  @Test
  void refusesWhatItDoesNotCompute() {
    for (String change :
        List.of(
            "\"hidden_act\": \"relu\"",
            "\"num_key_value_heads\": 3",
            "\"model_type\": \"qwen2\", \"layer_types\": [\"full_attention\", \"sliding_attention\"]",
            "\"model_type\": \"gemma\"",
            "\"hidden_size\": 0")) {
      assertThrows(BadInputException.class, () -> model(LLAMA, change, 0), change);
    }
    ModelConfig config = model(GPT2, "", 0).config();
    Head classes = new Head(Objectives.CLASSIFY, 2, Pooling.FIRST);
    assertThrows(BadInputException.class, () -> config.model(classes));
  }
}
