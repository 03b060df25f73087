package org.tokentune.text;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.LoraModel;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.chat.ChatTemplateSettings;
import org.tokentune.datasets.ChatFormat;
import org.tokentune.datasets.ChatTemplates;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.PreferenceBatches;
import org.tokentune.datasets.PreferenceTokens;
import org.tokentune.datasets.PromptTemplate;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.files.Digest;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.TokenizerConfig;
import org.tokentune.generate.ContinuousGenerator;
import org.tokentune.generate.Generation;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.generate.Generator;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.Evaluator;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.SelectionComparison;
import org.tokentune.train.Trainer;
import org.tokentune.train.WeightDigest;

/** A tokenizer and a decoder, which predicts every token of a text from those before it. */
public final class LanguageModel extends AdaptableModel {

  private static final int EVALUATION_BATCH = 8;

  /** Tokens of a block, if the model takes as many. */
  private static final int BLOCK = 128;

  private final TextTokenizer tokenizer;

  private LanguageModel(ModelFiles files, TransformerModel model, Parameters parameters) {
    super(files, model, parameters);
    tokenizer = TextTokenizer.open(files, Integer.MAX_VALUE, false);
  }

  /**
   * Loads a decoder.
   *
   * @param dropout one rate for all layers; null: the rates of the configuration
   * @throws BadInputException if the model is an encoder
   */
  public static LanguageModel open(ModelFiles files, Double dropout) {
    return open(files, dropout, WeightStorage.FLOAT32);
  }

  /**
   * Loads a decoder.
   *
   * @param dropout one rate for all layers; null: the rates of the configuration
   * @param storage of weights; other than {@link WeightStorage#FLOAT32} to train adapters alone, or
   *     to generate
   * @throws BadInputException if the model is an encoder
   */
  public static LanguageModel open(ModelFiles files, Double dropout, WeightStorage storage) {
    required(files, "files");
    required(storage, "storage");

    ModelConfig config = ModelConfig.read(files.config(), files.name()).withHeadOf(files.weights());
    if (!config.causal()) {
      throw new BadSettingsException(
          "%s is an encoder, which does not predict the next token; name a decoder.", files.name());
    }
    if (dropout != null) {
      config = config.withDropout(TuningSettings.checkedDropout(dropout));
    }
    TransformerModel model =
        config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
    return new LanguageModel(files, model, ParameterLoader.load(model, files.weights(), storage));
  }

  /**
   * Adds new adapters to the model: from now on only they train.
   *
   * @param seed of their values
   */
  @Override
  public void addAdapter(LoraConfig config, long seed) {
    required(config, "config");

    adapt(() -> Adapter.fresh(model, parameters, config, seed));
  }

  /**
   * Puts trained adapters on the model, as {@link #saveAdapter} or PEFT wrote them.
   *
   * @throws BadInputException if they were made for another base
   */
  public void openAdapter(Path folder) {
    required(folder, "folder");
    adapt(() -> read(folder));
  }

  /**
   * Puts several trained adapters on the model at once.
   *
   * @throws BadInputException as {@link #openAdapter}, or if they cannot be combined
   */
  public void openAdapters(List<WeightedAdapter> adapters, Adapter.Combination combination) {
    required(adapters, "adapters");
    required(combination, "combination");
    adapt(() -> combined(adapters, combination, this::read));
  }

  private Adapter read(Path folder) {
    try (AdapterFolder adapters = AdapterFolder.open(folder)) {
      Objective task = adapters.task().orElse(Objectives.CAUSAL_LM);
      if (task != Objectives.CAUSAL_LM && task != Objectives.FEATURE_EXTRACTION) {
        throw new BadFileException(
            "%s was trained for another task than text (its task_type says so), which is not"
                + " supported on a decoder; name adapters of CAUSAL_LM.",
            folder);
      }
      return adapters.read(model, parameters);
    }
  }

