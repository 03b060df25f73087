package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.LoraModel;
import org.tokentune.formats.Gguf;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objectives;
import org.tokentune.zoo.Zoo;

/** README lists every family and what it can do, as the code has it. */
class FamiliesPageTest {

  private static final String BEGIN = "<!-- families: made by FamiliesPageTest -->\n";
  private static final String END = "<!-- end of families -->\n";

  private static String row(String family) {
    ModelConfig config = ModelConfig.read(ConfigFieldsPageTest.read(family));
    TransformerModel model =
        config.model(
            config.causal()
                ? new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST)
                : new Head(Objectives.CLASSIFY, 2, Pooling.FIRST));
    assertFalse(new LoraModel(model, LoraConfig.parse("r=1")).layers().isEmpty());
    String zoo =
        Zoo.list().stream()
            .filter(one -> Zoo.config(one.name()).path("model_type").asText().equals(family))
            .map(one -> "`" + one.name() + "`")
            .collect(Collectors.joining(", "));
    return "| `%s` | yes | %s | %s | %s |\n"
        .formatted(
            family,
            config.causal() ? "yes" : "",
            Gguf.families().contains(family) ? "yes" : "",
            zoo);
  }

  @Test
  void readmeHasEveryFamily() throws IOException {
    StringBuilder text = new StringBuilder(BEGIN);
    text.append(
        "| `model_type` | training: full, selected tokens, LoRA, QLoRA | generation | GGUF | in the"
            + " zoo |\n|---|---|---|---|---|\n");
    ModelConfig.families().forEach(family -> text.append(row(family)));
    GeneratedSection.check(
        Document.HOME.resolve("README.md"), BEGIN, text.append(END).toString(), END);
    System.out.println(ModelConfig.families().size() + " families");
  }
}
