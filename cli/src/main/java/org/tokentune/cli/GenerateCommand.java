package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.tokentune.Printable;
import org.tokentune.formats.GenerationConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.generate.Generation;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.LanguageModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Continues texts. */
@Command(
    name = "generate",
    sortOptions = false,
    description = {
      "Continues a text with a decoder. Prints the new text as it comes, and nothing else."
    },
    mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {

  private static final GenerationSettings DEFAULTS = GenerationSettings.defaults();

  @Option(
      names = "--model",
      paramLabel = "PATH",
      required = true,
      description = "A Hugging Face folder, a .gguf file, or a folder with llama2.c's .bin.")
  private String model;

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description = "Adapters on the model: a folder that train --lora wrote, or PEFT.")
  private Path adapter;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "The text to continue; default: begin one.")
  private String prompt;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = {
        "Logits are divided by it; 0: the most probable token. Default: what the model's",
        "generation_config.json says, 0 where do_sample is false there; else 0.8."
      })
  private Double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = {
        "Draw from the K most probable tokens only; 0: from all. Default: what",
        "generation_config.json says; else all."
      })
  private Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = {
        "Of these, draw from the fewest whose probabilities add up to P; 1: all. Default: what",
        "generation_config.json says; else 0.95."
      })
  private Double topP;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed draws the same text; default ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "256",
      description = "The largest number of new tokens; default ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    json.check();
    Models.checkSupports(model, Objectives.CAUSAL_LM);
    PrintWriter out = spec.commandLine().getOut();
    try (ModelFiles files = Models.open(model);
        LanguageModel decoder = LanguageModel.open(files, null)) {
      if (adapter != null) {
        decoder.openAdapter(adapter);
      }
      GenerationSettings settings =
          settings(GenerationConfig.read(files.companions()), decoder.tokenizer().ends());
      StringBuilder text = new StringBuilder();
      Generation generation =
          decoder.generate(
              prompt,
              settings,
              piece -> {
                text.append(piece);
                out.print(Printable.lines(piece));
                out.flush();
              });
      out.println();
      out.flush();
      if (generation.end() == Generation.End.CONTEXT) {
        spec.commandLine()
            .getErr()
            .printf(
                Locale.ROOT,
                "The text is as long as the model's %d tokens.%n",
                decoder.maxLength());
      }
      ObjectNode result = JsonOption.object();
      result.put("model", model).put("prompt", prompt).put("text", text.toString());
      ArrayNode ids = result.putArray("ids");
      Arrays.stream(generation.ids()).forEach(ids::add);
      result.put("end", generation.end().name().toLowerCase(Locale.ROOT));
      json.write(result);
    }
    return 0;
  }

  /** Options take precedence over the model's file, which takes precedence over the defaults. */
  private GenerationSettings settings(GenerationConfig model, Set<Integer> ends) {
    boolean greedy =
        Boolean.FALSE.equals(model.sampled())
            && temperature == null
            && topK == null
            && topP == null;
    double warmth = greedy ? 0 : first(temperature, model.temperature(), DEFAULTS.temperature());
    return DEFAULTS
        .withTemperature(warmth)
        .withTopK(first(topK, model.topK(), DEFAULTS.topK()))
        .withTopP(first(topP, model.topP(), DEFAULTS.topP()))
        .withSeed(seed)
        .withMaxTokens(maxTokens)
        .withEnds(ends);
  }

  private static <T> T first(T option, T model, T otherwise) {
    return option != null ? option : model != null ? model : otherwise;
  }
}
