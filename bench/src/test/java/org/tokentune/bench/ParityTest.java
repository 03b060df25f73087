package org.tokentune.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;

/** The same weights give the hidden states, logits, losses and gradients that PyTorch gave. */
class ParityTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");

  @ParameterizedTest
  @CsvSource({
    "bert, 4, 63",
    "bert-regression, 1, 63",
    "bert-mlm, 2, 64",
    "bert-mlm-untied, 1, 48",
    "distilbert-mlm, 1, 46",
    "electra-mlm, 1, 49",
    "mpnet-mlm, 1, 47",
    "deberta-mlm, 1, 48",
    "bert-qa, 2, 42",
    "roberta, 1, 46",
    "distilbert, 1, 45",
    "gpt2, 4, 46",
    "llama, 4, 36",
    "llama-nf4, 1, 2",
    "llama-nf4-double, 1, 2",
    "llama-fp4, 1, 2",
    "mistral, 1, 26",
    "qwen2, 2, 32",
    "qwen3, 2, 29",
    "smollm3, 2, 35",
    "olmo2, 2, 30",
    "phi3, 2, 20",
    "phi3-partial, 1, 19",
    "gemma2, 2, 41",
    "gemma3, 2, 47",
    "granite, 2, 26",
    "stablelm, 2, 37",
    "xlm-roberta, 1, 46",
    "electra, 1, 48",
    "mpnet, 1, 46",
    "deberta-v3, 1, 47",
    "modernbert, 1, 37",
    "modernbert-mlm, 1, 36"
  })
  void equalsPyTorch(String folder, int cases, int tensors) {
    Parity parity = new Parity(GOLDEN.resolve(folder));
    assertEquals(cases, parity.cases().size());
    for (Path file : parity.cases()) {
      boolean generates = file.getFileName().toString().startsWith("generate");
      check(parity, file, generates ? 1 : tensors, 1e-5);
    }
  }

  @Test
  void adaptersEqualPeft() {
    Parity parity = new Parity(GOLDEN.resolve("llama-lora"));
    assertEquals(2, parity.cases().size());
    for (Path file : parity.cases()) {
      boolean merged = file.endsWith("merged.safetensors");
      check(parity, file, merged ? 15 : 36, merged ? 1e-6 : 1e-5);
    }
  }

  /**
   * Vectors, losses and gradients of sentence-transformers 6.2; in cases of another loss in a
   * folder, of other tensors. Cases with {@code -columns} are made by {@code
   * acceptance/embed-columns.py}.
   */
  @ParameterizedTest
  @CsvSource({"embed-mean, 10, 18", "embed-cls, 8, 2"})
  void sentenceEncodersEqualSentenceTransformers(String folder, int cases, int tensors) {
    Parity parity = new Parity(GOLDEN.resolve(folder));
    assertEquals(cases, parity.cases().size());
    for (Path file : parity.cases()) {
      boolean whole = file.getFileName().toString().matches("mnrl(-tokentune)?[.].*");
      check(parity, file, whole ? 18 : tensors, 1e-5);
    }
  }

  /** The same weights with another pooling; cases made by {@code acceptance/embed-pooling.py}. */
  @ParameterizedTest
  @ValueSource(strings = {"max", "lasttoken"})
  void otherPoolingsEqualSentenceTransformers(String mode, @TempDir Path folder)
      throws IOException {
    for (String file : List.of("config.json", "model.safetensors", "modules.json")) {
      Files.copy(GOLDEN.resolve("embed-mean").resolve(file), folder.resolve(file));
    }
    for (String module : List.of("1_Pooling", "2_Normalize")) {
      Path config = Files.createDirectory(folder.resolve(module)).resolve("config.json");
      String text = Files.readString(GOLDEN.resolve("embed-mean").resolve(module + "/config.json"));
      Files.writeString(config, text.replace("\"mean\"", '"' + mode + '"'));
    }
    for (String name : List.of("mnrl", "mnrl-tokentune")) {
      String recorded = name.replace("mnrl", mode) + ".safetensors";
      Files.copy(
          GOLDEN.resolve("embed-poolings").resolve(recorded),
          folder.resolve(name + ".safetensors"));
    }
    Parity parity = new Parity(folder);
    assertEquals(2, parity.cases().size());
    for (Path file : parity.cases()) {
      check(parity, file, 5, 1e-5);
    }
  }

  /** Losses, log-probabilities, rewards and gradients of adapters; the base is the reference. */
  @Test
  void preferencesEqualPeft() {
    Parity parity = new Parity(GOLDEN.resolve("dpo-adapter"), GOLDEN.resolve("dpo"));
    assertEquals(2, parity.cases().size());
    for (Path file : parity.cases()) {
      check(parity, file, 19, 1e-5);
    }
  }

  /** Made by {@code acceptance/dora.py}: logits, loss, gradients and merged weights. */
  @ParameterizedTest
  @CsvSource({"llama-dora, 29, 9", "gpt2-dora, 20, 6", "bert-dora, 40, 9"})
  void doraEqualsPeft(String folder, int tensors, int mergedTensors) {
    Parity parity = new Parity(GOLDEN.resolve(folder));
    assertEquals(2, parity.cases().size());
    for (Path file : parity.cases()) {
      boolean merged = file.endsWith("merged.safetensors");
      check(parity, file, merged ? mergedTensors : tensors, merged ? 1e-6 : 1e-5);
    }
  }

  private static void check(Parity parity, Path file, int tensors, double tolerance) {
    for (KernelMode kernelMode : KernelMode.values()) {
      for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
        List<Parity.Row> rows = parity.compare(file, kernelMode, checkpointing);
        double worst = rows.stream().mapToDouble(Parity.Row::error).max().orElseThrow();
        System.out.printf(
            "%-17s %-37s %-6s %-11s %d tensors, largest error %.1e%n",
            file.getParent().getFileName(),
            file.getFileName(),
            kernelMode,
            checkpointing,
            rows.size(),
            worst);
        assertEquals(tensors, rows.size());
        for (Parity.Row row : rows) {
          assertTrue(row.within(tolerance), row.toString());
        }
      }
    }
  }
}