  /**
   * How it reads conversations.
   *
   * @param template its name, as {@link ChatTemplates} knows it; null: the model's own
   * @throws BadInputException if there is none, or it cannot be read
   */
  public ChatFormat chats(String template) {
    return ChatFormat.of(
        files.companions(),
        TokenizerConfig.read(files.companions(), files.config()),
        tokenizer,
        template,
        ChatTemplateSettings.defaults());
  }

  /** Its tokenizer, for texts of any length. */
  public TextTokenizer tokenizer() {
    return tokenizer;
  }

  /** The largest number of tokens that it takes at once. */
  public int maxLength() {
    return model.config().maxPositions();
  }

  /** The usual number of tokens in a block of plain text: 128, or fewer if it takes fewer. */
  public int blockLength() {
    return Math.min(BLOCK, maxLength());
  }

  /** Fine-tunes in place and keeps the weights that validate best. */
  public Trainer.Outcome fineTune(
      List<TokenBatches.Row> train,
      List<TokenBatches.Row> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");
    checkOpen();

    return fineTune(train, null, validation, settings, listener);
  }

  /**
   * The same, with some rows more often than others.
   *
   * @param sampling of the training rows; null: each of them once in an epoch
   * @param validation none: the last weights are kept
   */
  public Trainer.Outcome fineTune(
      List<TokenBatches.Row> train,
      RowSampling sampling,
      List<TokenBatches.Row> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    train.forEach(this::check);
    validation.forEach(this::check);
    return tuning(model, tokenizer)
        .run(train, sampling, validation, EVALUATION_BATCH, settings, listener);
  }

  /**
   * Streams plain text, or rows whose texts are in a column of the usual name.
   *
   * @param length tokens of a block
   */
  public StreamedRows stream(Path file, int length) {
    return stream(file, Columns.DEFAULT, length);
  }

  /**
   * Streams plain text, or the texts in a file of rows. Their tokens are cached in the folder
   * {@code TOKENTUNE_CACHE}.
   *
   * @param columns the text's column in a file of rows
   * @param length tokens of a block
   */
  public StreamedRows stream(Path file, Columns columns, int length) {
    required(file, "file");
    required(columns, "columns");

    return StreamedRows.ofText(file, columns, tokenizer, files, length);
  }

  /**
   * Streams a file of instructions. Their tokens are cached in the folder {@code TOKENTUNE_CACHE}.
   *
   * @param length tokens to which rows are cut
   */
  public StreamedRows stream(Path file, PromptTemplate template, int length) {
    required(file, "file");
    required(template, "template");

    return StreamedRows.ofInstructions(file, template, tokenizer, files, length);
  }

  /**
   * Streams a file of conversations. Their tokens are cached in the folder {@code TOKENTUNE_CACHE}.
   *
   * @param length tokens to which rows are cut
   */
  public StreamedRows stream(Path file, ChatFormat format, ChatFormat.Learned learned, int length) {
    required(file, "file");
    required(format, "format");
    required(learned, "learned");

    return StreamedRows.ofChats(file, format, learned, files, length);
  }

  /** Fine-tunes in place on rows that are streamed; as many steps as the settings say. */
  public Trainer.Outcome fineTune(
      StreamedRows train,
      List<TokenBatches.Row> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    check(train.length());
    validation.forEach(this::check);
    long seed = settings.hyperparameters().seed();
    Trainer.Outcome outcome =
        tuning(model, tokenizer)
            .run(
                epoch -> train.batches(settings.batchSize(), seed, epoch),
                train::digest,
                null,
                validation,
                EVALUATION_BATCH,
                settings,
                listener);
    train.warnOfLeftOut();
    return outcome;
  }

  /**
   * Fine-tunes in place on preferences, as the other method does, with each row once in an epoch.
   */
  public Trainer.Outcome prefer(
      List<PreferenceTokens> train,
      List<PreferenceTokens> validation,
      double beta,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");

    return prefer(train, null, validation, beta, settings, listener);
  }

