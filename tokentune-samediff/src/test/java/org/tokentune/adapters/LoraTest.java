package org.tokentune.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.GoldenModel.GOLDEN;
import static org.tokentune.GoldenModel.error;
import static org.tokentune.GoldenModel.largest;
import static org.tokentune.GoldenModel.options;
import static org.tokentune.GoldenModel.selector;
import static org.tokentune.GoldenModel.step;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.GoldenModel;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Graph;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.internal.Plan;
import org.tokentune.select.AllTokens;
import org.tokentune.train.SameDiffEngine;
import org.tokentune.train.TrainingEngine;

/** Low-rank adapters, compared with PEFT's numbers, the chain rule, and stock SameDiff. */
class LoraTest {

  private static LoraConfig config(int rank, String targets) {
    return LoraConfig.parse("r=" + rank + ",alpha=12,targets=" + targets);
  }

  /**
   * With W' = W + s B A, the gradients are s B^T dW' and s dW' A^T, where dW' is the gradient of
   * the fully trained base with merged weights: with and without token selection.
   */
  @ParameterizedTest
  @CsvSource({
    "bert, all, 4, query+value",
    "bert, 40%, 4, query+value",
    "bert, 40%, 1, all-linear",
    "roberta, 40%, 3, attention.*+output.dense",
    "distilbert, 40%, 2, q_lin+ffn.lin2",
    "gpt2, all, 5, c_attn+mlp.c_proj",
    "gpt2, 40%, 5, c_attn+mlp.c_proj",
    "llama, all, 3, all-linear",
    "llama, 40%, 3, all-linear",
    "llama, 40%, 16, layers.1.*.o_proj+k_proj",
    "mistral, 40%, 3, all-linear",
    "qwen2, 40%, 3, all-linear",
    "qwen3, 40%, 3, all-linear",
    "smollm3, 40%, 3, all-linear",
    "olmo2, 40%, 3, all-linear",
    "phi3, 40%, 3, all-linear",
    "gemma2, 40%, 3, all-linear",
    "gemma3, 40%, 3, all-linear",
    "granite, 40%, 3, all-linear",
    "stablelm, 40%, 3, all-linear",
    "xlm-roberta, 40%, 3, all-linear",
    "electra, 40%, 3, all-linear",
    "mpnet, 40%, 3, all-linear",
    "deberta-v3, 40%, 3, all-linear",
    "modernbert, 40%, 3, all-linear"
  })
  void gradientsFollowFromMergedWeights(String folder, String tokens, int rank, String targets) {
    GoldenModel base = GoldenModel.of(folder);
    Map<String, INDArray> inputs = base.batch(selector(tokens, base));
    Adapter adapter = base.adapter(config(rank, targets), 3);
    LoraModel model = adapter.model();
    Map<String, TrainingEngine.Result> results = new HashMap<>();
    for (KernelMode kernelMode : KernelMode.values()) {
      TrainingEngine.Result result =
          step(model, adapter.parameters(), model::trains, inputs, kernelMode);
      assertEquals(model.adapterShapes().keySet(), result.gradients().keySet());
      results.put(kernelMode.toString(), result);
    }
    SameDiffEngine.Result stock =
        new SameDiffEngine(model.build(adapter.parameters(), options(inputs, model::trains)))
            .run(inputs, List.of());
    adapter.merge();
    TrainingEngine.Result merged =
        step(base.model(), base.parameters(), name -> true, inputs, KernelMode.NATIVE);
    adapter.unmerge();
    Map<String, INDArray> expected = new HashMap<>();
    for (String layer : model.layers()) {
      INDArray dw = merged.gradients().get(layer + ".weight");
      dw = model.inputFirst() ? dw.transpose() : dw;
      INDArray a = adapter.parameters().get(layer + LoraModel.A);
      INDArray b = adapter.parameters().get(layer + LoraModel.B);
      double scale = 12.0 / rank;
      expected.put(layer + LoraModel.A, b.transpose().mmul(dw).mul(scale));
      expected.put(layer + LoraModel.B, dw.mmul(a.transpose()).mul(scale));
    }
    results.put("stock", new TrainingEngine.Result(stock.loss(), stock.gradients(), Map.of()));
    double floor = 1e-4 * largest(expected);
    results.forEach(
        (name, result) -> {
          double worst = 0;
          for (String parameter : expected.keySet()) {
            INDArray gradient = result.gradients().get(parameter);
            worst = Math.max(worst, error(expected.get(parameter), gradient, floor));
          }
          System.out.printf(
              "%s, %s tokens, r=%d on %s, %s: %d layers, largest error %.1e%n",
              folder, tokens, rank, targets, name, model.layers().size(), worst);
          assertEquals(merged.loss(), result.loss(), 1e-5);
          assertTrue(worst < 2e-5, "differs by " + worst);
        });
  }

