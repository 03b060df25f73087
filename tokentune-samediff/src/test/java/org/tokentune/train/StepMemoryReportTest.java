package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.Encoder;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Graph;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.PlanMemory;
import org.tokentune.select.RandomTokens;

/** What planning says of memory, without a model's weights and with them. */
class StepMemoryReportTest {

  private static Encoder bert(int layers, int hidden, int heads, int vocabulary) {
    ObjectNode json =
        new ObjectMapper()
            .createObjectNode()
            .put("model_type", "bert")
            .put("vocab_size", vocabulary)
            .put("hidden_size", hidden)
            .put("num_hidden_layers", layers)
            .put("num_attention_heads", heads)
            .put("intermediate_size", 4 * hidden)
            .put("max_position_embeddings", 512)
            .put("type_vocab_size", 2)
            .put("initializer_range", 1);
    EncoderConfig config = EncoderConfig.read(json, "test");
    return new Encoder(config, new Head(Objectives.CLASSIFY, 2, Pooling.FIRST));
  }

  private static StepMemoryReport plan(
      Encoder bert,
      String tokens,
      int length,
      ActivationCheckpointing checkpointing,
      boolean optimizerInBackward) {
    StepMemoryPlanner planner =
        new StepMemoryPlanner(
            bert,
            name -> true,
            WeightStorage.FLOAT32,
            MemorySettings.of(checkpointing),
            sgd(bert),
            optimizerInBackward);
    return planner.plan(
        8, length, StepMemoryPlanner.selected(bert, RandomTokens.parse(tokens, 8, true), length));
  }

  /** Of the process, without Java's heap: ND4J takes its memory from outside. */
  private static long nativeBytes() {
    Runtime runtime = Runtime.getRuntime();
    return Pointer.physicalBytes() - runtime.totalMemory();
  }

  @ParameterizedTest(name = "{0} tokens, length {1}")
  @CsvSource({"all, 128", "25%, 128", "all, 512", "25%, 512"})
  void bertLargeIsPlannedWithoutItsWeights(String tokens, int length) {
    Encoder large = bert(24, 1024, 16, 30522);
    long before = Nd4j.getEnvironment().getDeviceCouner(0);
    long physical = nativeBytes();
    long start = System.nanoTime();
    StepMemoryReport report =
        plan(large, tokens, length, ActivationCheckpointing.ELEMENTWISE, true);
    double seconds = (System.nanoTime() - start) / 1e9;
    long arrays = Nd4j.getEnvironment().getDeviceCouner(0) - before;
    System.out.printf(
        "BERT-large, %s tokens, length %d: %.1f s, arrays %,d bytes, process %+,d bytes; step %,d"
            + " bytes, parameters %,d%n",
        tokens,
        length,
        seconds,
        arrays,
        nativeBytes() - physical,
        report.step().arena(),
        report.parameters());
    assertEquals(335_143_938L * Float.BYTES, report.parameters());
    assertTrue(report.step().arena() > 100_000_000);
    assertTrue(arrays < 200_000_000);
    // Far from the weights' bytes; the heap that is committed at the start is not resident yet.
    assertTrue(nativeBytes() - physical < report.parameters() / 2);
    assertTrue(seconds < 60);
  }

