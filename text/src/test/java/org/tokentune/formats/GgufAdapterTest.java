package org.tokentune.formats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.export.GgufAdapter;
import org.tokentune.export.GgufType;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;

/**
 * What llama.cpp adds to a weight, {@code alpha / r B A} in the file's order of rows, is what PEFT
 * adds. Its own numbers are in {@code acceptance/gguf.sh}.
 */
class GgufAdapterTest {

  private static final Path RESOURCES = Path.of("../tokentune-samediff/src/test/resources");

  @TempDir private Path folder;

  private static ModelFiles base(String name) {
    Path path = RESOURCES.resolve(name);
    return new ModelFiles(
        name,
        ModelFolder.config(path),
        ModelFolder.weights(path),
        new TokenizerSource.Json(new byte[0]));
  }

  @ParameterizedTest
  @CsvSource({
    "golden/llama, golden/llama-lora, 8",
    "peft/llama, peft/plain, ",
    "peft/llama, peft/all-linear, ",
    "peft/llama, peft/patterns, ",
    "peft/llama, peft/patterns-rslora, "
  })
  void updatesAreThoseOfPeft(String model, String adapters, Double alpha) {
    compare(model, RESOURCES.resolve(adapters), alpha);
  }

  /** The weights of GPT-2 are [in, out], and adapters as those of others. */
  @Test
  void updatesOfMatricesThatAreTurned() throws IOException {
    Path adapters = Files.createDirectory(folder.resolve("adapters"));
    Files.writeString(
        adapters.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"task_type\": \"CAUSAL_LM\", \"r\": 2, \"lora_alpha\": 3,"
            + " \"target_modules\": [\"c_attn\"], \"fan_in_fan_out\": true}");
    Map<String, INDArray> tensors = new HashMap<>();
    try (ModelFiles files = base("peft/gpt2")) {
      for (String name : files.weights().names()) {
        if (name.endsWith("c_attn.weight")) {
          long[] shape = files.weights().shape(name);
          String layer = "base_model.model." + name.replace(".weight", "");
          tensors.put(layer + ".lora_A.weight", Nd4j.rand(new long[] {2, shape[0]}));
          tensors.put(layer + ".lora_B.weight", Nd4j.rand(new long[] {shape[1], 2}));
        }
      }
    }
    SafeTensorsWriter.write(adapters.resolve("adapter_model.safetensors"), tensors);
    compare("peft/gpt2", adapters, 3.0);
  }

  private void compare(String model, Path adapters, Double alpha) {
    Path file = folder.resolve("adapter.gguf");
    try (ModelFiles files = base(model)) {
      GgufAdapter.write(files, adapters, GgufType.F32, file).forEach(System.out::println);
      Map<String, INDArray> expected = updates(files, adapters);
      try (GgufFile written = GgufFile.open(file)) {
        assertEquals("adapter", written.metadata().text("general.type"));
        assertEquals("lora", written.metadata().text("adapter.type"));
        assertEquals(layout(files).architecture(), written.metadata().text("general.architecture"));
        double said = written.metadata().number("adapter.lora.alpha");
        if (alpha != null) {
          assertEquals(alpha, said);
        }
        assertEquals(2 * expected.size(), written.tensors().size());
        double worst = 0;
        for (Map.Entry<String, INDArray> update : expected.entrySet()) {
          INDArray a = array(written, update.getKey() + ".lora_a");
          INDArray b = array(written, update.getKey() + ".lora_b");
          INDArray found = b.mmul(a).mul(said / a.size(0));
          worst = Math.max(worst, found.sub(update.getValue()).amaxNumber().doubleValue());
        }
        System.out.printf("%s: %d updates differ by %.1e%n", adapters, expected.size(), worst);
        assertTrue(worst < 1e-6, adapters + " " + worst);
      }
    }
  }

  private static GgufLayout layout(ModelFiles files) {
    return GgufLayout.of(files.config().path("model_type").asText());
  }

  private static INDArray array(GgufFile file, String name) {
    GgufFile.Tensor tensor = file.tensors().get(name);
    return Nd4j.create(file.read(tensor), tensor.shape(), 'c');
  }

  /** What merging adds to each weight, as the file orders rows, by the file's names. */
  private static Map<String, INDArray> updates(ModelFiles files, Path adapters) {
    ModelConfig config = ModelConfig.read(files.config(), files.name());
    TransformerModel model =
        config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
    Parameters before = ParameterLoader.load(model, files.weights());
    Parameters after = ParameterLoader.load(model, files.weights());
    GgufLayout layout = layout(files);
    int headSize =
        config.hidden() / Math.max(1, files.config().path("num_attention_heads").intValue());
    Map<String, INDArray> updates = new HashMap<>();
    try (AdapterFolder opened = AdapterFolder.open(adapters)) {
      Adapter adapter = opened.read(model, after);
      adapter.merge();
      for (String layer : adapter.model().layers()) {
        String name = layer + ".weight";
        INDArray update = after.get(name).sub(before.get(name));
        if (layout.transposes(name)) {
          update = update.transpose();
        }
        float[] stored =
            layout.stored(name, update.dup('c').data().asFloat(), update.size(0), headSize);
        updates.put(layout.stored(name).orElseThrow(), Nd4j.create(stored, update.shape(), 'c'));
      }
    }
    return updates;
  }

  @Test
  void whatLlamaCppLeavesOutIsRefused() {
    refuses("golden/llama", "golden/llama-dora", "DoRA");
    refuses("peft/llama", "peft/bias-all", "also trained model.layers.0.self_attn.q_proj.bias");
    refuses("peft/llama", "peft/whole", "also trained model.embed_tokens.weight");
    refuses("peft/gpt2", "peft/gpt2-all", "also trained transformer.h.0.ln_1.bias");
    refuses("peft/llama-tied", "peft/tied-head", "llama.cpp would leave out");
  }

  private void refuses(String model, String adapters, String part) {
    try (ModelFiles files = base(model)) {
      for (GgufType type : List.of(GgufType.F32, GgufType.Q8_0)) {
        BadInputException thrown =
            assertThrows(
                BadInputException.class,
                () ->
                    GgufAdapter.write(
                        files, RESOURCES.resolve(adapters), type, folder.resolve("x.gguf")));
        System.out.println(thrown.getMessage());
        assertTrue(
            thrown.getMessage().contains(type == GgufType.F32 ? part : "not as q8_0"),
            thrown.getMessage());
      }
    }
    assertEquals(0, folder.toFile().list().length);
  }

  /** Names in both directions come from one table. */
  @Test
  void namesComeBack() {
    for (String family : GgufLayout.families()) {
      GgufArchitecture architecture = GgufArchitecture.storing(family).orElseThrow();
      architecture
          .names()
          .inner()
          .forEach(
              (stored, named) ->
                  assertEquals(
                      "blk.3." + stored + ".weight",
                      architecture
                          .stored(architecture.named("blk.3." + stored + ".weight"))
                          .orElse(named),
                      family));
    }
  }
}
