package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.ClassWeights;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.GlueTask;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.PromptTemplate;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.RowTokenizer;
import org.tokentune.datasets.Split;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.files.Digest;
import org.tokentune.files.ModelWriter;
import org.tokentune.files.RunFolder;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.AnswerModel;
import org.tokentune.text.EmbeddingModel;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.MaskedLanguageModel;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.RunSettings;
import org.tokentune.train.Trainer;
import org.tokentune.train.TrainingCluster;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Fine-tunes a model. */
@Command(
    name = "train",
    sortOptions = false,
    description = {
      "Fine-tunes a pretrained encoder on labelled or plain texts, or a decoder on plain text or instructions,",
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
      "  tokentune train --task mlm --model bert-base-uncased --data notes.txt --output adapted",
      "  tokentune train --data pairs.tsv --text 4,5 --label 1 --tokens 32 --epochs 3"
    },
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {

  /** A shell's exit code for a program that Ctrl-C ended. */
  private static final int INTERRUPTED = 130;

  @Option(
      names = ConfigFile.OPTION,
      paramLabel = "FILE",
      description =
          "Options in a YAML file, by their names without dashes; the command line takes precedence."
              + " Each run saves its options as "
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

  @Mixin private TrainingDataOptions data;

  @Mixin private TaskOptions taskOptions;

  @Mixin private EmbeddingOptions embedding;

  @Mixin private MaskOptions masks;

  @Mixin private TuningOptions tuning;

  @Option(
      names = "--dropout",
      paramLabel = "RATE",
      description = "One rate everywhere; default: as the model's config.json says.")
  private Double dropout;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = {
        "Most tokens of a text, and those of a block of plain text; default: as many as the model",
        "takes, blocks have 128 tokens."
      })
  private Integer maxLength;

  @Mixin private LongTextOptions longTexts;

  @Mixin private AdapterOptions adapters;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Seed of all random numbers; the same seed gives the same model. Default ${DEFAULT-VALUE}.")
  private long seed = Hyperparameters.defaults().seed();

  @Mixin private OutputOptions outputOptions;

  @Mixin private RunOptions runOptions;

  @Mixin private WatchOptions watchOptions;

  @Mixin private ClusterOptions cluster;

  @Mixin private JsonOption json;

  @Spec private CommandSpec spec;

  private Path output;

  @Override
  public Integer call() {
    json.check();
    runOptions.check();
    boolean limited = tuning.limitsMemory() || runOptions.memoryLimit().bytes() > 0;
    cluster.check(taskOptions.task(), data.folds() > 0, limited);
    output = outputOptions.folder(runOptions);
    watchOptions.check(output, runOptions.resumes() || outputOptions.overwrites());
    if (data.folds() == 0) {
      outputOptions.check(output, runOptions);
    }
    LoraConfig lora = adapters.config();
    TuningSettings settings = embedding.over(tuning.settings(adapters, seed));
    data.check(taskOptions.task(), settings.hyperparameters().steps());
    embedding.check(taskOptions.task());
    masks.check(taskOptions.task().objective());
    taskOptions.learned();
    taskOptions.check();
    if (adapters.adapter() != null && !taskOptions.task().objective().isCausal()) {
      throw new BadSettingsException(
          "--adapter goes on with the adapters of a decoder, and %s is a task of encoders; give --lora.",
          taskOptions.task().name());
    }
    PromptTemplate prompts = taskOptions.prompts();
    if (data.validatesNothing()) {
      runOptions.checkNoValidation();
    }
    Optional<GlueTask> glue = data.glue();
    glue.ifPresent(taskOptions::take);
    Models.checkSupports(model, taskOptions.task().objective());
    if (data.folds() > 0) {
      return crossValidate(settings, lora, glue);
    }
    Function<ModelFiles, TrainingJob> jobs = read(glue, prompts);
    try (ModelFiles files = Models.open(model);
        TrainingJob job = jobs.apply(files)) {
      if (lora != null) {
        job.model().addAdapter(lora, seed);
      }
      ModelWriter.checkSpace(
          output, adapters.areAlone() ? job.model().savedAdapterBytes() : job.model().savedBytes());
      PrintWriter out = spec.commandLine().getOut();
      out.printf(
          Locale.ROOT,
          "%s on %s: %s; tokens %s, %s, seed %d%n",
          model,
          data.name(),
          job.counts(),
          settings.tokens(),
          tuning.optimizer(),
          seed);
      outputOptions.print(output, out);
      out.flush();
      try (RunFolder folder = RunFolder.lock(output)) {
        outputOptions.check(output, runOptions); // another run may have ended in the meantime
        outputOptions.clear(folder, runOptions);
        RunSettings run =
            runOptions.settings(folder, glue.map(GlueTask::metrics).orElse(List.of()));
        ObjectNode begin = JsonOption.object().put("version", version());
        arguments().forEach(begin.putArray("arguments")::add);
        try (TrainingLog log = runOptions.log(folder, run, begin, job.labels())) {
          return train(files, job, settings.withRun(run), log, glue);
        }
      }
    }
  }

  /** Reads the data before the model if it can, as opening a model may take a while. */
  private Function<ModelFiles, TrainingJob> read(Optional<GlueTask> glue, PromptTemplate prompts) {
    Objective objective = tuning.checked(taskOptions.task().objective());
    if (objective.isCausal()
        || objective == Objectives.QUESTION_ANSWERING
        || objective == Objectives.EMBED
        || objective == Objectives.MASKED_LM) {
      longTexts.checkAbsent(taskOptions.task().name());
    }
    if (objective.isCausal()) {
      return files -> language(files, prompts);
    }
    WeightStorage weights = adapters.knobs().weights();
    if (objective == Objectives.QUESTION_ANSWERING) {
      TrainingRows<SquadQuestion> questions =
          data.split(
              SquadQuestion::read,
              (file, share) -> Split.atEnd(SquadQuestion.read(file), share),
              seed);
      return files ->
          new AnswerTrainingJob(
              AnswerModel.forQuestions(files, maxLength, dropout, weights, seed), questions);
    }
    if (objective == Objectives.EMBED) {
      return embedding();
    }
    if (objective == Objectives.MASKED_LM) {
      return files ->
          MaskedTrainingJob.of(
              MaskedLanguageModel.open(files, dropout, weights, seed),
              data,
              masks,
              maxLength,
              seed);
    }
    if (data.stream()) {
      return stream(objective);
    }
    TrainingDataOptions.LabelledRows all = data.examples(objective, seed);
    Labels labels =
        glue.map(GlueTask::labels).orElseGet(() -> Labels.of(objective, all.split().train()));
    DataSplit split = data.limited(all.split(), seed);
    RowSampling sampling = data.sampling(labels, all.files(), split.train());
    return files -> text(files, labels, split, sampling);
  }

  private Function<ModelFiles, TrainingJob> embedding() {
    if (data.stream()) {
      TrainingRows<RelatedTexts> beside =
          TrainingRows.plain(data.besideStream(data::related, List::of));
      EmbeddingLoss loss =
          embedding.loss(List.of(RelatedTexts.first(data.file(), data.relatedColumns())));
      return files -> {
        EmbeddingModel encoder = encoder(files, loss);
        return new EmbeddingTrainingJob(
            encoder,
            loss,
            encoder.stream(data.file(), data.relatedColumns()),
            data.validatesStream(),
            beside);
      };
    }
    TrainingRows<RelatedTexts> rows =
        data.split(
            data::related, (file, share) -> Split.drawn(data.related(file), share, seed), seed);
    EmbeddingLoss loss = embedding.loss(rows.split().train());
    return files -> new EmbeddingTrainingJob(encoder(files, loss), loss, null, false, rows);
  }

  private EmbeddingModel encoder(ModelFiles files, EmbeddingLoss loss) {
    EmbeddingModel encoder =
        EmbeddingModel.open(files, loss, maxLength, dropout, adapters.knobs().weights());
    embedding.putPrompts(encoder);
    return encoder;
  }

  private Function<ModelFiles, TrainingJob> stream(Objective objective) {
    ClassWeights weights = tuning.classWeights();
    if (weights != null && weights.balanced()) {
      throw new BadSettingsException(
          "Balanced class weights need all rows, which --stream does not have; give them by label.");
    }
    Labels labels = data.streamedLabels(objective);
    DataSplit beside = data.beside();
    return files -> {
      TextModel text = model(files, labels, beside);
      return new TextTrainingJob(
          text,
          text.stream(data.file(), data.columns()),
          data.validatesStream(),
          beside,
          null,
          weights);
    };
  }

  private TrainingJob text(ModelFiles files, Labels labels, DataSplit split, RowSampling sampling) {
    return new TextTrainingJob(model(files, labels, split), split, sampling, tuning.classWeights());
  }

  private TextModel model(ModelFiles files, Labels labels, DataSplit split) {
    TextModel text =
        TextModel.forTask(
            files,
            labels,
            taskOptions.pooling(),
            maxLength,
            dropout,
            adapters.knobs().weights(),
            seed);
    text.setLongTexts(longTexts.over(text.longTexts(), maxLength));
    text.labels().check(split.validation(), data.validationName());
    text.labels().check(split.test(), data.testName());
    return text;
  }

  private int crossValidate(TuningSettings settings, LoraConfig lora, Optional<GlueTask> glue) {
    runOptions.checkFolds();
    watchOptions.checkFolds();
    Objective objective = tuning.checked(taskOptions.task().objective());
    TrainingDataOptions.Folds folds = data.folds(objective, seed);
    Labels labels = glue.map(GlueTask::labels).orElseGet(() -> Labels.of(objective, folds.rows()));
    List<Function<ModelFiles, TrainingJob>> jobs = new ArrayList<>();
    for (DataSplit split : folds.splits()) {
      RowSampling sampling = data.sampling(labels, folds.files(), split.train());
      jobs.add(
          files -> {
            TrainingJob job = text(files, labels, split, sampling);
            if (lora != null) {
              job.model().addAdapter(lora, seed);
            }
            return job;
          });
    }
    PrintWriter out = spec.commandLine().getOut();
    CrossValidation validation =
        new CrossValidation(
            output,
            identity(folds.rows()),
            settings,
            glue.map(GlueTask::metrics).orElse(List.of()),
            runOptions,
            outputOptions.overwrites(),
            out);
    validation.check();
    outputOptions.print(output, out);
    out.flush();
    ObjectNode begin = JsonOption.object().put("version", version());
    arguments().forEach(begin.putArray("arguments")::add);
    try (ModelFiles files = Models.open(model)) {
      ObjectNode scores = validation.run(jobs, files, begin);
      if (scores == null) {
        return INTERRUPTED;
      }
      ObjectNode result = JsonOption.object();
      result.put("model", model).put("data", data.name()).put("task", taskOptions.task().name());
      result.put("seed", seed);
      for (String part : List.of("folds", "mean", "standard_deviation")) {
        result.set(part, scores.path(part));
      }
      json.write(result.put("output", output.toString()));
      return 0;
    }
  }

  /** Identifies what the scores of a cross-validation depend on: its options, and its rows. */
  private String identity(List<Example> rows) {
    ObjectNode options = ConfigFile.options(spec);
    options.remove(List.of("output", "resume", "save-every", "keep", "json"));
    Digest digest = new Digest().add(options.toString());
    rows.forEach(row -> digest.add(row.toString()));
    return digest.hex();
  }

  private TrainingJob language(ModelFiles files, PromptTemplate prompts) {
    Task.Data rows = taskOptions.task().data();
    Double rate = dropout == null && rows == Task.Data.PREFERENCES ? Double.valueOf(0) : dropout;
    LanguageModel language = LanguageModel.open(files, rate, adapters.knobs().weights());
    if (adapters.adapter() != null) {
      language.openAdapter(adapters.adapter());
    }
    return switch (rows) {
      case INSTRUCTIONS ->
          LanguageTrainingJob.onInstructions(
              language, data, prompts, taskOptions.packing(), maxLength, seed);
      case CHATS -> {
        ChatRows chats =
            new ChatRows(
                language.chats(taskOptions.chatTemplate()),
                taskOptions.learned(),
                LanguageTrainingJob.longest(
                    language, maxLength, data.stream() && taskOptions.packing()));
        TrainingJob job =
            LanguageTrainingJob.onChats(
                language, data, chats, taskOptions.packing(), maxLength, seed);
        chats.printFirst(spec.commandLine().getOut());
        yield job;
      }
      case PREFERENCES -> // without dropout, as in TRL
          PreferenceTrainingJob.of(
              language, data, taskOptions.chatTemplate(), taskOptions.beta(), maxLength, seed);
      case OWN -> LanguageTrainingJob.onText(language, data, maxLength, seed);
    };
  }

  private int train(
      ModelFiles files,
      TrainingJob job,
      TuningSettings settings,
      TrainingLog log,
      Optional<GlueTask> glue) {
    PrintWriter out = spec.commandLine().getOut();
    try (TrainingCluster.Connection connection = cluster.connect();
        Interrupt interrupt = new Interrupt();
        TrainingCurves curves =
            watchOptions.open(String.format(Locale.ROOT, "%s on %s", model, data.name()), out);
        TrainingProgress progress =
            new TrainingProgress(out, taskOptions.task().objective().hasPerplexity())) {
      if (connection != null) {
        job.model().trainBy(connection);
        // A cluster may tokenise as well, of which the module that steps are defined in knows
        // nothing.
        if (connection instanceof RowTokenizer executors && job.model() instanceof TextModel text) {
          text.tokenizeBy(executors);
        }
      }
      Trainer.Outcome outcome =
          job.train(
              settings,
              runOptions
                  .memoryLimit()
                  .andThen(log)
                  .andThen(curves)
                  .andThen(progress)
                  .andThen(interrupt));
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
      boolean sameDiff = save(job);
      TrainingReport report = TrainingReport.of(outcome, job, seconds, progress.tokens());
      report.print(out, glue, tuning.optimizer());
      if (connection != null) {
        out.println(connection.report());
      }
      printFolder(out, sameDiff);
      json.write(result(report, settings.tokens()));
      card(files, job).write(output, outcome, report.part(), report.scores());
      ConfigFile.write(output.resolve(ConfigFile.EFFECTIVE), spec);
      log.end(outcome);
      return outcome.stopped() ? INTERRUPTED : 0;
    } catch (BadInputException e) {
      log.failed(e);
      throw e;
    }
  }

  /** Saves the result; returns false if SameDiff's file would have belonged to it. */
  private boolean save(TrainingJob job) {
    if (adapters.areAlone()) {
      job.model().saveAdapter(output);
      return true;
    }
    return job.model().save(output);
  }

  private void printFolder(PrintWriter out, boolean sameDiff) {
    if (!sameDiff) {
      out.printf(
          Locale.ROOT,
          "No %s: the model is past the 1 GiB of SameDiff's file format.%n",
          TextModel.SAMEDIFF_FILE);
    }
    if (adapters.areAlone()) {
      out.printf(
          Locale.ROOT, "The adapters are in %s: --model %s --adapter %s%n", output, model, output);
    } else {
      out.printf(Locale.ROOT, "The model is in %s%n", output);
    }
    out.flush();
  }

  private ObjectNode result(TrainingReport report, String tokens) {
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("data", data.name()).put("task", taskOptions.task().name());
    report.putScores(result);
    result.put("tokens", tokens).put("seed", seed);
    adapters.put(result);
    tuning.put(result);
    embedding.put(result);
    if (taskOptions.task().objective() == Objectives.MASKED_LM) {
      masks.put(result);
    }
    taskOptions.put(result);
    report.putRun(result);
    return result.put("output", output.toString());
  }

  private ModelCard card(ModelFiles files, TrainingJob job) {
    return new ModelCard(
        files.repository() == null ? model : files.repository(),
        adapters.areAlone() && files.weights().origin().matches(".*\\.(gguf|bin)"),
        data.name(),
        taskOptions.task().name(),
        job.counts(),
        arguments(),
        version());
  }

  private List<String> arguments() {
    return spec.root().commandLine().getParseResult().originalArgs().stream()
        .map(DataOptions::shown)
        .toList();
  }

  private String version() {
    return spec.root().version()[0];
  }
}
