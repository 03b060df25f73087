package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadSettingsException;
import org.tokentune.text.TuningSettings;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Options of comparisons of trained methods. */
final class MethodRunOptions {

  /** How much larger rates of adapters are, as a rule: Schulman et al., "LoRA Without Regret". */
  private static final double LORA_RATE = 10;

  private static final List<String> OWN =
      List.of(
          "config",
          "data",
          "json",
          "learning-rate",
          "lora",
          "model",
          "output",
          "overwrite",
          "resume",
          "seed",
          "tokens",
          "weights");

  @Option(
      names = "--methods",
      paramLabel = "NAME[,NAME]",
      split = ",",
      hideParamSyntax = true,
      description =
          "Of base (untrained), full, tokentune, lora, tokentune+lora, qlora, tokentune+qlora.")
  private List<FineTuning> methods = List.of();

  @Option(
      names = "--tokens",
      paramLabel = "25%|32|span:25%",
      description =
          "Tokens that carry gradient in methods with tokentune; default ${DEFAULT-VALUE}.")
  private String tokens = TuningSettings.defaults().tokens();

  @Option(
      names = "--lora",
      paramLabel = "SETTINGS",
      description = "Adapters, as train --lora has them; default ${DEFAULT-VALUE}.")
  private String lora = "r=8,alpha=16";

  @Option(
      names = "--learning-rate",
      paramLabel = "RATE",
      description = "Of methods without adapters; default ${DEFAULT-VALUE}.")
  private double rate = 5e-5;

  @Option(
      names = "--lora-learning-rate",
      paramLabel = "RATE",
      description = "Of methods with adapters; default ten times --learning-rate.")
  private Double loraRate;

  @Option(
      names = ConfigFile.OPTION,
      paramLabel = "FILE",
      description = "Further options of train in a YAML file, for all trainings.")
  private Path config;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      description =
          "Trainings of each method on each task, with seeds from 1; default ${DEFAULT-VALUE}.")
  private int seeds = 3;

  @Option(
      names = "--budget",
      paramLabel = "1h30m",
      description = {
        "No training begins that would not end in this time, judging by the longest of its task so",
        "far; those before it was resumed count. Default: no limit."
      })
  private String budget;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      defaultValue = "tokentune-methods",
      description = "Folder of the result; default ${DEFAULT-VALUE}.")
  private Path output;

  @Mixin private JsonOption json;

  /** Reports bad options. */
  void check() {
    json.check();
    if (seeds < 1) {
      throw new BadSettingsException("--seeds must be at least 1, got %d.", seeds);
    }
    if (!(rate > 0) || !(rate(true) > 0)) {
      throw new BadSettingsException(
          "Learning rates must be positive, got %s and %s.", rate, rate(true));
    }
    Budget.of(budget);
  }

  /** The methods that are compared. */
  List<FineTuning> methods(List<FineTuning> usual) {
    return methods.isEmpty() ? usual : methods.stream().distinct().toList();
  }

  int seeds() {
    return seeds;
  }

  /** What all trainings of a model have in common. */
  ObjectNode setup(String model) {
    ObjectNode setup = JsonOption.object();
    setup.put("model", model).put("tokens", tokens).put("lora", lora);
    setup.put("learning_rate", rate).put("lora_learning_rate", rate(true));
    setup.set("options", further());
    return setup;
  }

  private double rate(boolean adapters) {
    if (!adapters) {
      return rate;
    }
    return loraRate == null ? LORA_RATE * rate : loraRate;
  }

  /** Options of train from the file. */
  private ObjectNode further() {
    if (config == null) {
      return JsonOption.object();
    }
    ObjectNode options = ConfigFile.read(config);
    for (String own : OWN) {
      if (options.has(own)) {
        throw new BadSettingsException(
            "%s: %s is set by reproduce; leave it out of the file.", config, own);
      }
    }
    return options;
  }

  /** The name of a task whose rows are in a file or have a name, as files can have it, too. */
  static String task(String data) {
    return Path.of(data)
        .getFileName()
        .toString()
        .replaceAll("\\.[A-Za-z]+$", "")
        .replaceAll("[^\\p{L}\\p{N}._-]", "_");
  }

  /** Arguments of train for a method on a model, without data, seed and output. */
  List<String> training(FineTuning method, String model) {
    List<String> arguments = new ArrayList<>(List.of("--model=" + model));
    arguments.addAll(method.options(tokens, lora));
    arguments.add("--learning-rate=" + rate(method.adapters()));
    if (config != null) {
      arguments.add(ConfigFile.OPTION + "=" + config);
    }
    return arguments;
  }

  /**
   * Trains what is planned, and reports.
   *
   * @param setup what decides the scores of all of them
   * @return an exit code
   */
  int compare(CommandSpec spec, String title, ObjectNode setup, List<MethodRuns.Planned> planned) {
    PrintWriter out = spec.commandLine().getOut();
    MethodRuns runs = new MethodRuns(output, setup, Budget.of(budget));
    boolean whole = runs.run(planned, out);
    MethodReport report = new MethodReport(title, setup, runs.done());
    report.print(out);
    report.write(output);
    json.write(runs.state());
    out.printf(Locale.ROOT, "%nThe page is in %s%n", output.resolve(MethodReport.PAGE));
    out.flush();
    return whole ? 0 : LoggedCommand.INTERRUPTED;
  }
}
