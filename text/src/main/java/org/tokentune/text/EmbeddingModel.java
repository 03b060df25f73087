package org.tokentune.text;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.EmbeddingBatches;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.datasets.RowSampling;
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
import org.tokentune.objectives.EmbeddingLabel;
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
    List<List<TokenBatches.Row>> validated = rows(validation);
    long seed = settings.hyperparameters().seed();
    return tuning(model, tokenizer)
        .run(
            epoch ->
                EmbeddingBatches.shuffled(
                    rows, task(), sampling, settings.batchSize(), seed, epoch),
            () -> Tuning.digest(TextModel.flat(rows)),
            sampling,
            validated.isEmpty() ? null : evaluated(validated),
            () -> Tuning.digest(TextModel.flat(validated)),
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
    EmbeddingLoss loss = loss();
    List<Example> texts = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      RelatedTexts row = all.get(i);
      if (row.texts().size() != loss.columns()) {
        throw new BadDataException(
            "Row %,d has %d texts, but the loss %s is of %d; give each row as many: \"%.60s\"",
            i + 1, row.texts().size(), loss.kind(), loss.columns(), row.texts().get(0));
      }
      if (loss.kind().scored() && row.score() == null) {
        throw new BadDataException(
            "Row %,d has no score, which the loss %s needs; give it one, or use ranking: \"%.60s\"",
            i + 1, loss.kind(), row.texts().get(0));
      }
      for (int column = 0; column < loss.columns(); column++) {
        String prompt = column == 0 ? queryPrompt : documentPrompt;
        texts.add(new Example(prompt + row.texts().get(column), null));
      }
    }
    warnOfScores(all);
    List<List<TextTokenizer.Tokens>> tokens =
        tokenizer.encodeAll(texts, Objectives.CLASSIFY, OnLong.CUT);
    List<List<TokenBatches.Row>> rows = new ArrayList<>();
    int next = 0;
    for (RelatedTexts row : all) {
      List<TokenBatches.Row> columns = new ArrayList<>();
      for (int column = 0; column < loss.columns(); column++) {
        TextTokenizer.Tokens text = tokens.get(next++).get(0);
        long key = EmbeddingLabel.keyOf(row.texts().get(column));
        float score = row.score() == null ? 0 : row.score();
        columns.add(
            new TokenBatches.Row(
                text.ids(), text.typeIds(), new EmbeddingLabel(column, key, score).encode()));
      }
      rows.add(columns);
    }
    return rows;
  }

  /** Cosines are compared with scores of 0 to 1. */
  private void warnOfScores(List<RelatedTexts> all) {
    if (loss().kind() != EmbeddingLoss.Kind.COSINE) {
      return;
    }
    long beyond = all.stream().filter(row -> row.score() < 0 || row.score() > 1).count();
    if (beyond > 0) {
      Warnings.warn(
          "%,d of %,d scores are not between 0 and 1, but the loss cosine compares them with cosines;"
              + " scale them, or use cosent, for which only their order counts.",
          beyond, all.size());
    }
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
