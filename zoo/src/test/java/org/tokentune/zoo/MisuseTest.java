package org.tokentune.zoo;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.testing.Misuses;

/** What comes out of names that are no model's. */
class MisuseTest {

  @Test
  void isRefused(@TempDir Path folder) {
    new Misuses(BadInputException.class)
        .refuses("Zoo.load(null)", "name", () -> Zoo.load(null))
        .refuses("Zoo.load(\"\")", "nearest", () -> Zoo.load(""))
        .refuses("Zoo.load(\"gtp2\")", "gpt2", () -> Zoo.load("gtp2"))
        .refuses("Zoo.load(.., listener null)", "listener", () -> Zoo.load("gpt2", null))
        .refuses("Zoo.load(an empty folder)", "config.json", () -> Zoo.load(folder.toString()))
        .refuses("Zoo.load(\"hf:\")", "hf:owner/name", () -> Zoo.load("hf:"))
        .refuses("Zoo.load(\"http://\")", "URL", () -> Zoo.load("http://"))
        .refuses("Zoo.model(\"no\\0name\")", "nearest", () -> Zoo.model("no\0name"))
        .refuses("Zoo.config(null)", "name", () -> Zoo.config(null))
        .refuses(
            "PretrainedModel.tuningMemory(-1, ..)",
            "batch",
            () -> Zoo.model("gpt2").tuningMemory(-1, 32, "25%"))
        .refuses(
            "PretrainedModel.tuningMemory(.., length 0, ..)",
            "length",
            () -> Zoo.model("gpt2").tuningMemory(1, 0, "25%"))
        .refuses(
            "PretrainedModel.tuningMemory(.., tokens null)",
            "tokens",
            () -> Zoo.model("gpt2").tuningMemory(1, 32, null))
        .check();
  }
}
