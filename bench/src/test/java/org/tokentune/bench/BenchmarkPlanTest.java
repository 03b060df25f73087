package org.tokentune.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.bench.MethodBenchmark.Setting;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.train.StepMemoryReport;

/** What benchmarks say without running is what they say when they run. */
class BenchmarkPlanTest {

  private static final int LENGTH = 32;

  private static TransformerModel llama() {
    ObjectNode config = JsonNodeFactory.instance.objectNode().put("model_type", "llama");
    config.put("vocab_size", 500).put("num_hidden_layers", 2).put("hidden_size", 64);
    config.put("num_attention_heads", 4).put("intermediate_size", 96);
    config.put("max_position_embeddings", 64);
    ModelConfig sizes = ModelConfig.read(config, "test");
    return sizes.model(new Head(Objectives.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST));
  }

  @Test
  void stepsTakeWhatIsPlanned() {
    TransformerModel model = llama();
    Parameters weights = StepBenchmark.weights(model);
    for (String tokens : List.of("all", "8")) {
      Map<ActivationCheckpointing, Long> plans = StepBenchmark.plan(model, 2, LENGTH, tokens);
      for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
        long plan = plans.get(checkpointing);
        try (StepBenchmark run =
            new StepBenchmark(model, weights, 2, LENGTH, tokens, checkpointing)) {
          System.out.printf("%s tokens, %s: %,d bytes%n", tokens, checkpointing, plan);
          assertEquals(run.planned(), plan);
        }
      }
    }
  }

  @Test
  void methodsTakeWhatIsPlanned() {
    TransformerModel model = llama();
    Parameters weights = StepBenchmark.weights(model);
    LoraConfig lora = LoraConfig.parse("r=4");
    Setting full = Setting.of(TuningMethod.FULL, lora);
    TuningMethod qlora =
        new TuningMethod(true, WeightStorage.NF4, true, ActivationCheckpointing.ELEMENTWISE);
    for (Setting setting :
        List.of(
            full,
            full.unclipped(),
            full.withAccumulation(2),
            Setting.of(qlora, lora),
            Setting.of(qlora, lora).withPrecision(ActivationPrecision.BF16))) {
      StepMemoryReport plan = MethodBenchmark.plan(model, setting, 1, LENGTH, "25%");
      try (MethodBenchmark run = new MethodBenchmark(model, weights, setting, 1, LENGTH, "25%")) {
        System.out.printf("%s: %,d bytes%n", setting.method(), plan.total());
        assertEquals(run.planned(), plan);
      }
    }
  }
}
