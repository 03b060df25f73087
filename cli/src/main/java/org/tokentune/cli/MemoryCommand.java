package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Predicate;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.LoraModel;
import org.tokentune.bench.ExchangePlan;
import org.tokentune.bench.MethodComparison;
import org.tokentune.bench.MethodFit;
import org.tokentune.bench.MethodPlanner;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.SentenceModules;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.RandomTokens;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.StepMemoryPlanner;
import org.tokentune.train.StepMemoryReport;
import org.tokentune.train.Trainable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Plans training steps and prints their memory. */
@Command(
    name = "memory",
    sortOptions = false,
    description =
        "Predicts the memory of a training step of a model, and its "
            + "parts: gradients through all tokens and through selected ones side by "
            + "side. Only plans: needs neither weights nor data, and takes seconds "
            + "and a few hundred megabytes for a model of any size. Sizes are in MB "
            + "of 10^6 bytes; Java's own heap comes on top.",
    footer = {
      "",
      "Examples:",
      "  tokentune memory --model all-minilm-l6-v2 --tokens 25%% --batch-size 8",
      "  tokentune memory --model bert-large.json --length 512 --picture large.png",
      "  tokentune memory --model my-model --checkpoint blocks --clip none",
      "  tokentune memory --model llama.json --batch-size 1 --length 2048 --compare",
      "  tokentune memory --model llama.json --batch-size 4 --length 1024 --fit 24GB",
      "  tokentune memory --executors 8 --only LoRA"
    },
    mixinStandardHelpOptions = true)
final class MemoryCommand implements Callable<Integer> {

  private static final TuningSettings DEFAULTS = TuningSettings.defaults();

