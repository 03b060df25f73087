package org.tokentune.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.GoldenModel.GOLDEN;
import static org.tokentune.GoldenModel.error;
import static org.tokentune.GoldenModel.largest;
import static org.tokentune.GoldenModel.selector;
import static org.tokentune.GoldenModel.step;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.GoldenModel;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.train.TrainingEngine;

/** Adapters on quantised weights, compared with the same adapters on dequantised weights. */
class QloraTest {

  /** All parameters dequantised to floats. */
  private static Parameters dequantized(Parameters parameters, TransformerModel model) {
    Map<String, INDArray> floats = new LinkedHashMap<>();
    model
        .parameters()
        .keySet()
        .forEach(
            name ->
                floats.put(
                    name,
                    parameters.quantized(name) == null
                        ? parameters.get(name)
                        : parameters.quantized(name).values().dup('c')));
    return new Parameters(floats);
  }

  @ParameterizedTest
  @CsvSource({
    "bert, all, nf4",
    "bert, 40%, nf4",
    "roberta, 40%, bf16",
    "gpt2, all, f16",
    "gpt2, 40%, nf4",
    "llama, all, nf4",
    "llama, 40%, nf4",
    "llama, 40%, bf16",
    "mistral, 40%, nf4"
  })
  void equalsLoraOnDequantisedWeights(String folder, String tokens, String storage) {
    WeightStorage read = WeightStorage.valueOf(storage.toUpperCase(Locale.ROOT));
    compare(stored(folder, read), tokens, storage);
  }

  private static GoldenModel stored(String folder, WeightStorage storage) {
    TransformerModel model = GoldenModel.of(folder).model();
    try (WeightSource weights = ModelFolder.weights(GOLDEN.resolve(folder))) {
      return new GoldenModel(model, ParameterLoader.load(model, weights, storage));
    }
  }

  @ParameterizedTest
  @MethodSource("org.tokentune.GoldenModel#families")
  void everyFamilyTrainsOnFourBits(String family) {
    GoldenModel stored = stored(family, WeightStorage.NF4);
    compare(
        stored,
        floats(stored),
        LoraConfig.parse("r=4,alpha=12"),
        stored.batch(selector("40%", stored)),
        List.of(ActivationCheckpointing.ELEMENTWISE),
        family + ", 40% tokens, nf4");
  }

  @ParameterizedTest
  @CsvSource({"tiny-f32, all", "tiny-q8_0, all", "tiny-q8_0, 40%"})
  void equalsLoraOnGgufInItsOwnFormat(String file, String tokens) {
    try (ModelFiles files = ModelFiles.open(GOLDEN.resolve("gguf/" + file + ".gguf"))) {
      ModelConfig config = ModelConfig.read(files.config(), file);
      TransformerModel model =
          config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
      Parameters stored = ParameterLoader.load(model, files.weights(), WeightStorage.FILE);
      Parameters floats = ParameterLoader.load(model, files.weights());
      if (file.equals("tiny-q8_0")) {
        Parameters same = dequantized(stored, model);
        for (String name : model.parameters().keySet()) {
          assertEquals(0, error(floats.get(name), same.get(name), 0), 1e-6, name);
        }
        compare(new GoldenModel(model, stored), tokens, "file");
      } else {
        assertEquals(floats.bytes(), stored.bytes()); // 32-bit floats are unchanged
      }
    }
  }

  private static void compare(GoldenModel stored, String tokens, String storage) {
    GoldenModel floats = floats(stored);
    Map<String, INDArray> inputs = stored.batch(selector(tokens, stored));
    List<ActivationCheckpointing> levels = List.of(ActivationCheckpointing.values());
    String name = stored.model().getClass().getSimpleName() + ", " + tokens + " tokens, " + storage;
    compare(stored, floats, LoraConfig.parse("r=4,alpha=12"), inputs, levels, name);
    compare(stored, floats, LoraConfig.parse("r=2,dora"), inputs, levels, name + " DoRA");
  }

  private static GoldenModel floats(GoldenModel stored) {
    return new GoldenModel(stored.model(), dequantized(stored.parameters(), stored.model()));
  }

  private static void compare(
      GoldenModel stored,
      GoldenModel floats,
      LoraConfig config,
      Map<String, INDArray> inputs,
      List<ActivationCheckpointing> levels,
      String name) {
    Adapter onFloats = floats.adapter(config, 3);
    TrainingEngine.Result expected =
        step(
            onFloats.model(),
            onFloats.parameters(),
            onFloats.model()::trains,
            inputs,
            KernelMode.FUSED);
    double floor = 1e-4 * largest(expected.gradients());
    Adapter adapter = stored.adapter(config, 3);
    for (KernelMode kernelMode : KernelMode.values()) {
      for (ActivationCheckpointing checkpointing : levels) {
        TrainingEngine.Result actual =
            step(
                adapter.model(),
                adapter.parameters(),
                adapter.model()::trains,
                inputs,
                kernelMode,
                checkpointing);
        double worst = 0;
        for (String parameter : expected.gradients().keySet()) {
          INDArray gradient = actual.gradients().get(parameter);
          worst = Math.max(worst, error(expected.gradients().get(parameter), gradient, floor));
        }
        System.out.printf(
            "%s, %s, %s recomputed: %d gradients, largest error %.1e%n",
            name, kernelMode, checkpointing, actual.gradients().size(), worst);
        assertEquals(expected.loss(), actual.loss(), 1e-5);
        // Different orders of summing 32-bit floats: 1.2e-5 apart with AVX-512, less with AVX2.
        assertTrue(worst < 2e-5, "differs by " + worst);
      }
    }
  }

  @Test
  void quantisedWeightsCanNeitherTrainNorMerge() {
    GoldenModel golden = GoldenModel.of("bert");
    Parameters stored;
    try (WeightSource weights = ModelFolder.weights(GOLDEN.resolve("bert"))) {
      stored = ParameterLoader.load(golden.model(), weights, WeightStorage.NF4);
    }
    assertTrue(stored.bytes() < golden.parameters().bytes() / 3);
    for (String refused :
        List.of(
            assertThrows(
                    BadInputException.class,
                    () -> golden.model().build(stored, GraphOptions.training(false, name -> true)))
                .getMessage(),
            assertThrows(
                    BadInputException.class,
                    Adapter.fresh(golden.model(), stored, LoraConfig.parse("r=2"), 1)::merge)
                .getMessage())) {
      System.out.println(refused);
    }
  }
}
