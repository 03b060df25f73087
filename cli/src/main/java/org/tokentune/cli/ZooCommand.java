package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tokentune.Printable;
import org.tokentune.models.ModelConfig;
import org.tokentune.train.StepMemoryReport;
import org.tokentune.zoo.ModelSource;
import org.tokentune.zoo.PretrainedModel;
import org.tokentune.zoo.Zoo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lists, downloads, verifies and deletes models of the zoo. */
@Command(
    name = "zoo",
    description = {
      "Pretrained models by name. A MODEL is a name from the list, hf:owner/name@revision on Hugging",
      "Face's hub, or the URL of a .gguf file or a folder."
    },
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
final class ZooCommand {

  private static final int BATCH = 8;
  private static final int LENGTH = 128;
  private static final String TOKENS = "25%";

  @Spec private CommandSpec spec;

  private static final class ModelParameter {
    @Parameters(paramLabel = "MODEL", description = "A name, hf:owner/name@revision, or a URL.")
    private String name;
  }

  @Command(
      name = "list",
      description =
          "Lists the models: name, kind, parameters, licence, source; * marks those on this machine.",
      mixinStandardHelpOptions = true)
  int list(
      @Option(
              names = "--memory",
              description =
                  "Also plan the memory for tuning all parameters of each, in GB: a batch of 8 texts of 128"
                      + " tokens, AdamW, gradients through 25%% of the tokens.")
          boolean memory,
      @Mixin JsonOption json) {
    json.check();
    PrintWriter out = spec.commandLine().getOut();
    ObjectNode result = JsonOption.object();
    ArrayNode models = result.putArray("models");
    for (PretrainedModel model : Zoo.list()) {
      ObjectNode node = models.addObject();
      describe(node, model);
      out.printf(
          Locale.ROOT,
          "%s %-24s %-10s %9.1fM  ",
          node.path("here").asBoolean() ? "*" : " ",
          model.name(),
          model.json().path("model_type").asText(),
          model.parameters() / 1e6);
      if (memory) {
        long bytes = model.tuningMemory(BATCH, LENGTH, TOKENS).total();
        node.put("tuning_bytes", bytes);
        out.printf(Locale.ROOT, "%7.2f GB  ", bytes / 1e9);
      }
      out.printf(
          Locale.ROOT,
          "%-26s %s%n",
          Printable.line(model.licence()),
          Printable.line(model.source().origin()));
      out.flush();
    }
    json.write(result);
    return 0;
  }

  private static void describe(ObjectNode node, PretrainedModel model) {
    node.put("name", model.name());
    node.put("licence", model.licence());
    node.put("source", model.source().origin());
    node.put("here", model.source().isLocal());
    node.put("parameters", model.parameters());
  }

  @Command(
      name = "info",
      description =
          "Describes a model of the list, and the memory for tuning all its parameters: a batch of"
              + " 8 texts of 128 tokens, AdamW, gradients not clipped. Nothing is downloaded.",
      mixinStandardHelpOptions = true)
  int info(
      @Parameters(paramLabel = "NAME", description = "A name from the list.") String name,
      @Mixin JsonOption json) {
    json.check();
    PrintWriter out = spec.commandLine().getOut();
    PretrainedModel model = Zoo.model(name);
    ModelConfig config = model.config();
    out.printf(Locale.ROOT, "%s%n", model.name());
    line("licence", model.licence());
    line("source", model.source().origin());
    line("here", model.source().isLocal() ? "yes" : "no");
    line(
        "kind",
        model.json().path("model_type").asText() + (config.causal() ? ", decoder" : ", encoder"));
    line("parameters", String.format(Locale.ROOT, "%,d", model.parameters()));
    line("layers", config.layers());
    line("hidden size", config.hidden());
    line("vocabulary", config.vocabulary());
    line("longest text", config.maxPositions());
    ObjectNode result = JsonOption.object();
    describe(result, model);
    result.set("config", model.json());
    Map<String, StepMemoryReport> reports = new LinkedHashMap<>();
    reports.put("all tokens", model.tuningMemory(BATCH, LENGTH, "all"));
    reports.put(TOKENS + " of them", model.tuningMemory(BATCH, LENGTH, TOKENS));
    out.printf(Locale.ROOT, "%nTuning it, MB%n%n%s", StepMemoryReport.table(reports));
    out.flush();
    result.set("all_tokens", reports.get("all tokens").toJson());
    result.set("tokentune", reports.get(TOKENS + " of them").toJson());
    json.write(result);
    return 0;
  }

  private void line(String what, Object value) {
    spec.commandLine()
        .getOut()
        .printf(Locale.ROOT, "  %-14s %s%n", what, Printable.line(value.toString()));
  }

  @Command(
      name = "fetch",
      description = "Downloads a model, or the files of it that have changed.",
      mixinStandardHelpOptions = true)
  int fetch(@Mixin ModelParameter model) {
    DownloadProgress progress = new DownloadProgress(spec.commandLine().getErr());
    print(List.of(Zoo.source(model.name).fetch(progress)));
    return 0;
  }

  @Command(
      name = "verify",
      description =
          "Computes the checksums of a model's files again, and prints them: SHA-256, bytes, path.",
      mixinStandardHelpOptions = true)
  int verify(@Mixin ModelParameter model) {
    print(Zoo.source(model.name).verify());
    return 0;
  }

  @Command(
      name = "remove",
      description = "Deletes a model from this machine, on the hub in all its revisions.",
      mixinStandardHelpOptions = true)
  int remove(@Mixin ModelParameter model) {
    ModelSource source = Zoo.source(model.name);
    print(List.of("Deleted " + source.remove()));
    return 0;
  }

  private void print(List<?> lines) {
    PrintWriter out = spec.commandLine().getOut();
    lines.forEach(out::println);
    out.flush();
  }
}
