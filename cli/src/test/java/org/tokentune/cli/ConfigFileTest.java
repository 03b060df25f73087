package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");

  @TempDir private Path folder;

  @BeforeEach
  void makeBase() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    Files.writeString(
        folder.resolve("rows.tsv"),
        "words\tmood\n" + "the good cat\tgood\nthe bad dog ran\tbad\n".repeat(20));
  }

  private Path config(String lines) throws IOException {
    return Files.writeString(
        folder.resolve("run.yaml"),
        "model: %s\ndata: %s\n%s\n"
            .formatted(folder.resolve("base"), folder.resolve("rows.tsv"), lines));
  }

  @Test
  void aRunIsRepeatedFromTheFileThatItSaved() throws IOException {
    Path first = folder.resolve("first");
    Path config =
        config(
            """
            text: [words]
            label: mood
            epochs: 9
            batch-size: 4
            learning-rate: 1e-3
            optimizer: lion
            tokens: 50%
            lr-for: {head: 10, "bert.encoder.layer.0.*": 0.5}
            seed: 7""");
    Run run = Run.of("train", "--config", config, "--epochs", 2, "--output", first);
    assertEquals(0, run.code(), run.printed());
    assertTrue(run.printed().contains("tokens 50%, lion, seed 7"), run.printed());
    assertTrue(run.printed().contains("of 18:"), run.printed()); // 36 rows, 2 epochs of 9 steps
    System.out.println(Files.readString(first.resolve(ConfigFile.EFFECTIVE)));

    Path second = folder.resolve("second");
    Run again =
        Run.of("train", "--config=" + first.resolve("run.yaml"), "--output", second.toString());
    assertEquals(0, again.code(), again.printed());
    assertArrayEquals(
        Files.readAllBytes(first.resolve("model.safetensors")),
        Files.readAllBytes(second.resolve("model.safetensors")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "epoch: 3; run.yaml: train has no option epoch",
        "config: x.yaml; run.yaml: train has no option config",
        "stream: 3; run.yaml: stream cannot be 3",
        "epochs: ; run.yaml: epochs cannot be",
        "'epochs: [1'; run.yaml is not valid YAML",
        "'model: x'; run.yaml is not valid YAML: Duplicate field",
        "epochs: three; Invalid value for option '--epochs'"
      })
  void saysWhatIsWrong(String line, String message) throws IOException {
    Run run = Run.of("train", "--config", config(line), "--output", folder.resolve("none"));
    System.out.print(run.printed());
    assertTrue(run.printed().contains(message), run.printed());
    assertTrue(run.code() != 0);
    assertTrue(Files.notExists(folder.resolve("none")));
  }

  @Test
  void saysWhatIsWrongWithTheFile() throws IOException {
    Path latin = Files.write(folder.resolve("latin.yaml"), new byte[] {(byte) 0xff, ':', ' ', '1'});
    Path list = Files.writeString(folder.resolve("list.yaml"), "- 1\n- 2\n");
    assertRefused(1, "none.yaml' is not a file", "--config", folder.resolve("none.yaml"));
    assertRefused(1, folder + "' is not a file", "--config", folder);
    assertRefused(1, "latin.yaml is not text in UTF-8", "--config", latin);
    assertRefused(1, "list.yaml is not a list of options", "--config", list);
    assertRefused(2, "option '--config'", "--config", "--epochs", 2);
  }

  private static void assertRefused(int code, String message, Object... options) {
    Run run = Run.of(Stream.concat(Stream.of("train"), Stream.of(options)).toArray());
    assertEquals(code, run.code());
    assertTrue(run.printed().contains(message), run.printed());
  }
}