  /** Settings of adapters without --lora. */
  private static final String USUAL_LORA = "r=8";

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR|FILE",
      defaultValue = "all-minilm-l6-v2",
      description =
          "A model of the zoo, hf:owner/name@revision, a Hugging Face folder, or a config.json; "
              + "default ${DEFAULT-VALUE}.")
  private String model;

  @Mixin private TokenOptions tokens;

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

  @Mixin private TrainableOption trainable;

  @Option(
      names = "--lora",
      paramLabel = "SETTINGS",
      description = "Train low-rank adapters, as train --lora has it, in place of --trainable.")
  private String lora;

  @Mixin private OptimizerOptions optimizer;

  @Mixin private MemoryKnobs knobs;

  @Mixin private ClipOptions clip;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      converter = Task.Converter.class,
      completionCandidates = Task.Names.class,
      description =
          "As train has it: classify (default), embed (vectors that are means; a batch has all columns' texts),"
              + " mlm and so on of an encoder, lm (default) of a decoder.")
  private Task task;

  @Option(
      names = "--outputs",
      paramLabel = "N",
      defaultValue = "2",
      description = "Classes, labels or numbers to predict; default ${DEFAULT-VALUE}.")
  private int outputs;

  @Mixin private PictureOption picture;

  @Option(
      names = "--html",
      paramLabel = "FILE.html",
      description = {
        "Also write a page that shows the arena: every buffer over the ops of the step, by address, with",
        "its tensor, layer and bytes."
      })
  private Path html;

  @Option(names = "--passes", description = "Also print the result of every pass of the planner.")
  private boolean passes;

  @Mixin private MethodOptions methods;

  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    try {
      return plan();
    } catch (BadInputException e) {
      // All input is on the command line, so bad input is wrong usage.
      throw new ParameterException(spec.commandLine(), SettingOptions.message(e, spec), e);
    }
  }

  private void checkPage() {
    if (html == null) {
      return;
    }
    if (methods.areGiven()) {
      throw new BadSettingsException(
          "--html shows one method; leave --compare, --fit and --executors out, or --html.");
    }
    new OutputFile(html).check();
  }

  private int plan() {
    json.check();
    picture.check();
    methods.check(picture.isGiven(), passes);
    checkPage();
    ModelConfig config = Models.config(model);
    clip.check();
    if (outputs < 1 || batchSize < 1) {
      throw new BadSettingsException(
          "--batch-size and --outputs must be at least 1, got %d and %d.", batchSize, outputs);
    }
    TransformerModel base = config.model(head(config));
    if (methods.areGiven()) {
      return methods(base);
    }
    LoraModel adapted =
        lora == null ? null : new LoraModel(base, LoraConfig.parse(lora).withHead(base));
    TransformerModel model = adapted == null ? base : adapted;
    MemorySettings settings = knobs.settings(0);
    OptimizerSettings updates =
        optimizer.settings(0, 1, Map.of()); // decay and rates take no memory
    Predicate<String> trains =
        adapted == null ? Trainable.parse(trainable.trainable(), base) : adapted::trains;
    Function<MemoryPeak.Option, StepMemoryPlanner> planners =
        option ->
            new StepMemoryPlanner(
                model,
                trains,
                knobs.weights(),
                new MemorySettings(option.checkpoint(), settings.precision(), 0),
                updates
                    .withKind(option.optimizer())
                    .optimizer(model, Parameters.shapeOnly(model.parameters()))
                    .clipped(clip.by(), clip.norm()),
                option.inBackward());
    MemoryPeak.Option given =
        new MemoryPeak.Option(clip.inBackward(), updates.kind(), settings.checkpointing());
    StepMemoryPlanner planner = planners.apply(given);
    int k =
        StepMemoryPlanner.selected(
            base, RandomTokens.parse(tokens.tokens(), tokens.minTokens(), true), length);
    Map<String, StepMemoryReport> reports = new LinkedHashMap<>();
    reports.put("all tokens", planner.plan(batchSize, length, length));
    if (k < length) {
      reports.put(
          String.format(Locale.ROOT, "%d of %d tokens", k, length),
          planner.plan(batchSize, length, k));
    }
    String title =
        String.format(Locale.ROOT, "%s, batch %d, length %d", this.model, batchSize, length);
    print(title, reports, given);
    String last = List.copyOf(reports.keySet()).get(reports.size() - 1);
    PrintWriter out = spec.commandLine().getOut();
    MemoryPeak.printOptions(
        out,
        last,
        reports.get(last),
        given,
        option -> planners.apply(option).plan(batchSize, length, Math.min(k, length)));
    out.flush();
    write(title, k, reports, given);
    return 0;
  }

  /** Ways to fine-tune, side by side, or the one that fits. */
  private int methods(TransformerModel base) {
    MethodPlanner planner =
        new MethodPlanner(
            base,
            LoraConfig.parse(lora == null ? USUAL_LORA : lora).withHead(base),
            optimizer.settings(0, 1, Map.of()),
            clip.inBackward(),
            knobs.settings(0).precision(),
            methods.half());
    PrintWriter out = spec.commandLine().getOut();
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("batch_size", batchSize).put("length", length);
    result.put("full", methods.full());
    optimizer.put(result);
    knobs.put(result);
    if (methods.fit() > 0) {
      MethodFit fitting = MethodFit.within(methods.fit(), planner, batchSize, length);
      MethodFitReport report = new MethodFitReport(fitting);
      report.print(out, model, lora == null ? USUAL_LORA : lora, further(base));
      report.put(result);
    } else if (methods.executors() > 0) {
      exchange(base, planner, out, result);
    } else {
      int k =
          StepMemoryPlanner.selected(
              base, RandomTokens.parse(tokens.tokens(), tokens.minTokens(), true), length);
      result.put("tokens", tokens.tokens()).put("selected", k);
      String title =
          String.format(
              Locale.ROOT,
              "%s, batch %d, length %d, %d tokens selected",
              model,
              batchSize,
              length,
              k);
      out.printf(Locale.ROOT, "%s; %s, activations kept as %s%n%n", title, optimizer, knobs.kept());
      MethodComparison comparison =
          MethodComparison.of(planner, methods.only(), batchSize, length, k);
      MethodComparisonReport report = new MethodComparisonReport(comparison);
      report.print(out);
      report.put(result);
      picture.draw(new MethodChart(title, comparison.rows())::write);
    }
    json.write(result);
    return 0;
  }

  /** What training on Spark takes, by method. */
  private void exchange(
      TransformerModel base, MethodPlanner planner, PrintWriter out, ObjectNode result) {
    int k =
        StepMemoryPlanner.selected(
            base, RandomTokens.parse(tokens.tokens(), tokens.minTokens(), true), length);
    List<ExchangePlan> plans =
        MethodComparison.named(planner, methods.only()).stream()
            .map(method -> planner.exchange(method, batchSize, length, k, methods.executors()))
            .toList();
    out.printf(
        Locale.ROOT,
        "%s on %d executors, %d texts of %d tokens a step, %d tokens selected; %s%n%n",
        model,
        methods.executors(),
        batchSize,
        length,
        k,
        optimizer);
    boolean averages = planner.optimizer().kind() != OptimizerSettings.Kind.ADAMW8BIT;
    ExchangeReport report = new ExchangeReport(plans, averages);
    report.print(out);
    result.put("executors", methods.executors());
    report.put(result);
  }

  /** Options of train that are the same whatever fits. */
  private String further(TransformerModel base) {
    String text = base.config().causal() ? " --task lm --data TEXT.txt" : " --data DATA.csv";
    String kept = knobs.kept().equals("float32") ? "" : " --activations " + knobs.kept();
    return optimizer.options() + kept + clip.options() + text;
  }

  private Head head(ModelConfig config) {
    Objective usual = config.causal() ? Objectives.CAUSAL_LM : Objectives.CLASSIFY;
    Objective wanted = task == null ? usual : task.objective();
    if (wanted == Objectives.EMBED) {
      return Head.ofSentences(wanted, SentenceModules.plain(), config.hidden());
    }
    return new Head(wanted, wanted.outputs(outputs, config.vocabulary()), Pooling.FIRST);
  }

  private void print(String title, Map<String, StepMemoryReport> reports, MemoryPeak.Option given) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(Locale.ROOT, "%s: %s; MB%n%n", title, settings());
    out.print(parts(reports, given));
    if (passes) {
      reports.forEach(
          (name, report) -> {
            out.printf(Locale.ROOT, "%nPlan of %s%n", name);
            report.step().passes().forEach(pass -> out.println("  " + pass));
          });
    }
    out.flush();
  }

  private String settings() {
    return String.format(Locale.ROOT, "%s, %s, %s", optimizer, clip, knobs);
  }

  /** The parts of the memory and its peak. */
  private static String parts(Map<String, StepMemoryReport> reports, MemoryPeak.Option given) {
    StringWriter parts = new StringWriter();
    PrintWriter out = new PrintWriter(parts);
    out.print(StepMemoryReport.table(reports));
    MemoryPeak.print(out, reports, given);
    out.flush();
    return parts.toString();
  }

  private void writePage(
      String title, Map<String, StepMemoryReport> reports, MemoryPeak.Option given) {
    if (html == null) {
      return;
    }
    String page = ArenaPage.html(title, settings(), reports, parts(reports, given));
    new OutputFile(html).write(out -> out.write(page.getBytes(UTF_8)));
    PrintWriter out = spec.commandLine().getOut();
    out.printf(Locale.ROOT, "%nThe page is in %s%n", html);
    out.flush();
  }

  private void write(
      String title, int k, Map<String, StepMemoryReport> reports, MemoryPeak.Option given) {
    picture.draw(new MemoryChart(title, reports)::write);
    writePage(title, reports, given);
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("batch_size", batchSize).put("length", length);
    result.put("tokens", tokens.tokens()).put("selected", k);
    result.put("trainable", trainable.trainable());
    optimizer.put(result);
    result.put("clipped", clip.clips());
    clip.put(result);
    knobs.put(result);
    reports.forEach(
        (name, report) ->
            result.set(name.equals("all tokens") ? "all_tokens" : "tokentune", report.toJson()));
    json.write(result);
  }
}
