package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.tokentune.BadSettingsException;
import org.tokentune.Printable;
import org.tokentune.datasets.Example;
import org.tokentune.formats.GenerationConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.generate.Generation;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.GeneratedText;
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

  @Option(
      names = "--model",
      paramLabel = "PATH",
      required = true,
      description = "A Hugging Face folder, a .gguf file, or a folder with llama2.c's .bin.")
  private String model;

  @Mixin private AppliedAdapters adapters;
  @Mixin private StoredWeights weights;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "The text to continue; default: begin one.")
  private String prompt;

  @Option(
      names = "--input",
      paramLabel = "FILE",
      description = {
        "A .csv, .tsv or .jsonl file of prompts in place of --prompt: prints a line for every text, in",
        "their order, line breaks as \\n."
      })
  private String input;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = {
        "Prompts of --input that are continued side by side: keys and values of all of them are held;",
        "default ${DEFAULT-VALUE}. Does not change the texts."
      })
  private int batchSize = 8;

  @Mixin private DataOptions data;
  @Mixin private GenerationOptions generation;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    json.check();
    if (input != null && prompt != null) {
      throw new BadSettingsException("--input has the prompts; leave --prompt out.");
    }
    if (batchSize < 1) {
      throw new BadSettingsException("--batch-size must be at least 1, got %d.", batchSize);
    }
    Models.checkSupports(model, Objectives.CAUSAL_LM);
    try (ModelFiles files = Models.open(model);
        LanguageModel decoder = LanguageModel.open(files, null, weights.storage())) {
      adapters.putOn(decoder);
      GenerationSettings settings =
          generation.settings(
              GenerationConfig.read(files.companions()), decoder.tokenizer().ends());
      ObjectNode result = JsonOption.object();
      result.put("model", model);
      if (input == null) {
        single(decoder, settings, result);
      } else {
        batches(decoder, settings, result.putArray("texts"));
      }
      json.write(result);
    }
    return 0;
  }

  /** Prints a text as it comes. */
  private void single(LanguageModel decoder, GenerationSettings settings, ObjectNode result) {
    PrintWriter out = spec.commandLine().getOut();
    StringBuilder text = new StringBuilder();
    String begun = prompt == null ? "" : prompt;
    Generation made =
        decoder.generate(
            begun,
            settings,
            piece -> {
              text.append(piece);
              out.print(Printable.lines(piece));
              out.flush();
            });
    out.println();
    out.flush();
    warnOfContext(made, decoder);
    put(result, begun, new GeneratedText(text.toString(), made));
  }

  private void batches(LanguageModel decoder, GenerationSettings settings, ArrayNode texts) {
    PrintWriter out = spec.commandLine().getOut();
    List<String> prompts = data.unlabelled(input).stream().map(Example::text).toList();
    for (int from = 0; from < prompts.size(); from += batchSize) {
      List<String> batch = prompts.subList(from, Math.min(from + batchSize, prompts.size()));
      List<GeneratedText> made = decoder.generate(batch, settings);
      for (int i = 0; i < batch.size(); i++) {
        out.println(Printable.line(made.get(i).text()));
        out.flush();
        warnOfContext(made.get(i).generation(), decoder);
        put(texts.addObject(), batch.get(i), made.get(i));
      }
    }
  }

  private void warnOfContext(Generation made, LanguageModel decoder) {
    if (made.end() == Generation.End.CONTEXT) {
      spec.commandLine()
          .getErr()
          .printf(
              Locale.ROOT, "The text is as long as the model's %d tokens.%n", decoder.maxLength());
    }
  }

  private static void put(ObjectNode node, String prompt, GeneratedText made) {
    node.put("prompt", prompt).put("text", made.text());
    ArrayNode ids = node.putArray("ids");
    Arrays.stream(made.generation().ids()).forEach(ids::add);
    node.put("end", made.generation().end().name().toLowerCase(Locale.ROOT));
  }
}
