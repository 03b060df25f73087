package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Exit codes, on the core's golden folders. */
class ParityCommandTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");

  @TempDir Path folder;

  private static int parity(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "parity";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return TokenTune.run(all);
  }

  @Test
  void exitsWith0WhereEverythingAgrees() {
    assertEquals(0, parity(GOLDEN.resolve("bert-regression").toString()));
  }

  @Test
  void findsTheBaseOfAdapters() throws IOException {
    Path adapters = GOLDEN.resolve("llama-lora");
    assertEquals(0, parity(adapters.toString()));
    for (String file :
        new String[] {"adapter_config.json", "adapter_model.safetensors", "merged.safetensors"}) {
      Files.copy(adapters.resolve(file), folder.resolve(file));
    }
    assertEquals(1, parity(folder.toString()));
    assertEquals(0, parity("--base", GOLDEN.resolve("llama").toString(), folder.toString()));
    Path config = folder.resolve("adapter_config.json");
    String text = Files.readString(config);
    for (String base : new String[] {GOLDEN.resolve("llama").toString(), "all-minilm-l6-v2"}) {
      Files.writeString(config, text.replace("\"../llama\"", '"' + base + '"'));
      // The second is found in the zoo, and is no Llama.
      assertEquals(base.equals("all-minilm-l6-v2") ? 1 : 0, parity(folder.toString()));
    }
  }

  @Test
  void exitsWith1WhereATensorExceedsTheTolerance() {
    assertEquals(1, parity("--tolerance", "1e-9", GOLDEN.resolve("bert-regression").toString()));
  }

  @Test
  void exitsWith1WithoutAModel() {
    assertEquals(1, parity(folder.toString()));
  }

  @Test
  void exitsWith2WithoutACase() throws IOException {
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(GOLDEN.resolve("bert").resolve(file), folder.resolve(file));
    }
    assertEquals(2, parity(folder.toString()));
  }

  @Test
  void exitsWith2ForWrongUsage() {
    assertEquals(2, parity());
    assertEquals(2, parity("--tolerance", "small", folder.toString()));
  }
}
