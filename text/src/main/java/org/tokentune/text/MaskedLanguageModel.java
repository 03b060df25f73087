package org.tokentune.text;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.MaskableTexts;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.datasets.TokenizerJson;
import org.tokentune.datasets.WordMasks;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.Architectures;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.train.Evaluator;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/**
 * An encoder that is trained further on plain text: it finds words that are hidden (Devlin et al.,
 * 2019). What it saves is a model to fine-tune for any other task; {@link MaskFiller} fills masks
 * with it.
 */
public final class MaskedLanguageModel extends AdaptableModel {

  private static final int EVALUATION_BATCH = 8;

  /** Hides the same words whenever the same rows are scored. */
  private static final long EVALUATION_SEED = 0;

  /** Tokens of a block, if the model takes as many. */
  private static final int BLOCK = 128;

  private final TextTokenizer tokenizer;
  private final boolean newHead;

  private MaskedLanguageModel(
      ModelFiles files, TransformerModel model, Parameters parameters, boolean newHead) {
    super(files, model, parameters);
    this.newHead = newHead;
    tokenizer = TextTokenizer.open(files, Integer.MAX_VALUE, false);
  }

  /**
   * Loads an encoder. If its files have no head over the vocabulary, as those of sentence encoders,
   * it gets a new one, whose output layer is the table of words, and a warning says so.
   *
   * @param dropout one rate for all layers; null: the rates of the configuration
   * @param storage of weights; other than {@link WeightStorage#FLOAT32} to train adapters alone, or
   *     to score
   * @param seed of a new head
   * @throws BadInputException if the model is a decoder
   */
  public static MaskedLanguageModel open(
      ModelFiles files, Double dropout, WeightStorage storage, long seed) {
    required(files, "files");
    required(storage, "storage");

    ModelConfig config = ModelConfig.read(files.config(), files.name()).withHeadOf(files.weights());
    if (config.causal()) {
      throw new BadSettingsException(
          "%s is a decoder, which finds no hidden words; name an encoder, or train it on the next"
              + " word (lm).",
          files.name());
    }
    if (dropout != null) {
      config = config.withDropout(TuningSettings.checkedDropout(dropout));
    }
    TransformerModel model = model(config);
    WeightSource weights = files.weights();
    List<String> missing =
        model.parameters().keySet().stream()
            .filter(name -> model.isHead(name) && !ParameterLoader.has(model, weights, name))
            .toList();
    if (missing.isEmpty()) {
      return new MaskedLanguageModel(
          files, model, ParameterLoader.load(model, weights, storage), false);
    }
    Warnings.warn(
        "%s has no head for hidden words (%s); it begins with random weights, and %s.",
        files.name(),
        String.join(", ", missing),
        config.tied() ? "its output layer is the table of words" : "so does its output layer");
    return new MaskedLanguageModel(
        files, model, ParameterLoader.loadEncoder(model, weights, storage, seed), true);
  }

  private static TransformerModel model(ModelConfig config) {
    return config.model(new Head(Objectives.MASKED_LM, config.vocabulary(), Pooling.FIRST));
  }

  /**
   * Adds new adapters to the model: from now on only they train, and the layers of a new head.
   *
   * @param seed of their values
   */
  @Override
  public void addAdapter(LoraConfig config, long seed) {
    required(config, "config");

    adapt(() -> Adapter.fresh(model, parameters, newHead ? withHead(config) : config, seed));
  }