  /**
   * Fine-tunes in place on preferences (direct preference optimization), and keeps the weights that
   * validate best. The reference is the model as it is now, with its adapters if it has some:
   * without new ones that is the base. What it says of all rows is computed once, so that it is not
   * in memory twice; a run that writes checkpoints stores it beside them, and reads it when it is
   * resumed.
   *
   * @param sampling of the training rows; null: each of them once in an epoch
   * @param validation none: the last weights are kept
   * @param beta how much log-probabilities count, 0.1 in TRL
   */
  public Trainer.Outcome prefer(
      List<PreferenceTokens> train,
      RowSampling sampling,
      List<PreferenceTokens> validation,
      double beta,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    if (train.isEmpty()) {
      throw new BadDataException("There are no training rows; give some.");
    }
    TransformerModel preferring = preferring(beta);
    Objective task = preferring.head().task();
    List<PreferenceTokens> all = Stream.concat(train.stream(), validation.stream()).toList();
    float[] reference =
        StoredReference.get(
            settings.run(), () -> identity(all), () -> answers(all, preferring, parameters));
    List<PreferenceTokens> rows = referred(train, reference, 0);
    List<PreferenceTokens> validated = referred(validation, reference, train.size());
    long seed = settings.hyperparameters().seed();
    return tuning(preferring, tokenizer)
        .run(
            epoch ->
                PreferenceBatches.shuffled(rows, task, sampling, settings.batchSize(), seed, epoch),
            () -> digest(train),
            sampling,
            validated.isEmpty()
                ? null
                : PreferenceBatches.byLength(validated, task, EVALUATION_BATCH),
            () -> digest(validation),
            settings,
            listener);
  }

  private static String digest(List<PreferenceTokens> rows) {
    return Tuning.digest(rows.stream().flatMap(row -> row.texts().stream()).toList());
  }

  private TransformerModel preferring(double beta) {
    Head head = new Head(Objectives.dpo(beta), model.head().outputs(), Pooling.FIRST);
    return adapter == null
        ? model.config().model(head)
        : new LoraModel(adapter.model().base().config().model(head), adapter.model().lora());
  }

  /** What the log-probabilities of answers depend on. */
  private String identity(List<PreferenceTokens> rows) {
    return new Digest()
        .add(digest(rows))
        .add(model.withoutDropout().config().toString())
        .add(adapter == null ? "" : adapter.model().lora().toString())
        .add(WeightDigest.of(parameters))
        .hex();
  }

  /** The log-probabilities that a model gives the answers: chosen and rejected of each row. */
  private float[] answers(
      List<PreferenceTokens> rows, TransformerModel reference, Parameters weights) {
    rows.forEach(row -> row.texts().forEach(this::check));
    PreferenceBatches batches =
        PreferenceBatches.byLength(rows, reference.head().task(), EVALUATION_BATCH);
    int[] order = batches.order();
    float[] answers = new float[2 * order.length];
    int next = 0;
    try (Evaluator evaluator = new Evaluator(reference, weights, tokenizer::quoted)) {
      for (INDArray batch : evaluator.scored(batches)) {
        float[] both = batch.toFloatVector();
        int count = both.length / 2;
        for (int i = 0; i < count; i++) {
          int row = order[next++];
          answers[2 * row] = both[i];
          answers[2 * row + 1] = both[count + i];
        }
      }
    }
    return answers;
  }

  /**
   * Rows with their log-probabilities.
   *
   * @param answers as {@link #answers} returns them
   * @param first the number of the first row in them
   */
  private static List<PreferenceTokens> referred(
      List<PreferenceTokens> rows, float[] answers, int first) {
    return IntStream.range(0, rows.size())
        .mapToObj(
            i -> rows.get(i).withReference(answers[2 * (first + i)], answers[2 * (first + i) + 1]))
        .toList();
  }

