package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.tokentune.datasets.Example;
import org.tokentune.formats.ModelFiles;
import org.tokentune.text.SentenceEncoder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Embeds texts. */
@Command(
    name = "embed",
    sortOptions = false,
    description = {
      "Turns texts into vectors as sentence-transformers does, by the model's modules.json; without",
      "one a vector is the mean of the encoder's last hidden states, normalised.",
      "Prints a JSON array for every text, in their order."
    },
    mixinStandardHelpOptions = true)
final class EmbedCommand implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      defaultValue = "all-minilm-l6-v2",
      description = "A model of the zoo, an address or a folder; default ${DEFAULT-VALUE}.")
  private String model;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = {
        "Cut texts to N tokens; default: to those of the model's sentence-transformers settings;",
        "without these, texts longer than the model are an error."
      })
  private Integer maxLength;

  @Option(
      names = "--prompt",
      paramLabel = "NAME|TEXT",
      description = {
        "Put one of the model's prompts before every text, by its name, or this text; default: the",
        "model's default prompt, if it has one."
      })
  private String prompt;

  @Mixin private StoredWeights weights;
  @Mixin private InputTexts input;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    json.check();
    PrintWriter out = spec.commandLine().getOut();
    List<String> texts = input.rows().stream().map(Example::text).toList();
    try (ModelFiles files = Models.open(model);
        SentenceEncoder encoder = SentenceEncoder.open(files, maxLength, weights.storage())) {
      List<float[]> vectors = encoder.embed(texts, prompt);
      ObjectNode result = JsonOption.object();
      result.put("model", model);
      ArrayNode all = result.putArray("embeddings");
      for (int i = 0; i < texts.size(); i++) {
        out.println(Arrays.toString(vectors.get(i)));
        ObjectNode node = all.addObject();
        node.put("text", texts.get(i));
        ArrayNode values = node.putArray("vector");
        for (float value : vectors.get(i)) {
          values.add(value);
        }
      }
      out.flush();
      json.write(result);
    }
    return 0;
  }
}