  /** Trains the layers of the head, but not the bias of each word. */
  private LoraConfig withHead(LoraConfig config) {
    Map<String, long[]> shapes = model.parameters();
    int words = model.config().vocabulary();
    return config.withTrained(
        shapes.keySet().stream()
            .filter(name -> model.isHead(name) && shapes.get(name)[0] != words)
            .map(name -> name.substring(0, name.lastIndexOf('.')))
            .distinct()
            .toList());
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
      return adapters.read(model, parameters);
    }
  }

  /** Its tokenizer, for texts of any length. */
  public TextTokenizer tokenizer() {
    return tokenizer;
  }

  /** The model, with its adapters. */
  TransformerModel model() {
    return model;
  }

  Parameters parameters() {
    return parameters;
  }

  /** The largest number of tokens that it takes at once. */
  public int maxLength() {
    return model.config().maxPositions();
  }

  /**
   * How it reads texts.
   *
   * @param columns the text's column in a file of rows
   * @param length tokens of a block, or to which each text is cut; null: 128 of a block, and for
   *     each text as many as the model takes
   * @param joined whether texts are joined and cut into blocks
   */
  public MaskableTexts texts(Columns columns, Integer length, boolean joined) {
    required(columns, "columns");

    int usual = joined ? Math.min(BLOCK, maxLength()) : maxLength();
    return new MaskableTexts(tokenizer, columns, length == null ? usual : length, joined);
  }

  /** Streams a file of texts. */
  public StreamedRows stream(Path file, MaskableTexts texts) {
    required(file, "file");
    required(texts, "texts");

    return texts.stream(file, files);
  }

  /**
   * Fine-tunes in place and keeps the weights that validate best.
   *
   * @param train rows of {@link MaskableTexts}
   * @param sampling of the training rows; null: each of them once in an epoch
   * @param validation none: the last weights are kept
   * @param masks hide other words in every epoch
   */
  public Trainer.Outcome fineTune(
      List<TokenBatches.Row> train,
      RowSampling sampling,
      List<TokenBatches.Row> validation,
      WordMasks masks,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(masks, "masks");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    if (train.isEmpty()) {
      throw new BadDataException("There are no training rows; give some.");
    }
    train.forEach(row -> check(row.ids().length));
    long seed = settings.hyperparameters().seed();
    return run(
        epoch ->
            TokenBatches.shuffled(
                train, Objectives.MASKED_LM, sampling, settings.batchSize(), seed, epoch),
        () -> Tuning.digest(train),
        sampling,
        validation,
        masks,
        settings,
        listener);
  }

  /** Fine-tunes in place on rows that are streamed; as many steps as the settings say. */
  public Trainer.Outcome fineTune(
      StreamedRows train,
      List<TokenBatches.Row> validation,
      WordMasks masks,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(masks, "masks");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    check(train.length());
    long seed = settings.hyperparameters().seed();
    Trainer.Outcome outcome =
        run(
            epoch -> train.batches(settings.batchSize(), seed, epoch),
            train::digest,
            null,
            validation,
            masks,
            settings,
            listener);
    train.warnOfLeftOut();
    return outcome;
  }

  /**
   * @param train an epoch's batches, by its number from 0, in which words are then hidden
   * @param digest identifies their rows
   */
  private Trainer.Outcome run(
      IntFunction<MultiDataSetIterator> train,
      Supplier<String> digest,
      RowSampling sampling,
      List<TokenBatches.Row> validation,
      WordMasks masks,
      TuningSettings settings,
      FineTuningListener listener) {
    long seed = settings.hyperparameters().seed();
    return tuning(model, tokenizer)
        .run(
            epoch -> masks.hide(train.apply(epoch), seed, epoch),
            () -> digest.get() + ", " + masks,
            sampling,
            hidden(validation, masks),
            () -> Tuning.digest(validation),
            settings,
            listener);
  }

  /** The rows with hidden words, to be scored; null if there are none. */
  private MultiDataSetIterator hidden(List<TokenBatches.Row> rows, WordMasks masks) {
    if (rows.isEmpty()) {
      return null;
    }
    rows.forEach(row -> check(row.ids().length));
    return masks.hide(
        TokenBatches.byLength(rows, Objectives.MASKED_LM, EVALUATION_BATCH), EVALUATION_SEED, 0);
  }

  /**
   * Loss and perplexity of hidden words, the same ones whenever the same rows are scored.
   *
   * @param rows of {@link MaskableTexts}, at least one
   */
  public Scores evaluate(List<TokenBatches.Row> rows, WordMasks masks) {
    required(rows, "rows");
    required(masks, "masks");

    checkOpen();
    if (rows.isEmpty()) {
      throw new BadDataException("There are no rows to score; give some.");
    }
    try (Evaluator evaluator = new Evaluator(model, parameters, tokenizer::quoted)) {
      return evaluator.evaluate(hidden(rows, masks));
    }
  }

  private void check(int length) {
    if (length > maxLength()) {
      throw new BadDataException(
          "Rows of %d tokens are longer than the %d of %s; cut them to fewer.",
          length, maxLength(), files.name());
    }
  }

  /**
   * Saves a folder of transformers' {@code ForMaskedLM}, with the other files of the model beside
   * it: that of a sentence encoder is still one. A model in the folder is replaced.
   *
   * @return whether the SameDiff file was written
   */
  @Override
  public boolean save(Path folder) {
    required(folder, "folder");

    checkOpen();
    ModelWriter.Extra companions = staged -> TokenizerJson.writeCompanions(staged, files);
    return SavedModel.merged(
        model,
        parameters,
        adapter,
        (base, merged) ->
            SavedModel.write(
                folder, config(), weights(base, merged), base, merged, companions, files));
  }

  /** The weights under transformers' names, with a pooler that the file had. */
  private Map<String, INDArray> weights(TransformerModel base, Parameters merged) {
    Map<String, INDArray> weights = new LinkedHashMap<>(merged.asMap());
    if (!base.config().tied()) {
      // Transformers reads the bias of a head that is not tied under another name.
      String decoder = base.headTable();
      String bias = decoder.replaceFirst("\\.decoder\\.weight$", ".bias");
      if (weights.containsKey(bias)) {
        weights.put(decoder.replaceFirst("weight$", "bias"), weights.get(bias));
      }
    }
    SavedModel.poolers(files, base).forEach(weights::putIfAbsent);
    return weights;
  }

  private ObjectNode config() {
    ObjectNode config = files.config().deepCopy();
    String type = config.path("model_type").asText("bert");
    config.put("model_type", type);
    config
        .putArray("architectures")
        .add(Architectures.of(Objectives.MASKED_LM, type).orElseThrow());
    config.remove(List.of("problem_type", "id2label", "label2id", "tokentune"));
    model.config().write(config);
    return config.put("torch_dtype", "float32");
  }

  @Override
  public void close() {
    super.close();
    tokenizer.close();
  }
}