  /**
   * Scores preferences: the share of rows whose chosen answer has gained more than the rejected one
   * since the reference, and by how much; a tie is no success.
   *
   * @param reference another model of the same tokens; null: this one without its adapters
   * @throws BadInputException without both
   */
  public Scores evaluatePreferences(
      List<PreferenceTokens> rows, double beta, LanguageModel reference) {
    required(rows, "rows");

    checkOpen();
    TransformerModel preferring = preferring(beta);
    List<PreferenceTokens> referred;
    if (reference != null) {
      if (reference.model.config().vocabulary() != model.config().vocabulary()) {
        throw new BadSettingsException(
            "The reference %s has %,d tokens, but %s has %,d; name the model that the training started from.",
            reference.files.name(),
            reference.model.config().vocabulary(),
            files.name(),
            model.config().vocabulary());
      }
      referred = referred(rows, answers(rows, reference.preferring(beta), reference.parameters), 0);
    } else if (adapter != null) {
      TransformerModel base = adapter.model().base().config().model(preferring.head());
      referred = referred(rows, answers(rows, base, adapter.baseParameters()), 0);
    } else {
      throw new BadSettingsException(
          "Preferences are scored against a reference; give adapters, whose base it is, or another"
              + " model.");
    }
    try (Evaluator evaluator = new Evaluator(preferring, parameters, tokenizer::quoted)) {
      return evaluator.evaluate(
          PreferenceBatches.byLength(referred, preferring.head().task(), EVALUATION_BATCH));
    }
  }

  /** Loss and perplexity of the rows' labels. */
  public Scores evaluate(List<TokenBatches.Row> rows) {
    required(rows, "rows");

    checkOpen();
    rows.forEach(this::check);
    try (Evaluator evaluator = new Evaluator(model, parameters, tokenizer::quoted)) {
      return evaluator.evaluate(
          TokenBatches.byLength(rows, Objectives.CAUSAL_LM, EVALUATION_BATCH));
    }
  }

  /**
   * How gradients through selected tokens compare with those through all.
   *
   * @param batchSize rows of a batch; the last one may have fewer
   * @param draws of tokens for each batch
   */
  public SelectionComparison compare(
      List<TokenBatches.Row> rows, TokenSelector selector, int batchSize, int draws, long seed) {
    required(rows, "rows");
    required(selector, "selector");
    checkOpen();

    rows.forEach(this::check);
    return SelectionComparison.of(
        model,
        parameters,
        TokenBatches.byLength(rows, Objectives.CAUSAL_LM, batchSize),
        selector,
        draws,
        seed);
  }

  /**
   * Continues a text, or begins one where the prompt is empty.
   *
   * @param listener gets the new text, piece by piece, as it comes; of beam search at its end
   */
  public Generation generate(
      String prompt, GenerationSettings settings, Consumer<String> listener) {
    required(prompt, "prompt");
    required(settings, "settings");
    required(listener, "listener");
    return generateFrom(promptIds(prompt), settings, listener);
  }

  /**
   * Continues tokens, such as those of a chat with its generation prompt.
   *
   * @param ids at least one
   * @param listener gets the new text, piece by piece, as it comes; of beam search at its end
   */
  public Generation generateFrom(
      int[] ids, GenerationSettings settings, Consumer<String> listener) {
    required(ids, "ids");
    required(settings, "settings");
    required(listener, "listener");
    checkOpen();
    TextPieces pieces = new TextPieces(tokenizer, ids, settings.stops(), listener);
    try (Generator generator = new Generator(model, parameters)) {
      Generation generation =
          generator.generate(
              ids, settings, StopTexts.condition(tokenizer, settings.stops()), pieces::add);
      pieces.end();
      return generation;
    }
  }

