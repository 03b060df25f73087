package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.ChatFormat;
import org.tokentune.datasets.ChoiceQuestion;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Instructions;
import org.tokentune.datasets.PreferenceTokens;
import org.tokentune.datasets.PromptTemplate;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.datasets.TextBlocks;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Architectures;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.text.AnswerModel;
import org.tokentune.text.EmbeddingModel;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.MaskedLanguageModel;
import org.tokentune.text.MultipleChoice;
import org.tokentune.text.TextModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Scores a trained model, or any decoder. */
@Command(
    name = "evaluate",
    sortOptions = false,
    description =
        "Scores a trained model on labelled texts (a built-in data set: on its test part), or by its"
            + " perplexity on plain text: an encoder of hidden words, a decoder of all, or of answers to"
            + " instructions.",
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {

  /** Tokens of a decoder's rows without --max-length. */
  private static final int USUAL_LENGTH = 128;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description =
          "Folder of a trained model, or any decoder that train takes; with --adapter, the base.")
  private String model;

  @Mixin private AppliedAdapters adapters;
  @Mixin private StoredWeights weights;

  @Option(
      names = "--data",
      paramLabel = "NAME|FILE|TASK=DIR",
      required = true,
      description =
          "A built-in data set (sentiwordnet), a .csv, .tsv or .jsonl file, or a task of GLUE with a"
              + " folder or file (rte=glue_data/RTE); SQuAD's .json or rows for questions; for decoders plain text, or a"
              + " file of rows with texts or instructions.")
  private String data;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = {
        "Most tokens of a text; default: as the model was trained. For decoders: tokens of a block of",
        "plain text, or tokens to which instructions and answers are cut; default 128."
      })
  private Integer maxLength;

  @Mixin private LongTextOptions longTexts;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description =
          "For encoders: mlm (hidden words of plain text; the default without a classifier). For decoders: lm (plain text), instruct (answers to instructions), chat, dpo (preferred answers)"
              + " or multiple-choice"
              + " (rows with question, choices and answer, scored by log-likelihood); default"
              + " lm, for a .jsonl or .json file instruct.")
  private LanguageTask task;

  @Option(
      names = "--shots",
      paramLabel = "N",
      defaultValue = "0",
      description = "Solved questions before each question; default ${DEFAULT-VALUE}.")
  private int shots;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Seed that draws the solved questions; default ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--template",
      paramLabel = "NAME",
      description = {
        "How instructions are written: alpaca (default), chatml or plain. Of chat: a named template of",
        "the model, or chatml, llama3, alpaca or plain; default: the model's own."
      })
  private String template;

  @Option(
      names = "--reference",
      paramLabel = "MODEL",
      description = {
        "Of dpo: the model that the training started from; default: the model without its adapters."
      })
  private String reference;

  @Option(
      names = "--reference-adapter",
      paramLabel = "DIR",
      description = "Of dpo: the adapters that the training started from.")
  private Path referenceAdapter;

  @Option(
      names = "--beta",
      paramLabel = "B",
      description = "Of dpo: as in training; default " + TaskOptions.DEFAULT_BETA + ".")
  private Double beta;

  @Option(
      names = "--html",
      paramLabel = "FILE.html",
      description = {
        "Of classes, labels and tags: also write a page with the confusion matrix, precision and recall,",
        "calibration, and the rows that are most wrong. Predicts the rows a second time."
      })
  private Path html;

  @Mixin private EmbeddingOptions embedding;
  @Mixin private MaskOptions masks;
  @Mixin private DataOptions dataOptions;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Option(
      names = "--query",
      paramLabel = "SQL",
      description = {
        "The query that gives the rows, where the data are a database: a JDBC address such as",
        "jdbc:duckdb:reviews.duckdb, whose driver is on the class path."
      })
  void query(String sql) {
    dataOptions.query(sql);
  }

  /** Tasks over a vocabulary that models are scored on, as the command line names them. */
  enum LanguageTask {
    mlm,
    lm,
    instruct,
    chat,
    dpo,
    multiple_choice;

    @Override
    public String toString() {
      return name().replace('_', '-');
    }
  }

  @Override
  public Integer call() {
    json.check();
    if (html != null) {
      new OutputFile(html).check();
    }
    try (ModelFiles files = Models.open(model)) {
      boolean decoder = ModelConfig.read(files.config(), files.name()).causal();
      if (task != null && decoder == (task == LanguageTask.mlm)) {
        throw new BadSettingsException(
            "--task %s is for %s, and %s is none.", task, decoder ? "encoders" : "decoders", model);
      }
      if (isMasked(files)) {
        return masked(files);
      }
      masks.check(decoder ? Objectives.CAUSAL_LM : Objectives.CLASSIFY);
      return decoder ? decoder(files) : trained(files);
    }
  }

  /** Whether hidden words are scored: if asked, or if the model has no other head. */
  private boolean isMasked(ModelFiles files) {
    return task == LanguageTask.mlm
        || (task == null
            && !adapters.haveHead()
            && !files.companions().names().contains(CompanionFiles.MODULES)
            && Architectures.task(files.config(), 0).equals(Optional.of(Objectives.MASKED_LM)));
  }

  private int masked(ModelFiles files) {
    checkNoPage();
    longTexts.checkAbsent("mlm");
    masks.check(Objectives.MASKED_LM);
    try (MaskedLanguageModel encoder =
        MaskedLanguageModel.open(files, null, weights.storage(), seed)) {
      adapters.putOn(encoder);
      List<TokenBatches.Row> rows =
          encoder
              .texts(dataOptions.columns(), maxLength, masks.joined())
              .rows(dataOptions.path(data));
      return report(encoder.evaluate(rows, masks.masks(encoder)), List.of());
    }
  }

  private int trained(ModelFiles files) {
    if (Head.outputs(files.weights()).isEmpty()
        && files.companions().names().contains(CompanionFiles.MODULES)
        && !adapters.haveHead()) {
      longTexts.checkAbsent("embed");
      return embeddings(files);
    }
    try (TextModel trained = adapters.open(files, weights.storage())) {
      trained.setLongTexts(longTexts.over(trained.longTexts(), maxLength));
      if (trained.labels().task() == Objectives.QUESTION_ANSWERING) {
        longTexts.checkAbsent("qa");
        return answers(trained);
      }
      List<Example> rows = dataOptions.test(data);
      trained.labels().check(rows, data);
      if (!trained.labels().task().areClasses()) {
        checkNoPage();
      }
      Scores scores = trained.evaluate(rows);
      report(scores, trained.labels().names());
      if (html != null) {
        writePage(trained, rows, scores);
      }
      return 0;
    }
  }

  private void checkNoPage() {
    if (html != null) {
      throw new BadSettingsException(
          "--html is for models of classes, labels or tags, and %s is scored in another way; leave it"
              + " out.",
          model);
    }
  }

  private void writePage(TextModel trained, List<Example> rows, Scores scores) {
    String page =
        new EvaluationPage(trained.labels(), rows, trained.probabilities(rows))
            .html(
                model + " on " + data,
                String.format(
                    Locale.ROOT, "%s (%,d rows)", ScoresReport.line(scores), rows.size()));
    new OutputFile(html).write(out -> out.write(page.getBytes(UTF_8)));
    PrintWriter out = spec.commandLine().getOut();
    out.printf(Locale.ROOT, "The page is in %s%n", html);
    out.flush();
  }

  private int embeddings(ModelFiles files) {
    checkNoPage();
    List<RelatedTexts> rows = dataOptions.related(Path.of(data));
    try (EmbeddingModel encoder =
        EmbeddingModel.open(files, embedding.loss(rows), maxLength, null, weights.storage())) {
      embedding.putPrompts(encoder);
      adapters.putOn(encoder);
      return report(encoder.evaluate(rows), List.of());
    }
  }

  private int answers(TextModel trained) {
    checkNoPage();
    try (AnswerModel answers = new AnswerModel(trained)) {
      return report(answers.evaluate(SquadQuestion.read(dataOptions.path(data))), List.of());
    }
  }

  private int decoder(ModelFiles files) {
    checkNoPage();
    longTexts.checkAbsent("decoders");
    int length = maxLength == null ? USUAL_LENGTH : maxLength;
    PromptTemplate prompts =
        template == null || task == LanguageTask.chat || task == LanguageTask.dpo
            ? PromptTemplate.ALPACA
            : PromptTemplate.named(template);
    Path file = dataOptions.path(data);
    LanguageTask asked = task;
    if (asked == null) {
      boolean json = file.toString().endsWith(".jsonl") || file.toString().endsWith(".json");
      asked = json ? LanguageTask.instruct : LanguageTask.lm;
    }
    try (LanguageModel language = LanguageModel.open(files, null, weights.storage())) {
      adapters.putOn(language);
      checkPreferences(asked);
      if (asked == LanguageTask.dpo) {
        return preferences(language, file);
      }
      if (asked == LanguageTask.multiple_choice) {
        return report(MultipleChoice.score(language, ChoiceQuestion.read(file), shots, seed));
      }
      List<TokenBatches.Row> rows =
          switch (asked) {
            case instruct -> Instructions.rows(file, prompts, language.tokenizer(), length);
            case chat ->
                new ChatRows(language.chats(template), ChatFormat.Learned.ALL, length).read(file);
            default -> TextBlocks.rows(file, dataOptions.columns(), language.tokenizer(), length);
          };
      return report(language.evaluate(rows), List.of());
    }
  }

  private void checkPreferences(LanguageTask asked) {
    if (asked != LanguageTask.dpo
        && (reference != null || referenceAdapter != null || beta != null)) {
      throw new BadSettingsException(
          "--reference, --reference-adapter and --beta are for the task dpo, not for %s.", asked);
    }
  }

  private int preferences(LanguageModel language, Path file) {
    List<PreferenceTokens> rows = PreferenceTrainingJob.read(language, file, template, maxLength);
    double used = beta == null ? TaskOptions.DEFAULT_BETA : beta;
    if (reference == null && referenceAdapter == null) {
      return report(language.evaluatePreferences(rows, used, null), List.of());
    }
    try (ModelFiles files = Models.open(reference == null ? model : reference);
        LanguageModel other = LanguageModel.open(files, null, weights.storage())) {
      if (referenceAdapter != null) {
        other.openAdapter(referenceAdapter);
      }
      return report(language.evaluatePreferences(rows, used, other), List.of());
    }
  }

  private int report(MultipleChoice.Result choices) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        Locale.ROOT,
        "%s: accuracy %.1f%%, length-normalised %.1f%% (%,d questions, %d shots)%n",
        data,
        100 * choices.accuracy(),
        100 * choices.normalisedAccuracy(),
        choices.questions(),
        shots);
    out.flush();
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("data", data).put("shots", shots).put("seed", seed);
    result.put("rows", choices.questions()).put("accuracy", choices.accuracy());
    result.put("accuracy_normalised", choices.normalisedAccuracy());
    json.write(result);
    return 0;
  }

  private int report(Scores scores, List<String> labels) {
    PrintWriter out = spec.commandLine().getOut();
    ScoresReport.print(out, data, scores, labels);
    dataOptions.glue(data).ifPresent(glue -> ScoresReport.printGlue(out, glue, scores));
    out.flush();
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("data", data);
    ScoresReport.put(result, scores, labels);
    json.write(result);
    return 0;
  }
}
