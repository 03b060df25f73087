package org.tokentune.text;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.EmbeddingBatches;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.datasets.RelatedTokenizer;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.SentenceModules;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.train.Evaluator;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/**
 * A sentence encoder that is trained on pairs of texts, triplets or scored pairs, by the modules
 * that its {@code modules.json} lists; what it saves loads in sentence-transformers. {@link
 * SentenceEncoder} makes vectors with the result.
 */
public final class EmbeddingModel extends AdaptableModel {

  private static final int EVALUATION_BATCH = 32;

  private final SentenceModules modules;
  private final TextTokenizer tokenizer;
  private final Integer maxLength;
  private String queryPrompt = "";
  private String documentPrompt = "";

  private EmbeddingModel(
      ModelFiles files,
      SentenceModules modules,
      TransformerModel model,
      Parameters parameters,
      Integer maxLength) {
    super(files, model, parameters);
    this.modules = modules;
    this.maxLength = maxLength;
    int longest = modules.longest(maxLength, model.config().maxPositions());
    tokenizer = TextTokenizer.open(files, longest, true, modules.lowerCase());
  }

  /**
   * Opens an encoder.
   *
   * @param maxLength tokens to which texts are cut; null: as the model's files say, or as many as
   *     it takes
   * @param dropout one rate for all layers; null: the rates of the configuration
   * @param storage of weights; other than {@link WeightStorage#FLOAT32} only to train adapters
   * @throws BadInputException for a decoder, or if the files say something of the vectors that is
   *     not supported
   */
  public static EmbeddingModel open(
      ModelFiles files,
      EmbeddingLoss loss,
      Integer maxLength,
      Double dropout,
      WeightStorage storage) {
    required(files, "files");
    required(loss, "loss");
    required(storage, "storage");

    ModelConfig config = ModelConfig.read(files.config(), files.name());
    if (config.causal()) {
      throw new BadSettingsException(
          "%s is a decoder, whose vectors are not trained; name an encoder, such as"
              + " all-minilm-l6-v2.",
          files.name());
    }
    if (dropout != null) {
      config = config.withDropout(TuningSettings.checkedDropout(dropout));
    }
    TextModel.checkLength(files, config, maxLength);
    SentenceModules modules = SentenceModules.read(files);
    Head head = Head.ofSentences(Objectives.embed(loss), modules, config.hidden());
    loss.check(head.outputs());
    if (!loss.dimensions().isEmpty() && !loss.dimensions().contains(head.outputs())) {
      Warnings.warn(
          "The whole vectors of %d numbers are not among the dimensions %s, so they are not trained.",
          head.outputs(), loss.dimensions());
    }
    if (SentenceModules.listDropout(files)) {
      Warnings.warn(
          "%s lists a Dropout of vectors, which is left out in training; the encoder's own rates"
              + " apply (--dropout).",
          files.companions().origin(CompanionFiles.MODULES));
    }
    if (modules.dimension() != null) {
      Warnings.warn(
          "%s cuts its vectors to %d numbers (truncate_dim); they are trained and scored whole.",
          files.name(), modules.dimension());
    }
    TransformerModel model = config.model(head);
    Parameters parameters =
        ParameterLoader.loadEncoder(model, modules.over(files.weights()), storage, 0);
    return new EmbeddingModel(files, modules, model, parameters, maxLength);
  }

  /**
   * Puts a prompt before the texts that are trained and scored; without, there is none, even if the
   * model has some, as in sentence-transformers.
   *
   * @param query before anchors: the name of one of the model's prompts, or a text; null for none
   * @param document before all other texts, likewise
   * @throws BadInputException if the model's vectors leave out a prompt's tokens
   */
  public void setPrompts(String query, String document) {
    checkOpen();
    queryPrompt = query == null ? "" : modules.prompt(query);
    documentPrompt = document == null ? "" : modules.prompt(document);
    if (!modules.includePrompt() && !(queryPrompt + documentPrompt).isEmpty()) {
      throw new BadSettingsException(
          "The vectors of %s leave the prompt's tokens out (include_prompt), which is not supported in"
              + " training; leave the prompts out.",
          files.name());
    }
  }

  /**
   * Puts new adapters on the model: from now on they train, and nothing else of the encoder.
   *
   * @param seed of their values
   */
  @Override
  public void addAdapter(LoraConfig config, long seed) {
    required(config, "config");

    adapt(() -> Adapter.fresh(model, parameters, config.withHead(model), seed));
  }