  /**
   * Continues texts side by side: with the same seed, as if one after the other. The keys and
   * values of all are held at once, so give as many as there is memory for.
   *
   * @param prompts empty ones begin a text
   * @return their continuations, in their order
   */
  public List<GeneratedText> generate(List<String> prompts, GenerationSettings settings) {
    required(prompts, "prompts");
    required(settings, "settings");
    checkOpen();
    List<int[]> ids = prompts.stream().map(this::promptIds).toList();
    List<Generation> generations;
    try (Generator generator = new Generator(model, parameters)) {
      generations =
          generator.generate(ids, settings, StopTexts.condition(tokenizer, settings.stops()));
    }
    List<GeneratedText> texts = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      StringBuilder text = new StringBuilder();
      TextPieces pieces = new TextPieces(tokenizer, ids.get(i), settings.stops(), text::append);
      Arrays.stream(generations.get(i).ids()).forEach(pieces::add);
      pieces.end();
      texts.add(new GeneratedText(text.toString(), generations.get(i)));
    }
    return texts;
  }

  /**
   * Texts that are generated side by side, each of which may begin at any time.
   *
   * @param tokens of all texts together whose keys and values are held; a longer text is refused
   */
  public GenerationBatch batch(int tokens) {
    checkOpen();
    return new GenerationBatch(new ContinuousGenerator(model, parameters, tokens), tokenizer);
  }

  /**
   * A second model on the same weights, with trained adapters on it, as {@link #saveAdapter} or
   * PEFT wrote them. Neither closes the other.
   *
   * @throws BadInputException if this one has adapters, or they were made for another base
   */
  public LanguageModel withAdapter(Path folder) {
    required(folder, "folder");
    checkOpen();
    LanguageModel other = new LanguageModel(files, model, parameters);
    boolean complete = false;
    try {
      other.adapter = adapter; // which openAdapter refuses
      other.openAdapter(folder);
      complete = true;
      return other;
    } finally {
      if (!complete) {
        other.close();
      }
    }
  }

  /** The tokens of a text to continue; of an empty one, the token that begins a text. */
  public int[] promptIds(String prompt) {
    required(prompt, "prompt");

    int[] ids = tokenizer.encodePrompt(prompt);
    if (ids.length == 0) {
      ids = tokenizer.begin().stream().toArray();
    }
    if (ids.length == 0) {
      throw new BadDataException(
          "The prompt is empty, and %s has no token to begin a text with; give a prompt.",
          files.name());
    }
    return ids;
  }

  /** Log-likelihoods of each row's labels, given the tokens before them. */
  public double[] logLikelihoods(List<TokenBatches.Row> rows) {
    required(rows, "rows");

    checkOpen();
    rows.forEach(this::check);
    double[] results = new double[rows.size()];
    TokenBatches single = TokenBatches.byLength(rows, Objectives.CAUSAL_LM, 1);
    int[] order = single.order();
    try (Evaluator evaluator = new Evaluator(model, parameters, tokenizer::quoted)) {
      List<Double> losses = evaluator.losses(single);
      for (int i = 0; i < order.length; i++) {
        results[order[i]] = -losses.get(i);
      }
    }
    return results;
  }

  private void check(TokenBatches.Row row) {
    check(row.ids().length);
  }

  private void check(int length) {
    if (length > maxLength()) {
      throw new BadDataException(
          "Rows of %d tokens are longer than the %d of %s; cut them to fewer.",
          length, maxLength(), files.name());
    }
  }

  /**
   * Saves a Hugging Face folder and SameDiff's file, as {@link TextModel#save}. A model in the
   * folder is replaced.
   *
   * @return whether the SameDiff file was written
   */
  @Override
  public boolean save(Path folder) {
    required(folder, "folder");

    checkOpen();
    return SavedModel.write(folder, config(), model, parameters, adapter, files);
  }

  private ObjectNode config() {
    ObjectNode config = files.config().deepCopy();
    model.config().write(config);
    return config;
  }

  @Override
  public void close() {
    super.close();
    tokenizer.close();
  }
}