  /** Includes dropout and biases; the evaluation model has no dropout. */
  @Test
  void gradientsOfAllSettingsEqualStockSameDiff() {
    GoldenModel base = GoldenModel.of("bert");
    Map<String, INDArray> inputs = base.batch(selector("40%", base));
    inputs.put(Graph.DROPOUT_SEED, Nd4j.scalar(11));
    for (String settings :
        List.of(
            "dropout=0.3,targets=query+dense",
            "dropout=0.3,rslora,bias=all",
            "dropout=0.3,dora,bias=all",
            "dora,targets=query+dense,bias=lora_only",
            "targets=query,bias=lora_only,freeze-a")) {
      LoraConfig config = LoraConfig.parse(settings).withTrained(List.of("classifier", "pooler"));
      Adapter adapter = base.adapter(config, 4);
      LoraModel model = adapter.model();
      if (config.dropout() == 0) {
        inputs.remove(Graph.DROPOUT_SEED);
      }
      TrainingEngine.Result fused =
          step(model, adapter.parameters(), model::trains, inputs, KernelMode.FUSED);
      SameDiffEngine.Result stock =
          new SameDiffEngine(model.build(adapter.parameters(), options(inputs, model::trains)))
              .run(inputs, List.of());
      Set<String> trained = new LinkedHashSet<>(model.parameters().keySet());
      trained.removeIf(name -> !model.trains(name));
      assertEquals(trained, fused.gradients().keySet());
      assertTrue(trained.contains("classifier.weight"));
      assertEquals(
          config.bias() != LoraConfig.Bias.NONE,
          trained.contains("bert.encoder.layer.0.attention.self.query.bias"));
      assertEquals(
          config.bias() == LoraConfig.Bias.ALL,
          trained.contains("bert.encoder.layer.0.output.LayerNorm.bias"));
      assertEquals(
          config.frozenA(),
          !trained.contains("bert.encoder.layer.0.attention.self.query.lora_A.weight"));
      double floor = 1e-4 * largest(stock.gradients());
      double worst = 0;
      for (String name : trained) {
        worst =
            Math.max(worst, error(stock.gradients().get(name), fused.gradients().get(name), floor));
      }
      System.out.printf("%s: %d gradients, largest error %.1e%n", settings, trained.size(), worst);
      assertEquals(stock.loss(), fused.loss(), 1e-5);
      assertTrue(worst < 1e-5, "differs by " + worst);
      assertFalse(
          model
              .withoutDropout()
              .build(adapter.parameters(), options(inputs, name -> false))
              .sd()
              .hasVariable(Graph.DROPOUT_SEED));
    }
  }

  /**
   * After merging, the base's own graph gives the same logits; after unmerging, its weights are
   * restored.
   */
  @Test
  void mergedWeightsGiveTheSameLogits() {
    GoldenModel base = GoldenModel.of("gpt2");
    Map<String, INDArray> inputs = base.batch(new AllTokens());
    inputs.remove(ModelGraph.LABELS);
    Map<String, INDArray> before = new HashMap<>();
    base.parameters().asMap().forEach((name, array) -> before.put(name, array.dup()));
    Adapter one = base.adapter(config(4, "c_attn"), 1);
    Adapter two = base.adapter(config(2, "all-linear"), 2);
    for (Adapter adapter : List.of(one, two, one)) {
      INDArray unmerged = logits(adapter.model(), adapter.parameters(), inputs);
      adapter.merge();
      assertThrows(BadInputException.class, adapter::merge);
      INDArray merged = logits(base.model(), adapter.baseParameters(), inputs);
      adapter.unmerge();
      assertThrows(BadInputException.class, adapter::unmerge);
      double gap = error(unmerged, merged, 0);
      double moved = 0;
      for (String name : before.keySet()) {
        moved = Math.max(moved, error(before.get(name), base.parameters().get(name), 0));
      }
      System.out.printf("merged logits differ by %.1e, weights unmerged by %.1e%n", gap, moved);
      assertTrue(gap < 1e-5);
      assertTrue(moved < 1e-6);
    }
  }

  private static INDArray logits(
      TransformerModel model, Parameters parameters, Map<String, INDArray> inputs) {
    return model
        .build(parameters, GraphOptions.inference())
        .sd()
        .output(inputs, ModelGraph.LOGITS)
        .get(ModelGraph.LOGITS);
  }

