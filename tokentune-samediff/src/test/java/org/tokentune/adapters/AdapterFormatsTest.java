package org.tokentune.adapters;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tokentune.train.Parity;

/** Adapters as PEFT writes them, with its logits: made by acceptance/peft_fixtures.py. */
class AdapterFormatsTest {

  static final Path PEFT = Path.of("src/test/resources/peft");

  static List<String> folders() throws IOException {
    try (Stream<Path> entries = Files.list(PEFT)) {
      return entries
          .filter(AdapterFolder::isOne)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("folders")
  void equalsPeft(String name) {
    Parity parity = new Parity(PEFT.resolve(name));
    for (Path file : parity.cases()) {
      for (Parity.Row row : parity.compare(file)) {
        boolean merged = file.endsWith("merged.safetensors");
        System.out.printf("%s %s %.1e%n", name, row.tensor(), row.error());
        assertTrue(row.within(merged ? 1e-6 : 1e-5), row.toString());
      }
    }
  }
}
