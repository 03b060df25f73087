package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.bench.MethodPlanner;
import org.tokentune.bench.TuningMethod;
import org.tokentune.files.ModelWriter;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.select.RandomTokens;
import org.tokentune.train.StepMemoryPlanner;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Plans methods over the share of tokens that carry gradient, and over the batch size. */
@Command(
    name = "memory",
    sortOptions = false,
    description = {
      "Plans the memory of fine-tuning by several methods over the share of the tokens that carry",
      "gradient, and over the batch size: weights, gradients, optimizer state and the step, in MB of",
      "10^6 bytes. Needs neither weights nor data, and trains nothing: a training takes what is",
      "planned. The folder gets report.md with two pictures, and results.json."
    },
    footer = {
      "",
      "Example:",
      "  tokentune reproduce memory --model bert-base-uncased --length 512 --shares 6,12,25,50,100"
    },
    mixinStandardHelpOptions = true)
final class ReproduceMemory implements Callable<Integer> {

  private static final int ALL = 100;

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR|FILE",
      defaultValue = "bert-base-uncased",
      description = "A model as memory takes it; default ${DEFAULT-VALUE}.")
  private String model;

  @Option(
      names = "--length",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens of every text; default ${DEFAULT-VALUE}.")
  private int length;

  @Option(
      names = "--shares",
      paramLabel = "PERCENT[,PERCENT]",
      split = ",",
      hideParamSyntax = true,
      defaultValue = "12,25,50,75,100",
      description = "Tokens that carry gradient, in percent; default ${DEFAULT-VALUE}.")
  private List<Integer> shares;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = "32",
      description = "Texts a step, where the share varies; default ${DEFAULT-VALUE}.")
  private int batchSize;

  @Option(
      names = "--batch-sizes",
      paramLabel = "N[,N]",
      split = ",",
      hideParamSyntax = true,
      defaultValue = "1,8,16,32,64",
      description = "Texts a step, where the share does not vary; default ${DEFAULT-VALUE}.")
  private List<Integer> batchSizes;

  @Option(
      names = "--share",
      paramLabel = "PERCENT",
      defaultValue = "25",
      description = "The share where the batch size varies; default ${DEFAULT-VALUE}.")
  private int share;

  @Option(
      names = "--lora",
      paramLabel = "SETTINGS",
      defaultValue = "r=8",
      description = "Adapters, as train --lora has them; default ${DEFAULT-VALUE}.")
  private String lora;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      defaultValue = "tokentune-memory",
      description = "Folder of the result; default ${DEFAULT-VALUE}.")
  private Path output;

  @Mixin private OptimizerOptions optimizer;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  /**
   * Memory of methods over a number.
   *
   * @param title what varies
   * @param axis what the numbers are
   * @param numbers such as batch sizes
   * @param bytes of each method at each number
   */
  private record Sweep(
      String name, String title, String axis, List<Integer> numbers, Map<String, long[]> bytes) {}

  @Override
  public Integer call() {
    try {
      return plan();
    } catch (BadInputException e) {
      // All input is on the command line, so bad input is wrong usage.
      throw new ParameterException(spec.commandLine(), SettingOptions.message(e, spec), e);
    }
  }

  private int plan() {
    json.check();
    check();
    TransformerModel base = base(Models.config(model));
    MethodPlanner planner =
        new MethodPlanner(
            base,
            LoraConfig.parse(lora).withHead(base),
            optimizer.settings(0, 1, Map.of()), // decay and rates take no memory
            false,
            ActivationPrecision.FLOAT32,
            false);
    List<Sweep> sweeps = List.of(overShares(planner), overBatches(planner));
    PrintWriter out = spec.commandLine().getOut();
    ModelWriter.checkWritable(output);
    try {
      Files.createDirectories(output);
      StringBuilder page = new StringBuilder("# Planned memory\n");
      for (Sweep sweep : sweeps) {
        out.printf(Locale.ROOT, "%s%n%s%n", sweep.title(), table(sweep, "%12s", "%12.1f", ""));
        new OutputFile(output.resolve(sweep.name() + ".png")).write(chart(sweep)::write);
        page.append("\n## ").append(sweep.title()).append("\n\n");
        page.append(table(sweep, " %s |", " %.1f |", "|"));
        page.append("\n![MB](").append(sweep.name()).append(".png)\n");
      }
      new OutputFile(output.resolve(MethodReport.PAGE))
          .write(to -> to.write(page.toString().getBytes(UTF_8)));
      ObjectNode result = result(sweeps);
      new OutputFile(output.resolve("results.json"))
          .write(to -> to.write(result.toPrettyString().getBytes(UTF_8)));
      json.write(result);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", output, e.getMessage());
    }
    out.printf(Locale.ROOT, "The page is in %s%n", output.resolve(MethodReport.PAGE));
    out.flush();
    return 0;
  }

  private void check() {
    Stream.concat(shares.stream(), Stream.of(share)).forEach(ReproduceMemory::checkShare);
    if (batchSize < 1 || batchSizes.stream().anyMatch(size -> size < 1)) {
      throw new BadSettingsException(
          "--batch-size and --batch-sizes must be at least 1, got %d and %s.",
          batchSize, batchSizes);
    }
  }

  private static void checkShare(int percent) {
    if (percent < 1 || percent > ALL) {
      throw new BadSettingsException(
          "--shares and --share must be 1 to 100 percent, got %d.", percent);
    }
  }

  private static TransformerModel base(ModelConfig config) {
    Objective task = config.causal() ? Objectives.CAUSAL_LM : Objectives.CLASSIFY;
    return config.model(new Head(task, task.outputs(2, config.vocabulary()), Pooling.FIRST));
  }

  private static List<TuningMethod> bases() {
    return List.of(
        TuningMethod.FULL,
        new TuningMethod(true, WeightStorage.FLOAT32, false, ActivationCheckpointing.ELEMENTWISE),
        new TuningMethod(true, WeightStorage.NF4, false, ActivationCheckpointing.ELEMENTWISE));
  }

  /** Full fine-tuning, LoRA and QLoRA by the share of the tokens. */
  private Sweep overShares(MethodPlanner planner) {
    Map<String, long[]> bytes = new LinkedHashMap<>();
    for (TuningMethod method : bases()) {
      bytes.put(
          method.toString(),
          shares.stream()
              .mapToLong(percent -> bytes(planner, method, batchSize, percent))
              .toArray());
    }
    String title =
        String.format(
            Locale.ROOT,
            "%s, MB by share of tokens: batch %d, length %d",
            model,
            batchSize,
            length);
    return new Sweep("shares", title, "Tokens that carry gradient, %", shares, bytes);
  }

  /** The same, with all tokens and with a share, by batch size. */
  private Sweep overBatches(MethodPlanner planner) {
    Map<String, long[]> bytes = new LinkedHashMap<>();
    for (TuningMethod method : bases()) {
      for (int percent : List.of(ALL, share)) {
        String name = method.with(percent < ALL, method.checkpointing()).toString();
        bytes.put(
            name,
            batchSizes.stream().mapToLong(size -> bytes(planner, method, size, percent)).toArray());
      }
    }
    String title =
        String.format(
            Locale.ROOT,
            "%s, MB by batch size: length %d, TokenTune with %d%% of the tokens",
            model,
            length,
            share);
    return new Sweep("batches", title, "Texts a step", batchSizes, bytes);
  }

  private long bytes(MethodPlanner planner, TuningMethod method, int batch, int percent) {
    int k =
        StepMemoryPlanner.selected(
            planner.model(), RandomTokens.parse(percent + "%", 1, true), length);
    return planner
        .plan(method.with(percent < ALL, method.checkpointing()), batch, length, k)
        .total();
  }

  private static String table(Sweep sweep, String head, String cell, String edge) {
    StringBuilder table = new StringBuilder();
    String first = edge.isEmpty() ? "%-20s" : "| %s |";
    table.append(String.format(Locale.ROOT, first, ""));
    sweep.numbers().forEach(n -> table.append(String.format(Locale.ROOT, head, n)));
    table.append('\n');
    if (!edge.isEmpty()) {
      table.append("|---".repeat(sweep.numbers().size() + 1)).append("|\n");
    }
    sweep
        .bytes()
        .forEach(
            (method, bytes) -> {
              table.append(String.format(Locale.ROOT, first, method));
              for (long one : bytes) {
                table.append(String.format(Locale.ROOT, cell, one / 1e6));
              }
              table.append('\n');
            });
    return table.toString();
  }

  private static ComparisonChart chart(Sweep sweep) {
    double[] x = sweep.numbers().stream().mapToDouble(n -> n).toArray();
    Map<String, double[]> lines = new LinkedHashMap<>();
    sweep
        .bytes()
        .forEach(
            (method, bytes) ->
                lines.put(
                    method,
                    IntStream.range(0, x.length).mapToDouble(i -> bytes[i] / 1e6).toArray()));
    return ComparisonChart.lines(sweep.title(), sweep.axis(), "MB", x, lines);
  }

  private ObjectNode result(List<Sweep> sweeps) {
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("length", length).put("lora", lora);
    result.put("batch_size", batchSize).put("share", share);
    optimizer.put(result);
    for (Sweep sweep : sweeps) {
      ObjectNode node = result.putObject(sweep.name());
      sweep.numbers().forEach(node.putArray("numbers")::add);
      ObjectNode methods = node.putObject("bytes");
      sweep
          .bytes()
          .forEach(
              (method, bytes) -> {
                for (long one : bytes) {
                  methods.withArray(method).add(one);
                }
              });
    }
    return result;
  }
}
