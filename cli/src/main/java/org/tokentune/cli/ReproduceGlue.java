package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.GlueTask;
import org.tokentune.objectives.Metric;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains an encoder by several methods, on tasks of GLUE or on one's own data. */
@Command(
    name = "glue",
    sortOptions = false,
    description = {
      "Trains an encoder by several methods on tasks of GLUE, or on data of your own, and compares",
      "scores, memory and time. Scores are those of the test rows, or of the validation rows where a",
      "task has no others. The folder gets report.md with a picture for each task, results.json, and",
      "log and result of each training. A comparison that was ended goes on where it was if the same",
      "command is given again."
    },
    footer = {
      "",
      "Examples:",
      "  tokentune reproduce glue --data glue_data --model bert-base-uncased --seeds 3 --budget 2h",
      "  tokentune reproduce glue --data reviews.csv --config columns.yaml --methods full,tokentune"
    },
    mixinStandardHelpOptions = true)
final class ReproduceGlue implements Callable<Integer> {

  private static final List<FineTuning> METHODS =
      List.of(FineTuning.FULL, FineTuning.TOKENTUNE, FineTuning.LORA, FineTuning.TOKENTUNE_LORA);

  @Option(
      names = "--data",
      paramLabel = "DIR|FILE|NAME",
      required = true,
      description = {
        "A folder with folders of GLUE's tasks, named as the tasks are (RTE or rte, SST-2 or sst2), or",
        "data that train takes."
      })
  private String data;

  @Option(
      names = "--tasks",
      paramLabel = "NAME[,NAME]",
      split = ",",
      hideParamSyntax = true,
      description = "Tasks of GLUE; default: those in the folder.")
  private List<String> tasks = List.of();

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      defaultValue = "bert-base-uncased",
      description = "An encoder, as train takes it; default ${DEFAULT-VALUE}.")
  private String model;

  @Mixin private MethodRunOptions options;

  @Option(
      names = "--metric",
      paramLabel = "METRIC",
      description = {
        "The score of your own data; default accuracy. Of GLUE's tasks it is F1 where GLUE reports it,",
        "Matthews' or Spearman's correlation, otherwise accuracy."
      })
  private Metric metric;

  @Spec private CommandSpec spec;

  /** Data of a task, as train takes it, and the score. */
  private record TaskData(String data, Metric metric) {}

  @Override
  public Integer call() {
    options.check();
    Map<String, TaskData> chosen = tasks();
    List<MethodRuns.Planned> planned = new ArrayList<>();
    for (long seed = 1; seed <= options.seeds(); seed++) {
      for (Map.Entry<String, TaskData> task : chosen.entrySet()) {
        for (FineTuning method : options.methods(METHODS)) {
          planned.add(planned(task.getKey(), task.getValue(), method, seed));
        }
      }
    }
    ObjectNode setup = options.setup(model);
    setup.put("data", DataOptions.shown(data)).put("metric", metric == null ? null : metric.name());
    return options.compare(spec, "Fine-tuning methods compared", setup, planned);
  }

  private MethodRuns.Planned planned(String task, TaskData of, FineTuning method, long seed) {
    if (method == FineTuning.BASE) {
      throw new BadSettingsException(
          "--methods: an encoder has no head for a task before it is trained; leave base out.");
    }
    List<String> training = options.training(method, model);
    training.add("--data=" + of.data());
    return new MethodRuns.Planned(
        method,
        seed,
        training,
        model,
        List.of(new MethodRuns.Scoring(task, of.metric(), List.of())));
  }

  private Map<String, TaskData> tasks() {
    Path folder = Models.path(data);
    Map<String, TaskData> found = new LinkedHashMap<>();
    List<String> names =
        tasks.stream().map(name -> GlueTask.named(name).map(GlueTask::name).orElse(name)).toList();
    if (folder != null && Files.isDirectory(folder)) {
      for (GlueTask task : GlueTask.ALL) {
        find(folder, task)
            .filter(path -> names.isEmpty() || names.contains(task.name()))
            .ifPresent(path -> found.put(task.name(), ofGlue(task, path)));
      }
    }
    for (String task : names) {
      if (!found.containsKey(task)) {
        throw new BadSettingsException(
            "--tasks: %s has no folder of %s with train.tsv; check the name and the path.",
            data, task);
      }
    }
    if (found.isEmpty()) {
      found.put(
          MethodRunOptions.task(data),
          new TaskData(data, metric == null ? Metric.ACCURACY : metric));
    } else if (metric != null) {
      throw new BadSettingsException("--metric is for your own data; leave it out for GLUE's.");
    }
    return found;
  }

  private static TaskData ofGlue(GlueTask task, Path folder) {
    return new TaskData(task.name() + "=" + folder, task.metrics().get(task.metrics().size() - 1));
  }

  /** The folder of a task. */
  private static Optional<Path> find(Path folder, GlueTask task) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> Files.exists(entry.resolve("train.tsv")))
          .filter(
              entry ->
                  GlueTask.named(entry.getFileName().toString())
                      .filter(of -> of.name().equals(task.name().replaceFirst("-mm$", "")))
                      .isPresent())
          .sorted()
          .findFirst();
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", folder, e.getMessage());
    }
  }
}