  @ParameterizedTest(name = "{0} tokens, {1}, updates at once: {2}")
  @CsvSource({
    "all, ELEMENTWISE, true",
    "all, NOTHING, false",
    "25%, ELEMENTWISE, true",
    "25%, ATTENTION, false",
    "25%, BLOCKS, true",
    "100%, ELEMENTWISE, true"
  })
  void partsAddUpAndEqualThePlanWithWeights(
      String tokens, ActivationCheckpointing checkpointing, boolean optimizerInBackward) {
    Encoder small = bert(6, 384, 12, 1000);
    StepMemoryReport report = plan(small, tokens, 128, checkpointing, optimizerInBackward);
    double share = 1 - (double) report.gaps() / report.step().arena();
    System.out.printf(
        "%s tokens, %s, at once %s: parts are %.1f%% of %,d bytes%n",
        tokens, checkpointing, optimizerInBackward, 100 * share, report.step().arena());
    assertTrue(share >= 0.95 && share <= 1);

    Map<String, INDArray> weights = new LinkedHashMap<>();
    small
        .parameters()
        .forEach((name, shape) -> weights.put(name, Nd4j.zeros(DataType.FLOAT, shape)));
    boolean split = tokens.equals("25%");
    ModelGraph graph =
        small.build(
            new Parameters(weights),
            GraphOptions.training(split, name -> true).withKernelMode(KernelMode.preferred()));
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, Nd4j.ones(DataType.INT32, 8, 128));
    inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.ones(DataType.INT32, 8, 128));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, Nd4j.zeros(DataType.INT32, 8, 128));
    inputs.put(ModelGraph.SELECTED, Nd4j.zeros(DataType.INT32, 8, 32));
    inputs.put(ModelGraph.FROZEN, Nd4j.zeros(DataType.INT32, 8, 96));
    inputs.put(ModelGraph.LABELS, Nd4j.zeros(DataType.INT32, 8));
    inputs.put(Graph.DROPOUT_SEED, Nd4j.scalar(1));
    try (TrainingEngine engine =
        optimizerInBackward
            ? new TrainingEngine(graph, checkpointing, sgd(small))
            : new TrainingEngine(graph, List.of(), checkpointing)) {
      assertEquals(engine.plan(inputs).memory(), report.step());
    }
  }

  private static ParameterOptimizer sgd(Encoder bert) {
    return new ParameterOptimizer(new Sgd(0, false), Parameters.shapeOnly(bert.parameters()), 0);
  }

  @Test
  void saysWhatIsWhere() {
    Encoder small = bert(3, 64, 4, 1000);
    StepMemoryReport all =
        new StepMemoryPlanner(
                small,
                name -> !small.isEmbedding(name),
                WeightStorage.FLOAT32,
                MemorySettings.defaults(),
                new ParameterOptimizer(AdamW.USUAL, Parameters.shapeOnly(small.parameters()), 0),
                true)
            .plan(8, 64, 64);
    StepMemoryReport quarter = plan(small, "25%", 64, ActivationCheckpointing.ELEMENTWISE, true);
    Map<String, StepMemoryReport> reports = new LinkedHashMap<>();
    reports.put("all", all);
    reports.put("a quarter", quarter);
    System.out.println(StepMemoryReport.table(reports));

    assertEquals(2 * all.trained(), all.optimizerState());
    assertEquals(0, quarter.optimizerState());
    assertTrue(all.trained() < all.parameters());
    assertEquals(quarter.trained(), quarter.parameters());
    assertEquals(
        List.of("bert.encoder.layer.0", "bert.encoder.layer.1"),
        all.activationsByLayer().keySet().stream()
            .filter(name -> name.contains("layer."))
            .toList());
    // softmax output of all layers but the last, which computes one row a text
    long weights = 8L * 4 * 64 * 64 * Float.BYTES;
    long kept = all.activationsByKind().get("attention weights");
    assertTrue(kept >= 2 * weights && kept < 2.1 * weights, "kept " + kept);
    long byLayer = all.activationsByLayer().values().stream().mapToLong(Long::longValue).sum();
    long byKind = all.activationsByKind().values().stream().mapToLong(Long::longValue).sum();
    assertEquals(byLayer, byKind);

    JsonNode json = all.toJson();
    assertEquals(byKind, json.path("activations").asLong());
    assertEquals(
        json.path("total").asLong(),
        json.path("parameters").asLong()
            + json.path("optimizer_state").asLong()
            + json.path("step").asLong());
    assertEquals(all.step().live().size(), json.path("live").size());
    assertTrue(all.toString().contains("attention weights"));
  }

  /** Also those of a large vocabulary, which are made and applied slice by slice. */
  @Test
  void gradientsNameTheirParameters() {
    ObjectNode json =
        new ObjectMapper()
            .createObjectNode()
            .put("model_type", "llama")
            .put("vocab_size", 10_000)
            .put("hidden_size", 32)
            .put("num_hidden_layers", 2)
            .put("num_attention_heads", 4)
            .put("intermediate_size", 64)
            .put("max_position_embeddings", 64);
    TransformerModel llama =
        ModelConfig.read(json, "test").model(new Head(Objectives.CAUSAL_LM, 10_000, Pooling.FIRST));
    StepMemoryReport report =
        new StepMemoryPlanner(
                llama,
                name -> true,
                WeightStorage.FLOAT32,
                MemorySettings.defaults(),
                new ParameterOptimizer(
                    new Sgd(0, false), Parameters.shapeOnly(llama.parameters()), 0),
                true)
            .plan(2, 32, 16);
    Map<String, Long> gradients =
        report.step().buffers().stream()
            .filter(buffer -> buffer.kind() == PlanMemory.Kind.GRADIENT)
            .collect(Collectors.groupingBy(PlanMemory.Buffer::near, Collectors.counting()));
    System.out.println(gradients);
    assertEquals(llama.parameters().keySet(), gradients.keySet());
    assertEquals(3, gradients.get("lm_head.weight")); // 4,096 words each
  }
}
