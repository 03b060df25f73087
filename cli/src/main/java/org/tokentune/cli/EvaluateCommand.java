package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.datasets.Example;
import org.tokentune.text.TextModel;
import org.tokentune.train.Scores;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Scores a trained model. */
@Command(
    name = "evaluate",
    sortOptions = false,
    description =
        "Scores a trained model on labelled texts; of a built-in data set on its test part.",
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Folder of a trained model; with --adapter, the base.")
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
      description = "A built-in data set (sentiwordnet), or a .csv, .tsv or .jsonl file.")
  private String data;

  @Mixin private DataOptions dataOptions;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    json.check();
    PrintWriter out = spec.commandLine().getOut();
    List<Example> rows = dataOptions.test(data);
    try (ModelFiles files = Models.open(model);
        TextModel trained =
            adapter == null ? TextModel.open(files) : TextModel.open(files, adapter)) {
      Scores scores = trained.evaluate(rows);
      ScoresReport.print(out, data, scores, trained.labels().names());
      out.flush();
      ObjectNode result = JsonOption.object();
      result.put("model", model).put("data", data);
      ScoresReport.put(result, scores, trained.labels().names());
      json.write(result);
    }
    return 0;
  }
}
