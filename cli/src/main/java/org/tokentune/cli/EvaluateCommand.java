package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Instructions;
import org.tokentune.datasets.PromptTemplate;
import org.tokentune.datasets.TextBlocks;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.models.ModelConfig;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.TextModel;
import org.tokentune.train.Scores;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Scores a trained model, or any decoder. */
@Command(
    name = "evaluate",
    sortOptions = false,
    description =
        "Scores a trained model on labelled texts, of a built-in data set on its test part; or a"
            + " decoder by its perplexity on plain text, or on answers to instructions.",
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description =
          "Folder of a trained model, or any decoder that train takes; with --adapter, the base.")
  private String model;

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description = "Adapters on the model: a folder that train --lora wrote, or PEFT.")
  private Path adapter;

  @Option(
      names = "--data",
      paramLabel = "NAME|FILE",
      required = true,
      description =
          "A built-in data set (sentiwordnet), or a .csv, .tsv or .jsonl file; for decoders plain"
              + " text, or a .jsonl file of instructions.")
  private String data;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      defaultValue = "128",
      description =
          "Of decoders: tokens of a block of plain text, or of an instruction with its answer, which"
              + " are cut to it; default ${DEFAULT-VALUE}.")
  private int maxLength;

  @Option(
      names = "--template",
      paramLabel = "alpaca|chatml|plain",
      defaultValue = "alpaca",
      description = "How instructions are written; default ${DEFAULT-VALUE}.")
  private String template;

  @Mixin private DataOptions dataOptions;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    json.check();
    try (ModelFiles files = Models.open(model)) {
      boolean decoder = ModelConfig.read(files.config(), files.name()).causal();
      return decoder ? decoder(files) : trained(files);
    }
  }

  private int trained(ModelFiles files) {
    List<Example> rows = dataOptions.test(data);
    try (TextModel trained =
        adapter == null ? TextModel.open(files) : TextModel.open(files, adapter)) {
      return report(trained.evaluate(rows), trained.labels().names());
    }
  }

  private int decoder(ModelFiles files) {
    PromptTemplate prompts = PromptTemplate.named(template);
    Path file = Path.of(data);
    try (LanguageModel language = LanguageModel.open(files, null)) {
      if (adapter != null) {
        language.openAdapter(adapter);
      }
      List<TokenBatches.Row> rows =
          data.endsWith(".jsonl")
              ? Instructions.rows(Instructions.read(file), prompts, language.tokenizer(), maxLength)
              : TextBlocks.cut(TextBlocks.tokens(file, language.tokenizer()), maxLength);
      return report(language.evaluate(rows), List.of());
    }
  }

  private int report(Scores scores, List<String> labels) {
    PrintWriter out = spec.commandLine().getOut();
    ScoresReport.print(out, data, scores, labels);
    out.flush();
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("data", data);
    ScoresReport.put(result, scores, labels);
    json.write(result);
    return 0;
  }
}