  /**
   * Inputs of frozen layers are not stored: the output layers of BERT's feed-forward read [n,
   * intermediate], which is stored in every block if they have adapters, and otherwise not. With A
   * frozen, it is not stored either.
   */
  @Test
  void inputsOfFrozenWeightsAreNotStored() {
    GoldenModel base = GoldenModel.of("bert");
    Map<String, INDArray> inputs = base.batch(new AllTokens());
    long rows = inputs.get(ModelGraph.INPUT_IDS).length();
    int layers = base.model().config().layers();
    long full = planned(base.model(), base.parameters(), name -> true, inputs);
    Map<String, Long> bytes = new HashMap<>();
    for (String settings :
        List.of(
            "r=1,targets=output.dense",
            "r=1,targets=output.dense,freeze-a",
            "r=1,targets=query+output.dense",
            "r=1,targets=query")) {
      Adapter adapter = base.adapter(LoraConfig.parse(settings), 1);
      bytes.put(
          settings,
          planned(adapter.model(), adapter.parameters(), adapter.model()::trains, inputs));
    }
    System.out.printf(
        "bert, %d layers, %d rows, nothing recomputed: full training %d bytes, %s%n",
        layers, rows, full, bytes);
    long intermediate =
        base.parameters().get("bert.encoder.layer.0.intermediate.dense.bias").length();
    long wide = rows * intermediate * Float.BYTES;
    long plain = bytes.get("r=1,targets=output.dense");
    long frozen = bytes.get("r=1,targets=output.dense,freeze-a");
    assertTrue(full > plain);
    assertTrue(plain - frozen >= (layers - 1) * wide, "A frozen saves " + (plain - frozen));
    long both = bytes.get("r=1,targets=query+output.dense");
    assertTrue(both - bytes.get("r=1,targets=query") >= (layers - 1) * wide);
  }

  private static long planned(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      Map<String, INDArray> inputs) {
    ModelGraph graph =
        model.build(parameters, options(inputs, trainable).withKernelMode(KernelMode.FUSED));
    try (TrainingEngine engine =
        new TrainingEngine(graph, List.of(), ActivationCheckpointing.NOTHING)) {
      Plan plan = engine.plan(inputs);
      return plan.bytes();
    }
  }

  @Test
  void foldersSurviveARoundTrip(@TempDir Path temp) {
    for (String folder : List.of("bert", "gpt2", "llama")) {
      GoldenModel base = GoldenModel.of(folder);
      LoraConfig config =
          LoraConfig.parse("r=3,alpha=5.5,dropout=0.25,rslora,bias=lora_only,targets=layer*+h.1.*")
              .withDora(!folder.equals("gpt2"))
              .withTargets(
                  folder.equals("bert")
                      ? List.of("layer.1.*", "key")
                      : folder.equals("gpt2") ? List.of("c_attn", "h.1.mlp.*") : List.of("q_proj"));
      if (folder.equals("bert")) {
        config = config.withTrained(List.of("classifier", "bert.pooler.dense"));
      }
      Adapter adapter = base.adapter(config, 6);
      adapter.parameters().asMap().keySet().stream()
          .filter(adapter.model()::trainsOfBase)
          .forEach(name -> adapter.parameters().get(name).addi(0.5));
      Path written = temp.resolve(folder);
      for (int i = 0; i < 2; i++) { // the second replaces the first
        AdapterFolder.write(
            written, adapter, "../base", ModelFolder.config(GOLDEN.resolve(folder)), List.of());
      }
      try (AdapterFolder opened = AdapterFolder.open(written)) {
        assertEquals("../base", opened.base());
        Adapter read = opened.read(base.model(), base.parameters());
        assertEquals(adapter.model().layers(), read.model().layers());
        String layer = adapter.model().layers().get(0);
        assertEquals(adapter.model().lora().scale(layer), read.model().lora().scale(layer));
        assertSameBits(adapter.parameters().asMap(), read.parameters().asMap());
        adapter
            .parameters()
            .names()
            .forEach(name -> assertEquals(adapter.model().trains(name), read.model().trains(name)));
      }
    }
  }

  @Test
  void rejectsInvalidSettings() {
    GoldenModel llama = GoldenModel.of("llama");
    rejects("rank r must be at least 1, got 0", () -> LoraConfig.parse("r=0"));
    rejects("no setting 'rank=3'", () -> LoraConfig.parse("rank=3"));
    rejects("'x' is not a number", () -> LoraConfig.parse("r=x"));
    rejects("bias must be none, all or lora_only, got some", () -> LoraConfig.parse("bias=some"));
    rejects(
        "No linear layer that can be adapted is called query; the layers are"
            + " model.layers.*.self_attn.q_proj,",
        () -> new LoraModel(llama.model(), LoraConfig.on("query")));
    rejects(
        "called lm_head; the layers are",
        () -> new LoraModel(llama.model(), LoraConfig.on("lm_head")));
  }

  private static void rejects(String sentence, Runnable what) {
    String message = assertThrows(BadInputException.class, what::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(sentence), message);
  }
}
