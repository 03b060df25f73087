package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.checkpoint.ModelFolder;
import org.tokentune.checkpoint.RunFolder;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.GlueTask;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.PromptTemplate;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.text.AnswerModel;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.RunSettings;
import org.tokentune.train.Schedule;
import org.tokentune.train.StepMemoryReport;
import org.tokentune.train.Trainer;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Fine-tunes a model. */
@Command(
    name = "train",
    sortOptions = false,
    description = {
      "Fine-tunes a pretrained encoder on labelled texts, or a decoder on plain text or instructions,",
      "with gradients through selected tokens.",
      "Without options: all-minilm-l6-v2 on the sentiment of SentiWordNet's glosses.",
      "Ctrl-C ends the training and saves the best weights so far."
    },
    footer = {
      "",
      "Examples:",
      "  tokentune train",
      "  tokentune train --data reviews.csv --text review --label stars --output stars-model",
      "  tokentune train --data rte=glue_data/RTE --output rte-model",
      "  tokentune train --task qa --data train-v1.1.json --validation dev-v1.1.json --epochs 2",
      "  tokentune train --lora r=8,alpha=16,targets=query+value --output adapters",
      "  tokentune train --task lm --model tinyllama.gguf --data book.txt --max-length 256",
      "  tokentune train --data pairs.tsv --text 4,5 --label 1 --tokens 32 --epochs 3"
    },
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {

  private static final TuningSettings DEFAULTS = TuningSettings.defaults();

  /** As a shell reports a program that Ctrl-C ended. */
  private static final int INTERRUPTED = 130;

  private static final String ONE_FILE =
      "These are adapters for PEFT. They were trained on a file that transformers does not load as a"
          + " folder: in Python, put them on a Hugging Face folder with the same weights.";

  @Option(
      names = ConfigFile.OPTION,
      paramLabel = "FILE",
      description =
          "Options in a YAML file, by their names without dashes; those on the command line win."
              + " Each run saves its own as "
              + ConfigFile.EFFECTIVE
              + " next to the model.")
  @SuppressWarnings("UnusedVariable") // ConfigFile has read it before picocli does
  private Path config;

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      defaultValue = "all-minilm-l6-v2",
      description =
          "A model of the zoo, hf:owner/name@revision, a URL, a Hugging Face folder, a .gguf file, or llama2.c's .bin with its tok*.bin beside it;"
              + " default ${DEFAULT-VALUE}.")
  private String model;

  @Option(
      names = "--data",
      paramLabel = "NAME|FILE|TASK=DIR",
      defaultValue = DataOptions.SENTIWORDNET,
      description = {
        "A built-in data set, a .csv or .tsv file with a header or a .jsonl file; or a task of GLUE",
        "with the folder of its files, such as rte=glue_data/RTE: cola, sst2, mrpc, qqp, stsb, mnli,",
        "mnli-mm, qnli or rte. Default ${DEFAULT-VALUE}."
      })
  private String data;

  @Option(
      names = "--validation",
      paramLabel = "FILE|SHARE",
      description =
          "Rows to choose the best epoch by; default 10%% of the data, or the data set's own.")
  private String validation;

  @Option(
      names = "--test",
      paramLabel = "FILE",
      description =
          "Rows to score the result on; default: the data set's own, or the validation's.")
  private Path test;

  @Mixin private DataOptions dataOptions;

  @Option(
      names = "--stream",
      description = {
        "Read plain text or instructions (--task lm or instruct) as they are trained on, shuffled",
        "through a window, for files larger than memory. Tokens are kept in TOKENTUNE_CACHE (default",
        "~/.cache/tokentune). With --steps."
      })
  private boolean stream;

  @Option(
      names = "--limit",
      paramLabel = "ROWS",
      description = "Train on this many of the training rows, drawn by the seed.")
  private Integer limit;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      defaultValue = "classify",
      converter = Task.Converter.class,
      completionCandidates = Task.Names.class,
      description = {
        "classify: one class for a text; multilabel: any of several; regress: a number;",
        "token: a tag for every word; qa: answers to questions as parts of a text (SQuAD's .json); of",
        "decoders lm: the next token of plain text; instruct: answers to instructions (.jsonl or .json",
        "with instruction, input, output). Default ${DEFAULT-VALUE}."
      })
  private Task task;

  @Option(
      names = "--template",
      paramLabel = "alpaca|chatml|plain",
      defaultValue = "alpaca",
      description = "How instructions are written; default ${DEFAULT-VALUE}.")
  private String template;

  @Option(
      names = "--pooling",
      paramLabel = "first|mean",
      defaultValue = "first",
      description = {
        "What a text's head reads: its position 0, or the mean of its tokens (of the selected",
        "ones in training). Default ${DEFAULT-VALUE}."
      })
  private Pooling pooling;

  @Option(
      names = "--tokens",
      paramLabel = "25%|32|span:25%|all",
      description = {
        "Tokens of a text that carry gradient: a share, a count, or all (ordinary fine-tuning);",
        "with span: before a share or count side by side, which plain text learns more from in",
        "less time. Default ${DEFAULT-VALUE}."
      })
  private String tokens = DEFAULTS.tokens();

  @Option(
      names = "--min-tokens",
      paramLabel = "N",
      description = "But at least so many, where a share is given; default ${DEFAULT-VALUE}.")
  private int minTokens = DEFAULTS.minTokens();

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the training rows; default ${DEFAULT-VALUE}.")
  private int epochs = DEFAULTS.hyperparameters().epochs();

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps, over as many epochs as it takes; default: as many as the epochs have.")
  private int steps = DEFAULTS.hyperparameters().steps();

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = "Texts a batch; default ${DEFAULT-VALUE}.")
  private int batchSize = DEFAULTS.batchSize();

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      description = {
        "Batches whose gradients are added up for a step, as if they were one batch;",
        "default ${DEFAULT-VALUE}."
      })
  private int accumulation = DEFAULTS.hyperparameters().accumulation();

  @Option(
      names = "--learning-rate",
      paramLabel = "RATE",
      description = {
        "Peak of the learning rate, which rises from 0 in the warm-up and then runs as --schedule",
        "says; default ${DEFAULT-VALUE}."
      })
  private double learningRate = DEFAULTS.hyperparameters().learningRate();

  @Option(
      names = "--warmup",
      paramLabel = "N|SHARE",
      description = "Steps of the warm-up; below 1 a share of all steps. Default ${DEFAULT-VALUE}.")
  private double warmup = DEFAULTS.hyperparameters().schedule().warmup();

  @Option(
      names = "--schedule",
      paramLabel = "linear|constant|cosine",
      defaultValue = "linear",
      description = {
        "After the warm-up the rate falls to 0 at the end, in a straight line or as half a cosine,",
        "or stays; default ${DEFAULT-VALUE}."
      })
  private Schedule.Decay schedule;

  @Mixin private OptimizerOptions optimizer;

  @Option(
      names = "--weight-decay",
      paramLabel = "RATE",
      description = "Of matrices, not of biases and norms; default ${DEFAULT-VALUE}.")
  private double weightDecay = DEFAULTS.hyperparameters().optimizer().weightDecay();

  @Option(
      names = "--layer-decay",
      paramLabel = "FACTOR",
      description = {
        "What the rate is multiplied by from a layer to the one below: with 0.9 it is 0.9 of the",
        "usual in the top layer, 0.81 below it, and least in the embeddings. Default 1: no decay."
      })
  private double layerDecay = DEFAULTS.hyperparameters().optimizer().layerDecay();

  @Option(
      names = "--lr-for",
      paramLabel = "WHAT=FACTOR",
      description = {
        "Multiplies the rate of some parameters, named as --trainable names them, such as head=10",
        "or 'bert.embeddings.*=0.1'; may be given several times, and all that match count."
      })
  private Map<String, Double> rateFactors = new LinkedHashMap<>();

  @Option(
      names = "--clip",
      paramLabel = "NORM|none",
      converter = Clip.class,
      description = {
        "Largest global norm of a step's gradients, which are all held until it is known; none: not",
        "clipped, and every gradient is applied and let go as soon as it is complete, which saves a",
        "float for each trained parameter. Default ${DEFAULT-VALUE}."
      })
  private double clip = DEFAULTS.hyperparameters().clip();

  @Option(
      names = "--memory",
      paramLabel = "60MB",
      converter = ByteSize.class,
      description = {
        "Most that a step may take above parameters and optimizer state: more is recomputed where",
        "it would not fit, attention first, then whole layers. Default: no limit."
      })
  private long memory;

  @Option(
      names = "--dropout",
      paramLabel = "RATE",
      description = "One rate everywhere; default: as the model's config.json says.")
  private Double dropout;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = {
        "Cut texts to N tokens, plain text into blocks of N; default: texts longer than the model",
        "are an error, blocks have 128 tokens."
      })
  private Integer maxLength;

  @Option(
      names = "--trainable",
      paramLabel = "WHAT",
      description = {
        "all, head, no-embeddings, or patterns of parameter names separated by commas, such as",
        "'bert.encoder.layer.5.*,classifier.*'; default ${DEFAULT-VALUE}."
      })
  private String trainable = DEFAULTS.trainable();

  @Option(
      names = "--lora",
      paramLabel = "SETTINGS",
      description = {
        "Train low-rank adapters on frozen weights, and a classifier beside them. Settings, separated",
        "by commas: r=8 (rank), alpha=16 (the update counts alpha / r times; default 2 r),",
        "dropout=0.05 (default 0), targets=q_proj+v_proj (layers by their last names, with * for",
        "anything; default all-linear), bias=none|all|lora_only, rslora (alpha / sqrt(r)), freeze-a",
        "(train one matrix of the two, which keeps less). Takes the place of --trainable."
      })
  private String lora;

  @Mixin private MemoryKnobs knobs;

  @Option(
      names = "--merge",
      description =
          "Save the whole model with the adapters merged in; otherwise the adapters alone, for PEFT.")
  private boolean merge;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Of everything random; the same seed gives the same model. Default ${DEFAULT-VALUE}.")
  private long seed = DEFAULTS.hyperparameters().seed();

  @Option(
      names = "--output",
      paramLabel = "DIR",
      defaultValue = "tokentune-model",
      description = "Folder of the result; a model there is replaced. Default ${DEFAULT-VALUE}.")
  private Path output;

  @Mixin private RunOptions runOptions;

  @Mixin private JsonOption json;

  @Spec private CommandSpec spec;

  /** The task of GLUE that the data are of; null for others. */
  private GlueTask glue;

  /** A norm, or {@code none} for an infinite one. */
  static final class Clip implements ITypeConverter<Double> {

    @Override
    public Double convert(String value) {
      if (value.equals("none")) {
        return Double.POSITIVE_INFINITY;
      }
      try {
        return Double.valueOf(value);
      } catch (NumberFormatException e) {
        throw new TypeConversionException("'" + value + "' is neither a number nor none");
      }
    }
  }

  @Override
  public Integer call() {
    ModelFolder.checkWritable(output);
    json.check();
    runOptions.check();
    PrintWriter out = spec.commandLine().getOut();
    LoraConfig adapters = adapters();
    TuningSettings settings =
        new TuningSettings(
            tokens,
            minTokens,
            trainable,
            batchSize,
            new Hyperparameters(
                epochs,
                steps,
                accumulation,
                learningRate,
                optimizer.settings(weightDecay, layerDecay, rateFactors),
                new Schedule(schedule, warmup),
                clip,
                knobs.settings(memory),
                seed),
            RunSettings.defaults());
    if (limit != null && limit < 1) {
      throw new BadInputException("A limit of %d rows leaves none; give 1 or more.", limit);
    }
    if (stream && (task.objective() != Objectives.CAUSAL_LM || steps == 0 || limit != null)) {
      throw new BadInputException(
          "--stream is for --task lm or instruct, with --steps and without --limit; correct that.");
    }
    PromptTemplate prompts = PromptTemplate.named(template);
    glue = dataOptions.glue(data).orElse(null);
    if (glue != null) {
      task = glueTask();
    }
    Function<ModelFiles, TrainingJob> jobs = read(prompts);
    try (ModelFiles files = Models.open(model);
        TrainingJob job = jobs.apply(files)) {
      if (adapters != null) {
        job.addAdapter(adapters, seed);
      }
      ModelFolder.checkSpace(output, adaptersAlone() ? job.savedAdapterBytes() : job.savedBytes());
      out.printf(
          Locale.ROOT,
          "%s on %s: %s; tokens %s, %s, seed %d%n",
          model,
          data,
          job.rows(),
          tokens,
          optimizer,
          seed);
      out.flush();
      try (RunFolder folder = RunFolder.lock(output)) {
        RunSettings run = runOptions.settings(folder, glue == null ? List.of() : glue.metrics());
        ObjectNode begin = JsonOption.object().put("version", version());
        arguments().forEach(begin.putArray("arguments")::add);
        try (TrainingLog log = runOptions.log(folder, run, begin, job.labels())) {
          return train(files, job, settings.withRun(run), log, out);
        }
      }
    }
  }

  /** Null where weights themselves train. */
  private LoraConfig adapters() {
    if (lora == null && merge) {
      throw new BadInputException("--merge without --lora has nothing to merge; leave it out.");
    }
    if (lora != null && spec.commandLine().getParseResult().hasMatchedOption("--trainable")) {
      throw new BadInputException(
          "With --lora the adapters train, and --trainable has no say; leave one of them out.");
    }
    if (merge && knobs.weights() != WeightStorage.FLOAT32) {
      throw new BadInputException(
          "Adapters cannot be merged into weights held as %s; leave --merge out, and give --adapter"
              + " where you use them.",
          knobs.weights());
    }
    return lora == null ? null : LoraConfig.parse(lora);
  }

  /** A task of GLUE says by itself what its labels are. */
  private Task glueTask() {
    Task own = Task.of(glue.labels().task());
    if (!task.equals(own) && spec.commandLine().getParseResult().hasMatchedOption("--task")) {
      throw new BadInputException(
          "%s is %s, not %s; leave --task out.", glue.name(), own.name(), task.name());
    }
    return own;
  }

  /** Reads what can be before the model is, as that may take a while. */
  private Function<ModelFiles, TrainingJob> read(PromptTemplate prompts) {
    if (task.objective() == Objectives.CAUSAL_LM) {
      return files -> language(files, prompts);
    }
    if (task.objective() == Objectives.QUESTION_ANSWERING) {
      AnswerTrainingJob.Questions all =
          AnswerTrainingJob.Questions.read(Path.of(data), validation, test);
      AnswerTrainingJob.Questions some = limit == null ? all : all.withTrainLimit(limit, seed);
      return files ->
          new AnswerTrainingJob(
              AnswerModel.forQuestions(files, maxLength, dropout, knobs.weights(), seed), some);
    }
    DataSplit all = dataOptions.split(data, task.objective(), validation, test, seed);
    Labels labels = glue == null ? Labels.of(task.objective(), all.train()) : glue.labels();
    DataSplit some = limit == null ? all : all.withTrainLimit(limit, seed);
    return files -> texts(files, labels, some);
  }

  private TrainingJob texts(ModelFiles files, Labels labels, DataSplit split) {
    TextModel text =
        TextModel.forTask(files, labels, pooling, maxLength, dropout, knobs.weights(), seed);
    text.labels().check(split.validation(), validation == null ? data : validation);
    text.labels().check(split.test(), test == null ? data : test.toString());
    return new TextTrainingJob(text, split);
  }

  private TrainingJob language(ModelFiles files, PromptTemplate prompts) {
    LanguageModel language = LanguageModel.open(files, dropout, knobs.weights());
    Path file = Path.of(data);
    if (stream) {
      return task.instructions()
          ? LanguageTrainingJob.onInstructionStream(
              language, file, validation, test, maxLength, prompts)
          : LanguageTrainingJob.onTextStream(language, file, validation, test, maxLength);
    }
    LanguageTrainingJob job =
        task.instructions()
            ? LanguageTrainingJob.onInstructions(
                language, file, validation, test, maxLength, prompts, seed)
            : LanguageTrainingJob.onText(language, file, validation, test, maxLength);
    return limit == null ? job : job.withTrainLimit(limit, seed);
  }

  private int train(
      ModelFiles files,
      TrainingJob job,
      TuningSettings settings,
      TrainingLog log,
      PrintWriter out) {
    try (Interrupt interrupt = new Interrupt();
        TrainingProgress progress =
            new TrainingProgress(out, task.objective() == Objectives.CAUSAL_LM)) {
      Trainer.Outcome outcome = job.train(settings, log.andThen(progress).andThen(interrupt));
      double seconds = progress.seconds();
      progress.end();
      if (outcome.epoch() == 0 && ModelFolder.holdsModel(output)) {
        out.printf(
            Locale.ROOT,
            "Stopped after %d steps, before the first validation; %s keeps the model that it has.%n",
            outcome.steps(),
            output);
        out.flush();
        log.end(outcome);
        return INTERRUPTED;
      }
      boolean adaptersAlone = adaptersAlone();
      boolean sameDiff = true;
      if (adaptersAlone) {
        job.saveAdapter(output);
      } else {
        sameDiff = job.save(output);
      }
      Optional<Scores> onTest = outcome.stopped() ? Optional.empty() : job.test();
      boolean tested = onTest.isPresent();
      Scores scores = onTest.orElseGet(() -> job.validated(outcome.best()));
      List<String> names = job.labels();
      ScoresReport.print(out, tested ? "Test" : "Validation", scores, names);
      if (glue != null) {
        ScoresReport.printGlue(out, glue, scores);
      }
      out.printf(
          Locale.ROOT,
          "%s %d steps in %s (%,.0f tokens/s); kept the weights of epoch %d, step %d.%n",
          outcome.stopped() ? "Stopped after" : "Trained",
          outcome.steps(),
          TrainingProgress.duration(seconds),
          progress.tokens() / seconds,
          outcome.epoch(),
          outcome.bestStep());
      if (outcome.early()) {
        out.println("It ended early, as no validation was better for so long.");
      }
      if (outcome.skipped() > 0) {
        out.printf(Locale.ROOT, "%d steps were not applied: nothing finite.%n", outcome.skipped());
      }
      StepMemoryReport memory = outcome.memory();
      if (memory != null) {
        out.printf(
            Locale.ROOT,
            "The largest step: %.1f MB predicted, %.1f MB used (its arena, as allocated), above %.1f"
                + " MB of parameters and %.1f MB of optimizer state (%s).%n",
            memory.step().arena() / 1e6,
            outcome.arenaBytes() / 1e6,
            memory.parameters() / 1e6,
            memory.optimizerState() / 1e6,
            optimizer);
      }
      if (!sameDiff) {
        out.printf(
            Locale.ROOT,
            "No %s: the model is past the 1 GiB of SameDiff's file format.%n",
            TextModel.SAMEDIFF_FILE);
      }
      if (adaptersAlone) {
        out.printf(
            Locale.ROOT,
            "The adapters are in %s: --model %s --adapter %s%n",
            output,
            model,
            output);
      } else {
        out.printf(Locale.ROOT, "The model is in %s%n", output);
      }
      out.flush();
      ObjectNode result = JsonOption.object();
      result.put("model", model).put("data", data).put("task", task.name());
      result.put("evaluated_on", tested ? "test" : "validation");
      ScoresReport.put(result, scores, names);
      result.put("tokens", tokens).put("seed", seed).put("lora", lora);
      knobs.put(result);
      optimizer.put(result);
      result.put("learning_rate", learningRate).put("schedule", schedule.toString());
      result.put("warmup", warmup).put("weight_decay", weightDecay);
      result.put("layer_decay", layerDecay);
      rateFactors.forEach(result.putObject("lr_for")::put);
      result.put("steps", outcome.steps()).put("seconds", seconds);
      result.put("best_epoch", outcome.epoch()).put("best_step", outcome.bestStep());
      result.put("stopped", outcome.stopped()).put("ended_early", outcome.early());
      result.put("skipped_steps", outcome.skipped());
      if (memory != null) {
        ObjectNode bytes = result.putObject("memory");
        bytes.put("predicted", memory.step().arena()).put("used", outcome.arenaBytes());
        bytes.put("parameters", memory.parameters());
        bytes.put("optimizer_state", memory.optimizerState());
      }
      ArrayNode evaluations = result.putArray("evaluations");
      outcome
          .evaluations()
          .forEach(evaluation -> TrainingLog.put(evaluations.addObject(), evaluation, names));
      result.put("output", output.toString());
      json.write(result);
      new ModelCard(
              files.repository() == null ? model : files.repository(),
              adaptersAlone && files.weights().origin().matches(".*\\.(gguf|bin)")
                  ? ONE_FILE
                  : null,
              data,
              task.name(),
              job.rows(),
              arguments(),
              version())
          .write(output, outcome, tested ? "Test" : "Validation", scores);
      ConfigFile.write(output.resolve(ConfigFile.EFFECTIVE), spec);
      log.end(outcome);
      return outcome.stopped() ? INTERRUPTED : 0;
    } catch (BadInputException e) {
      log.failed(e);
      throw e;
    }
  }

  private boolean adaptersAlone() {
    return lora != null && !merge;
  }

  private List<String> arguments() {
    return spec.root().commandLine().getParseResult().originalArgs();
  }

  private String version() {
    return spec.root().version()[0];
  }
}
