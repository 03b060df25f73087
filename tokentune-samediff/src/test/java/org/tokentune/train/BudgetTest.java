package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.GoldenModel.options;
import static org.tokentune.GoldenModel.selector;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.GoldenModel;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.plan.BudgetException;
import org.tokentune.plan.internal.Plan;

/** A budget is kept, and more of it never means more work. */
class BudgetTest {

  private static final int BUDGETS = 10;

  @ParameterizedTest
  @CsvSource({
    "bert, all, full, FLOAT32",
    "bert, 40%, full, FLOAT32",
    "gpt2, 40%, lora, FLOAT32",
    "llama, all, full, FLOAT32",
    "llama, 40%, full, BF16",
    "llama, 40%, lora, FLOAT32",
    "llama, 40%, qlora, FLOAT32",
    "llama, all, qlora, BF16"
  })
  void tenBudgets(String folder, String tokens, String method, ActivationPrecision keep) {
    GoldenModel golden = GoldenModel.of(folder);
    Map<String, INDArray> inputs = golden.batch(selector(tokens, golden));
    TransformerModel model = golden.model();
    Parameters parameters = golden.parameters();
    Predicate<String> trains = name -> true;
    if (!method.equals("full")) {
      WeightStorage storage = method.equals("lora") ? WeightStorage.FLOAT32 : WeightStorage.NF4;
      Parameters base = ParameterLoader.stored(model, parameters, storage);
      Adapter adapter = Adapter.fresh(model, base, LoraConfig.parse("r=2"), 1);
      model = adapter.model();
      parameters = adapter.parameters();
      trains = adapter.model()::trains;
    }
    long most = 0;
    try (TrainingEngine engine =
        engine(
            model,
            parameters,
            trains,
            inputs,
            new MemorySettings(ActivationCheckpointing.NOTHING, keep, 0))) {
      most = engine.plan(inputs).bytes();
    }
    long least;
    try (TrainingEngine engine =
        engine(
            model,
            parameters,
            trains,
            inputs,
            new MemorySettings(ActivationCheckpointing.NOTHING, keep, 1))) {
      least = assertThrows(BudgetException.class, () -> engine.plan(inputs)).least();
    }
    long work = Long.MAX_VALUE;
    for (int i = 0; i < BUDGETS; i++) {
      long budget = least + (most - least) * i / (BUDGETS - 1);
      try (TrainingEngine engine =
          engine(
              model,
              parameters,
              trains,
              inputs,
              new MemorySettings(ActivationCheckpointing.NOTHING, keep, budget))) {
        engine.run(inputs);
        Plan plan = engine.plan(inputs);
        System.out.printf(
            "%s, %s tokens, %s, kept as %s: budget %,d, planned %,d, used %,d, again %,d%n",
            folder,
            tokens,
            method,
            keep,
            budget,
            plan.bytes(),
            engine.arenaBytes(),
            plan.recomputedWork());
        assertEquals(plan.bytes(), engine.arenaBytes());
        assertTrue(engine.arenaBytes() <= budget);
        assertTrue(plan.recomputedWork() <= work, "more memory, but more work");
        work = plan.recomputedWork();
      }
    }
    assertEquals(0, work);
  }

  private static TrainingEngine engine(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trains,
      Map<String, INDArray> inputs,
      MemorySettings memory) {
    return new TrainingEngine(
        model.build(parameters, options(inputs, trains).withKernelMode(KernelMode.preferred())),
        List.of(),
        memory,
        null);
  }
}