  /**
   * Puts trained adapters on the model.
   *
   * @throws BadInputException if they were made for another base
   */
  public void openAdapter(Path folder) {
    required(folder, "folder");

    adapt(() -> read(folder));
  }

  private Adapter read(Path folder) {
    try (AdapterFolder adapters = AdapterFolder.open(folder)) {
      return adapters.read(model, parameters);
    }
  }

  private Objective task() {
    return model.head().task();
  }

  private EmbeddingLoss loss() {
    return task().embeddingLoss().orElseThrow();
  }

  /** Fine-tunes in place and keeps the weights that validate best; without validation the last. */
  public Trainer.Outcome fineTune(
      List<RelatedTexts> train,
      List<RelatedTexts> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");

    return fineTune(train, null, validation, settings, listener);
  }

  /**
   * The same, with some rows more often than others.
   *
   * @param sampling of the training rows; null: each of them once in an epoch
   */
  public Trainer.Outcome fineTune(
      List<RelatedTexts> train,
      RowSampling sampling,
      List<RelatedTexts> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    List<List<TokenBatches.Row>> rows = rows(train);
    long seed = settings.hyperparameters().seed();
    return fineTune(
        epoch ->
            EmbeddingBatches.shuffled(rows, task(), sampling, settings.batchSize(), seed, epoch),
        () -> Tuning.digest(TextModel.flat(rows)),
        sampling,
        rows(validation),
        settings,
        listener);
  }

  /**
   * Streams rows from a file that may be larger than memory, in any format of {@link
   * org.tokentune.datasets.RowSource}. Their tokens are cached in the folder {@code
   * TOKENTUNE_CACHE}.
   *
   * @throws BadInputException if the file is missing, or too small to be streamed
   */
  public StreamedRows stream(Path file, RelatedTexts.TextColumns columns) {
    required(file, "file");
    required(columns, "columns");

    checkOpen();
    return related().stream(file, columns, files);
  }

  /**
   * Fine-tunes in place on rows that are streamed; as many steps as the settings say.
   *
   * @param validation rows to validate on, none: the last weights are kept; null: the end of the
   *     stream
   */
  public Trainer.Outcome fineTune(
      StreamedRows train,
      List<RelatedTexts> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    List<List<TokenBatches.Row>> validated =
        validation == null ? train.relatedValidation() : rows(validation);
    long seed = settings.hyperparameters().seed();
    Trainer.Outcome outcome =
        fineTune(
            epoch -> train.batches(settings.batchSize(), seed, epoch),
            train::digest,
            null,
            validated,
            settings,
            listener);
    train.warnOfLeftOut();
    return outcome;
  }

  private Trainer.Outcome fineTune(
      IntFunction<MultiDataSetIterator> train,
      Supplier<String> trainDigest,
      RowSampling sampling,
      List<List<TokenBatches.Row>> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    return tuning(model, tokenizer)
        .run(
            train,
            trainDigest,
            sampling,
            validation.isEmpty() ? null : evaluated(validation),
            () -> Tuning.digest(TextModel.flat(validation)),
            settings,
            listener);
  }

  private EmbeddingBatches evaluated(List<List<TokenBatches.Row>> rows) {
    return EmbeddingBatches.inOrder(rows, task(), EVALUATION_BATCH);
  }

  /**
   * Scores rows: of pairs with scores the correlations of their cosines; otherwise how well each
   * anchor finds its positives among the positives and negatives of all rows.
   */
  public Scores evaluate(List<RelatedTexts> rows) {
    required(rows, "rows");

    checkOpen();
    try (Evaluator evaluator = new Evaluator(model, parameters, tokenizer::quoted)) {
      return evaluator.evaluate(evaluated(rows(rows)));
    }
  }

  private List<List<TokenBatches.Row>> rows(List<RelatedTexts> all) {
    return related().rows(all);
  }

  private RelatedTokenizer related() {
    return new RelatedTokenizer(tokenizer, loss(), queryPrompt, documentPrompt);
  }

  /**
   * Saves a folder of sentence-transformers, and beside it {@link TextModel#SAMEDIFF_FILE}, whose
   * logits are the vectors; adapters are merged in. A model in the folder is replaced.
   *
   * @return whether the SameDiff file was written: models past its format's 1 GiB go without
   */
  @Override
  public boolean save(Path folder) {
    required(folder, "folder");

    checkOpen();
    return SavedSentenceModel.write(
        folder, new SavedSentenceModel(files, modules, maxLength), model, parameters, adapter);
  }

  @Override
  JsonNode adapterConfig() {
    return files.config().deepCopy();
  }

  @Override
  public void close() {
    super.close();
    tokenizer.close();
  }
}
