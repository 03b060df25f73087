package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportCommandTest {

  private static final Path TINY =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  @TempDir private Path folder;

  @Test
  void writesAFileThatIsRead() {
    Path file = folder.resolve("tiny.gguf");
    Run made =
        Run.of("export", "--model", TINY, "--to", "GGUF", "--type", "q8_0", "--output", file);
    System.out.println(made.printed());
    assertEquals(0, made.code(), made.printed());
    assertTrue(made.printed().contains("llama, q8_0; 20 tensors (5 in f32, 15 in q8_0)"));
    Run text =
        Run.of(
            "generate", "--model", file, "--prompt", "The", "--temperature", 0, "--max-tokens", 4);
    assertEquals(0, text.code(), text.printed());
  }

  @Test
  void saysWhatIsWrong() {
    says("--type must be one of [f32, f16, bf16, q8_0, q4_k], got q3_k.", "--type", "q3_k");
    says("cannot be written", "--output", folder.resolve("none/x.gguf"));
    says("cannot be written", "--output", "/dev/full");
    says("has no adapter_config.json", "--adapter", folder);
  }

  @Test
  void theHubNeedsARepository() {
    for (String options :
        List.of("--to hub", "--to hub a/b --output x", "--to gguf a/b --output x", "--to gguf")) {
      Run run =
          Run.of(
              Stream.concat(
                      Stream.of("export", "--model", folder), Stream.of(options.split(" ", -1)))
                  .toArray());
      System.out.println(run.printed());
      assertEquals(1, run.code(), run.printed());
      assertTrue(
          run.printed().contains(options.contains("hub") ? "needs OWNER/NAME" : "needs --output"));
    }
    Run run = Run.of("export", "--model", folder, "--to", "hub", "owner/name");
    System.out.println(run.printed());
    assertTrue(run.printed().contains("is no folder of a model or of adapters"), run.printed());
  }

  private void says(String part, Object... options) {
    Object[] arguments = new Object[7 + options.length];
    Object[] usual = {
      "export", "--model", TINY, "--to", "gguf", "--output", folder.resolve("x.gguf")
    };
    System.arraycopy(usual, 0, arguments, 0, usual.length);
    System.arraycopy(options, 0, arguments, usual.length, options.length);
    if (options[0].equals("--output")) {
      arguments[6] = options[1];
      arguments = java.util.Arrays.copyOf(arguments, 7);
    }
    Run run = Run.of(arguments);
    System.out.println(run.printed());
    assertEquals(1, run.code(), run.printed());
    assertTrue(run.printed().contains(part), run.printed());
    assertEquals(0, folder.toFile().list().length, "nothing half-written");
    assertTrue(Files.isDirectory(folder));
  }
}
