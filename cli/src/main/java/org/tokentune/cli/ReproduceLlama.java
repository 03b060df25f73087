package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.objectives.Metric;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a decoder on instructions by several methods, and scores its answers to questions. */
@Command(
    name = "llama",
    sortOptions = false,
    description = {
      "Trains a decoder on instructions by several methods, and lets each answer multiple-choice",
      "questions after some examples. The folder gets report.md with a picture for each file of",
      "questions, results.json, and log and result of each training. A comparison that was ended goes",
      "on where it was if the same command is given again."
    },
    footer = {
      "",
      "Example:",
      "  tokentune reproduce llama --model smollm2-135m --data instructions.jsonl --questions arc.jsonl"
    },
    mixinStandardHelpOptions = true)
final class ReproduceLlama implements Callable<Integer> {

  private static final List<FineTuning> METHODS =
      List.of(
          FineTuning.BASE,
          FineTuning.LORA,
          FineTuning.TOKENTUNE_LORA,
          FineTuning.QLORA,
          FineTuning.TOKENTUNE_QLORA);

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      required = true,
      description = "A decoder, as train takes it.")
  private String model;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = "Instructions, as train --task instruct takes them.")
  private String data;

  @Option(
      names = "--questions",
      paramLabel = "FILE[,FILE]",
      split = ",",
      required = true,
      hideParamSyntax = true,
      description = "Questions, as evaluate --task multiple-choice takes them.")
  private List<Path> questions;

  @Option(
      names = "--shots",
      paramLabel = "N",
      defaultValue = "5",
      description = "Questions with their answers before each question; default ${DEFAULT-VALUE}.")
  private int shots;

  @Mixin private MethodRunOptions options;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    options.check();
    if (shots < 0) {
      throw new BadSettingsException("--shots must not be negative, got %d.", shots);
    }
    ObjectNode setup = options.setup(model);
    setup.put("data", data).put("shots", shots);
    List<MethodRuns.Scoring> scorings = new ArrayList<>();
    for (Path file : questions) {
      if (!Files.isRegularFile(file)) {
        throw new BadFileException("--questions '%s' is not a file; check the path.", file);
      }
      String task = MethodRunOptions.task(file.toString());
      if (scorings.stream().anyMatch(scoring -> scoring.task().equals(task))) {
        throw new BadSettingsException(
            "--questions: two files are called %s, and so would be their scores; rename one.",
            task);
      }
      setup.withArray("questions").add(file.toString());
      scorings.add(scoring(task, file));
    }
    List<MethodRuns.Planned> planned = new ArrayList<>();
    for (long seed = 1; seed <= options.seeds(); seed++) {
      for (FineTuning method : options.methods(METHODS)) {
        planned.add(new MethodRuns.Planned(method, seed, training(method), model, scorings));
      }
    }
    return options.compare(spec, "Answers after fine-tuning", setup, planned);
  }

  private MethodRuns.Scoring scoring(String task, Path file) {
    return new MethodRuns.Scoring(
        task,
        Metric.ACCURACY,
        List.of("--task=multiple-choice", "--data=" + file, "--shots=" + shots));
  }

  /** Nothing is trained of the base. */
  private List<String> training(FineTuning method) {
    if (method == FineTuning.BASE) {
      return List.of();
    }
    List<String> training = new ArrayList<>(options.training(method, model));
    training.addAll(List.of("--task=instruct", "--data=" + data));
    return training;
  }
}
