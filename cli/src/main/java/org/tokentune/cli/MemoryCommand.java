package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.LoraModel;
import org.tokentune.models.Head;
import org.tokentune.models.Model;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.Task;
import org.tokentune.nn.Parameters;
import org.tokentune.select.RandomTokens;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.MemoryPlanner;
import org.tokentune.train.MemoryReport;
import org.tokentune.train.Optimizer;
import org.tokentune.train.Trainable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Plans training steps and says what they need. */
@Command(
    name = "memory",
    sortOptions = false,
    description =
        "Says how much memory a training step of a model will need, and for "
            + "what: gradients through all tokens and through selected ones side by "
            + "side. Only plans: needs neither weights nor data, and takes seconds "
            + "and a few hundred megabytes for a model of any size. Sizes are in MB "
            + "of 10^6 bytes; Java's own heap comes on top.",
    footer = {
      "",
      "Examples:",
      "  tokentune memory --model all-minilm-l6-v2 --tokens 25%% --batch-size 8",
      "  tokentune memory --model bert-large.json --length 512 --picture large.png",
      "  tokentune memory --model my-model --checkpoint blocks --clip none"
    },
    mixinStandardHelpOptions = true)
final class MemoryCommand implements Callable<Integer> {

  private static final TuningSettings DEFAULTS = TuningSettings.defaults();

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR|FILE",
      defaultValue = "all-minilm-l6-v2",
      description =
          "A model of the zoo, a Hugging Face folder of a BERT, or a config.json; "
              + "default ${DEFAULT-VALUE}.")
  private String model;

  @Option(
      names = "--tokens",
      paramLabel = "25%|32|all",
      description =
          "Tokens of a text that carry gradient: a share, a count, or all "
              + "(ordinary fine-tuning); default ${DEFAULT-VALUE}.")
  private String tokens = DEFAULTS.tokens();

  @Option(
      names = "--min-tokens",
      paramLabel = "N",
      description = "But at least so many, where a share is given; default ${DEFAULT-VALUE}.")
  private int minTokens = DEFAULTS.minTokens();

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = "Texts a step; default ${DEFAULT-VALUE}.")
  private int batchSize = DEFAULTS.batchSize();

  @Option(
      names = "--length",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens of every text, or of a batch's longest; default ${DEFAULT-VALUE}.")
  private int length;

  @Option(
      names = "--trainable",
      paramLabel = "WHAT",
      description =
          "all, head, no-embeddings, or patterns of parameter names separated by "
              + "commas, such as 'bert.encoder.layer.5.*,classifier.*'; default "
              + "${DEFAULT-VALUE}.")
  private String trainable = DEFAULTS.trainable();

  @Option(
      names = "--lora",
      paramLabel = "SETTINGS",
      description = "Train low-rank adapters, as train --lora has it, in place of --trainable.")
  private String lora;

  @Mixin private OptimizerOptions optimizer;

  @Mixin private MemoryKnobs knobs;

  @Option(
      names = "--clip",
      paramLabel = "NORM|none",
      converter = TrainCommand.Clip.class,
      description =
          "Any norm: all gradients are held until theirs is known; none: each is "
              + "applied and let go as soon as it is complete. Default "
              + "${DEFAULT-VALUE}.")
  private double clip = DEFAULTS.hyperparameters().clip();

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description =
          "classify, multilabel, regress or token of an encoder, lm or instruct of a decoder; "
              + "default classify or lm.")
  private TrainCommand.TextTask task;

  @Option(
      names = "--outputs",
      paramLabel = "N",
      defaultValue = "2",
      description = "Classes, labels or numbers to predict; default ${DEFAULT-VALUE}.")
  private int outputs;

  @Option(
      names = "--picture",
      paramLabel = "FILE.png",
      description = "Also draw live bytes over the step's ops.")
  private Path picture;

  @Option(names = "--passes", description = "Also print what every pass of the planner came to.")
  private boolean passes;

  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    try {
      return plan();
    } catch (BadInputException e) {
      // All input is on the command line, so bad input is wrong usage.
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private int plan() {
    json.check();
    OutputFile drawn = picture();
    ModelConfig config = Models.config(model);
    if (outputs < 1 || batchSize < 1 || !(clip > 0)) {
      throw new BadInputException(
          "A batch size of %d, %d outputs and gradients clipped to %s cannot be; give 1 or more of"
              + " each, and a norm above 0.",
          batchSize, outputs, clip);
    }
    Model base = config.model(head(config));
    LoraModel adapted = lora == null ? null : adapted(base);
    Model model = adapted == null ? base : adapted;
    MemoryPlanner planner =
        new MemoryPlanner(
            model,
            adapted == null ? Trainable.parse(trainable, base) : adapted::trains,
            knobs.weights(),
            knobs.settings(0),
            optimizer(model),
            Double.isInfinite(clip));
    int k = planner.selected(RandomTokens.parse(tokens, minTokens, true), length);
    MemoryReport all = planner.plan(batchSize, length, length);
    Map<String, MemoryReport> reports = new LinkedHashMap<>();
    reports.put("all tokens", all);
    if (k < length) {
      reports.put("%d of %d tokens".formatted(k, length), planner.plan(batchSize, length, k));
    }
    String title = "%s, batch %d, length %d".formatted(this.model, batchSize, length);
    print(title, reports);
    write(title, k, reports, drawn);
    return 0;
  }

  private LoraModel adapted(Model base) {
    LoraConfig adapters = LoraConfig.parse(lora);
    Task task = base.head().task();
    boolean vocabulary = task == Task.CAUSAL_LM || task == Task.MASKED_LM;
    return new LoraModel(base, vocabulary ? adapters : adapters.withHead(base));
  }

  private Head head(ModelConfig config) {
    Task wanted = config.causal() ? Task.CAUSAL_LM : Task.CLASSIFY;
    if (task != null) {
      wanted = task.task;
    }
    int width =
        switch (wanted) {
          case CAUSAL_LM -> config.vocabulary();
          case QUESTION_ANSWERING -> 2;
          default -> outputs;
        };
    return new Head(wanted, width, Pooling.FIRST);
  }

  /** Decay and rates take no memory. */
  private Optimizer optimizer(Model model) {
    return optimizer
        .settings(0, 1, Map.of())
        .optimizer(model, Parameters.withoutValues(model.parameters()));
  }

  /** Where to draw; null for nowhere. */
  private OutputFile picture() {
    if (picture == null) {
      return null;
    }
    if (!picture.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
      throw new BadInputException("%s is no .png file; name one.", picture);
    }
    OutputFile file = new OutputFile(picture);
    file.check();
    return file;
  }

  private void print(String title, Map<String, MemoryReport> reports) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%s: %s, %s, %s; MB%n%n",
        title,
        optimizer,
        Double.isInfinite(clip) ? "gradients not clipped" : "gradients clipped",
        knobs);
    out.print(MemoryReport.table(reports));
    if (passes) {
      reports.forEach(
          (name, report) -> {
            out.printf("%nPlan of %s%n", name);
            report.step().passes().forEach(pass -> out.println("  " + pass));
          });
    }
    out.flush();
  }

  private void write(String title, int k, Map<String, MemoryReport> reports, OutputFile drawn) {
    if (drawn != null) {
      drawn.write(new MemoryChart(title, reports)::write);
      spec.commandLine().getOut().printf("%nThe picture is in %s%n", picture);
      spec.commandLine().getOut().flush();
    }
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("batch_size", batchSize).put("length", length);
    result.put("tokens", tokens).put("selected", k);
    result.put("trainable", trainable);
    optimizer.put(result);
    result.put("clipped", !Double.isInfinite(clip));
    knobs.put(result);
    reports.forEach(
        (name, report) ->
            result.set(name.equals("all tokens") ? "all_tokens" : "tokentune", report.toJson()));
    json.write(result);
  }
}
