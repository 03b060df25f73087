package org.tokentune.text;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.nd4j.evaluation.IEvaluation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.RowTokenizer;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.datasets.TextBatches;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.datasets.TokenizerRecipe;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.Architectures;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.objectives.Tally;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.Evaluator;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.InferenceEngine;
import org.tokentune.train.InputGradients;
import org.tokentune.train.SelectionComparison;
import org.tokentune.train.StepInputs;
import org.tokentune.train.Trainer;

/**
 * A tokenizer, an encoder and a head over a data set's labels. Several threads may predict with
 * one; it runs one batch after the other.
 */
public final class TextModel extends AdaptableModel {

  /** The inference graph, as {@code SameDiff.load} reads it. */
  public static final String SAMEDIFF_FILE = SavedModel.SAMEDIFF_FILE;

  private static final int EVALUATION_BATCH = 32;

  private HeadConfig headConfig;
  private TextTokenizer tokenizer;
  private RowTokenizer elsewhere; // null: the rows of fine-tuning are tokenised here
  private InferenceEngine inference;

  private TextModel(
      ModelFiles files, HeadConfig headConfig, TransformerModel model, Parameters parameters) {
    super(files, model, parameters);
    this.headConfig = headConfig;
    tokenizer = tokenizer(files, model.config(), headConfig.longTexts());
  }

  /**
   * A pretrained encoder under a new head, or the head it has where that fits. In a classifier that
   * was trained on these labels, or on these and others, each keeps its weights: labels of no
   * numbers of their own take the model's, and so {@link #labels} may be others. A classifier that
   * was trained on other labels is made anew.
   *
   * @param labels what to learn
   * @param maxLength tokens to which texts are cut; null: as many as the model takes. {@link
   *     #setLongTexts} says what else may become of longer texts
   * @param dropout one rate for all layers; null: the rates of the configuration
   * @param storage of weights; other than {@link WeightStorage#FLOAT32} only to train adapters, or
   *     the head alone
   * @param seed of a new head's values
   */
  public static TextModel forTask(
      ModelFiles files,
      Labels labels,
      Pooling pooling,
      Integer maxLength,
      Double dropout,
      WeightStorage storage,
      long seed) {
    required(files, "files");
    required(labels, "labels");
    required(pooling, "pooling");
    required(storage, "storage");

    ModelConfig config = ModelConfig.read(files.config(), files.name());
    if (dropout != null) {
      config = config.withDropout(TuningSettings.checkedDropout(dropout));
    }
    Labels own = labels;
    WeightSource weights = files.weights();
    if (labels.task().areClasses() && Head.outputs(weights).isPresent()) {
      Optional<TrainedClasses> trained = HeadConfig.classes(files);
      int[] outputs = trained.map(known -> known.outputs(labels)).orElse(null);
      if (outputs != null && !labels.numbered()) {
        own = trained.get().renumbered(labels, outputs);
      } else {
        weights = Head.withOutputs(weights, outputs);
      }
    }
    TransformerModel model = config.model(new Head(own.task(), own.outputs(), pooling));
    return new TextModel(
        files,
        new HeadConfig(own, pooling, LongTexts.cut(maxLength), null),
        model,
        ParameterLoader.loadEncoder(model, weights, storage, seed));
  }

  /** A pretrained encoder to classify texts into the classes of {@code rows}. */
  public static TextModel forClasses(ModelFiles files, List<Example> rows) {
    required(files, "files");
    required(rows, "rows");

    return forTask(
        files,
        Labels.of(Objectives.CLASSIFY, rows),
        Pooling.FIRST,
        null,
        null,
        WeightStorage.FLOAT32,
        42);
  }

  /**
   * A model with a trained head, as {@link #save} or transformers wrote it.
   *
   * @throws BadInputException if it does not have one
   */
  public static TextModel open(ModelFiles files) {
    return openAs(files, WeightStorage.FLOAT32);
  }

  /** As {@link #open(ModelFiles)}, with another storage of the weights. */
  public static TextModel openAs(ModelFiles files, WeightStorage storage) {
    required(files, "files");

    ModelConfig config = ModelConfig.read(files.config(), files.name());
    HeadConfig head = HeadConfig.read(files);
    TransformerModel model =
        config.model(new Head(head.labels().task(), head.labels().outputs(), head.pooling()));
    return new TextModel(files, head, model, ParameterLoader.load(model, files.weights(), storage));
  }

  /**
   * A model with trained adapters and their head, as {@link #saveAdapter} or PEFT wrote them.
   *
   * @param files of the base
   * @param adapters their folder; without a {@code config.json} there, their {@code task_type} says
   *     the task, and the base's configuration the labels, where it has as many
   * @throws BadInputException if they were made for another base, or there is no head
   */
  public static TextModel open(ModelFiles files, Path adapters) {
    required(adapters, "adapters");
    return open(
        files,
        List.of(WeightedAdapter.of(adapters)),
        Adapter.Combination.CAT,
        WeightStorage.FLOAT32);
  }

  /**
   * As {@link #open(ModelFiles, Path)}, with several adapters at once, of which one at most has the
   * head; the others adapt the same base.
   *
   * @param storage of the base's weights
   * @throws BadInputException also if they cannot be combined
   */
  public static TextModel open(
      ModelFiles files,
      List<WeightedAdapter> adapters,
      Adapter.Combination combination,
      WeightStorage storage) {
    required(files, "files");
    required(adapters, "adapters");
    required(combination, "combination");
    if (adapters.isEmpty()) {
      throw BadSettingsException.of("adapters", "are empty; name at least one.");
    }
    TextModel model = openFirst(files, headed(adapters), storage);
    TransformerModel base = model.model;
    Parameters parameters = model.parameters;
    List<Adapter> read = new ArrayList<>();
    for (WeightedAdapter one : adapters) {
      try (AdapterFolder folder = AdapterFolder.open(one.folder())) {
        read.add(folder.read(base, parameters));
      }
    }
    WeightedAdapter first = adapters.get(0);
    model.set(
        read.size() == 1 && first.weight() == 1
            ? read.get(0)
            : Adapter.combined(
                read, adapters.stream().map(WeightedAdapter::weight).toList(), combination));
    return model;
  }

  /** The first folder with a head of its own, or else the first. */
  private static Path headed(List<WeightedAdapter> adapters) {
    for (WeightedAdapter one : adapters) {
      try (AdapterFolder folder = AdapterFolder.open(one.folder())) {
        if (folder.outputs().isPresent()) {
          return one.folder();
        }
      }
    }
    return adapters.get(0).folder();
  }

  /** The base with the adapters' head. */
  private static TextModel openFirst(ModelFiles files, Path adapters, WeightStorage storage) {
    ModelConfig config = ModelConfig.read(files.config(), files.name());
    if (config.causal()) {
      throw new BadSettingsException(
          "%s is a decoder, on which no classifier is supported; name the encoder that %s was"
              + " trained on.",
          files.name(), adapters);
    }
    try (AdapterFolder folder = AdapterFolder.open(adapters)) {
      int outputs = folder.outputs().orElseGet(() -> Head.outputs(files.weights()).orElse(0));
      if (outputs == 0) {
        throw new BadFileException(
            "Neither %s nor %s has a classifier to predict with; name adapters that were trained"
                + " with one (PEFT's modules_to_save).",
            adapters, files.name());
      }
      JsonNode json = folder.modelConfig(files.config());
      if (Architectures.task(json, outputs).isEmpty()) {
        throw new BadFileException(
            "%s does not say for which task it was trained, or the task is not supported; give"
                + " its %s the task_type SEQ_CLS, TOKEN_CLS or QUESTION_ANS.",
            adapters, AdapterFolder.CONFIG);
      }
      HeadConfig head = HeadConfig.read(json, outputs, adapters.toString());
      TransformerModel base =
          config.model(new Head(head.labels().task(), head.labels().outputs(), head.pooling()));
      folder.check(base);
      Parameters parameters =
          ParameterLoader.load(base, folder.over(files.weights(), base), storage);
      return new TextModel(files, head, base, parameters);
    }
  }

  /**
   * Puts new adapters on the model: from now on they train, and the head beside them, and nothing
   * else.
   *
   * @param seed of their values
   */
  @Override
  public void addAdapter(LoraConfig config, long seed) {
    required(config, "config");

    adapt(() -> Adapter.fresh(model, parameters, config.withHead(model), seed));
  }

  @Override
  void set(Adapter newAdapter) {
    super.set(newAdapter);
    closeInference();
  }

  /** The files' tokenizer, for the lengths that the model can take. */
  static TextTokenizer tokenizer(ModelFiles files, ModelConfig config, LongTexts longTexts) {
    Integer maxLength = longTexts.maxLength();
    checkLength(files, config, maxLength);
    int longest = maxLength == null ? config.maxPositions() : maxLength;
    return TextTokenizer.open(files, longest, longTexts.onLong() == OnLong.CUT);
  }

  /** Rejects a length that the model cannot take; null is valid. */
  static void checkLength(ModelFiles files, ModelConfig config, Integer maxLength) {
    int most = config.maxPositions();
    int least = 3; // the special tokens and one of the text
    if (maxLength != null && (maxLength < least || maxLength > most)) {
      throw BadSettingsException.of(
          "maxLength", "must be %d to %d for %s, got %d.", least, most, files.name(), maxLength);
    }
  }

  ModelFiles files() {
    return files;
  }

  /** The largest number of tokens of a text; null: as many as the model takes. */
  Integer maxLength() {
    return longTexts().maxLength();
  }

  /** How texts are treated that are longer than fits. */
  public LongTexts longTexts() {
    return headConfig.longTexts();
  }

  /**
   * Sets how texts are treated that are longer than fits, from now on and in the saved model. Split
   * texts train as one row for each window, with the labels of the text.
   *
   * @throws BadInputException if the model does not take as many tokens
   */
  public void setLongTexts(LongTexts longTexts) {
    required(longTexts, "longTexts");

    checkOpen();
    TextTokenizer opened = tokenizer(files, model.config(), longTexts);
    tokenizer.close();
    tokenizer = opened;
    headConfig = headConfig.with(longTexts);
  }

  /** The probability past which a question counts as without an answer; null: all have one. */
  Double noAnswerThreshold() {
    return headConfig.noAnswerThreshold();
  }

  void setNoAnswerThreshold(Double threshold) {
    headConfig = headConfig.withNoAnswerThreshold(threshold);
  }

  /** Lets the rows of fine-tuning be tokenised elsewhere. */
  public void tokenizeBy(RowTokenizer newTokenizer) {
    required(newTokenizer, "newTokenizer");

    elsewhere = newTokenizer;
  }

  /** The meaning of the model's outputs. */
  public Labels labels() {
    return headConfig.labels();
  }

  /**
   * Fine-tunes in place and keeps the weights that validate best, or without validation rows the
   * last.
   */
  public Trainer.Outcome fineTune(DataSplit data, TuningSettings settings) {
    return fineTune(data, settings, new FineTuningListener() {});
  }

  /** The same, with a listener. */
  public Trainer.Outcome fineTune(
      DataSplit data, TuningSettings settings, FineTuningListener listener) {
    required(data, "data");
    required(settings, "settings");
    required(listener, "listener");
    checkOpen();

    return fineTune(data, null, settings, listener);
  }

  /**
   * The same, with some rows more often than others.
   *
   * @param sampling of the training rows; null: each of them once in an epoch
   */
  public Trainer.Outcome fineTune(
      DataSplit data, RowSampling sampling, TuningSettings settings, FineTuningListener listener) {
    required(data, "data");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    List<List<List<TokenBatches.Row>>> rows = rows(List.of(data.train(), data.validation()));
    return fineTune(rows.get(0), sampling, flat(rows.get(1)), settings, listener);
  }

  /**
   * The same with tokenised rows.
   *
   * @param train rows, each in one or several windows
   */
  Trainer.Outcome fineTune(
      List<List<TokenBatches.Row>> train,
      RowSampling sampling,
      List<TokenBatches.Row> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    RowSampling ofWindows =
        sampling == null ? null : sampling.repeated(train.stream().map(List::size).toList());
    return tuning(model, tokenizer)
        .run(flat(train), ofWindows, validation, EVALUATION_BATCH, settings, listener);
  }

  /**
   * Streams labelled texts from a file that may be larger than memory, in any format of {@link
   * org.tokentune.datasets.RowSource}. Texts that are longer than fits are treated as now set.
   * Their tokens are cached in the folder {@code TOKENTUNE_CACHE}.
   *
   * @throws BadInputException if the file is missing, or too small to be streamed
   */
  public StreamedRows stream(Path file, Columns columns) {
    required(file, "file");
    required(columns, "columns");

    checkOpen();
    return StreamedRows.ofLabelled(file, columns, labels(), tokenizer, longTexts().onLong(), files);
  }

  /**
   * Fine-tunes in place on texts that are streamed; as many steps as the settings say.
   *
   * @param validation rows to validate on; null: the end of the stream
   */
  public Trainer.Outcome fineTune(
      StreamedRows train,
      List<Example> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(settings, "settings");
    required(listener, "listener");

    checkOpen();
    List<TokenBatches.Row> validated =
        validation == null ? train.validation() : flat(rows(List.of(validation)).get(0));
    long seed = settings.hyperparameters().seed();
    Trainer.Outcome outcome =
        tuning(model, tokenizer)
            .run(
                epoch -> train.batches(settings.batchSize(), seed, epoch),
                train::digest,
                null,
                validated,
                EVALUATION_BATCH,
                settings,
                listener);
    train.warnOfLeftOut();
    return outcome;
  }

  static <R> List<R> flat(List<List<R>> lists) {
    return lists.stream().flatMap(List::stream).toList();
  }

  /**
   * Scores labelled rows. If some of them are read in windows, the scores of the windows are
   * joined, and there is no loss.
   */
  public Scores evaluate(List<Example> examples) {
    required(examples, "examples");
    checkOpen();

    List<List<TextTokenizer.Tokens>> windows = windows(examples);
    if (windows.stream().anyMatch(several -> several.size() > 1)) {
      return evaluate(examples, windows);
    }
    List<TokenBatches.Row> rows = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      rows.add(row(examples.get(i), windows.get(i).get(0)));
    }
    try (Evaluator evaluator = new Evaluator(model, parameters, tokenizer::quoted)) {
      return evaluator.evaluate(TokenBatches.byTokens(rows, labels().task()));
    }
  }

  /**
   * How gradients through selected tokens compare with those through all, on labelled rows; texts
   * are cut.
   *
   * @param batchSize rows of a batch; the last one may have fewer
   * @param draws of tokens for each batch
   */
  public SelectionComparison compare(
      List<Example> examples, TokenSelector selector, int batchSize, int draws, long seed) {
    required(examples, "examples");
    required(selector, "selector");
    checkOpen();

    List<TokenBatches.Row> rows =
        examples.stream().map(one -> TokenBatches.Row.of(one, labels(), tokenizer)).toList();
    return SelectionComparison.of(
        model,
        parameters,
        TokenBatches.shuffled(rows, labels().task(), null, batchSize, seed, 0),
        selector,
        draws,
        seed);
  }

  private Scores evaluate(List<Example> examples, List<List<TextTokenizer.Tokens>> windows) {
    Objective task = labels().task();
    Tally tally = task.tally(labels().outputs());
    List<double[][]> joined = joined(examples, windows);
    long counted = 0;
    for (int i = 0; i < joined.size(); i++) {
      Example example = examples.get(i);
      double[][] scores = joined.get(i);
      TextTokenizer.Tokens tokens = windows.get(i).get(0);
      if (task == Objectives.TOKEN) { // one token for each word that any window has
        int[] words = IntStream.range(0, scores.length).filter(w -> scores[w] != null).toArray();
        tokens = new TextTokenizer.Tokens(words, words, words);
      }
      INDArray expected =
          task.labels(List.of(labels().encode(example, tokens)), tokens.ids().length);
      double[][] logits =
          Arrays.stream(scores).filter(Objects::nonNull).map(this::logits).toArray(double[][]::new);
      if (logits.length > 0) {
        counted += tally.add(expected, Nd4j.createFromArray(logits));
      }
    }
    if (counted == 0) {
      throw new BadDataException("There are no labelled rows to score; give some.");
    }
    return tally.scores(counted, Double.NaN);
  }

  /**
   * Has ND4J's evaluations, such as {@code Evaluation} and {@code ROC}, look at labels and
   * predictions of labelled rows: of classes one-hot rows and probabilities, of several labels 0 or
   * 1 and probabilities, or numbers.
   *
   * @throws BadInputException for tags and answers, and if texts are split
   */
  public void evaluate(List<Example> examples, IEvaluation<?>... evaluations) {
    required(examples, "examples");
    required(evaluations, "evaluations");
    checkOpen();

    if (longTexts().onLong() == OnLong.SPLIT) {
      throw BadSettingsException.of(
          "onLong", "must be CUT or REFUSE for evaluations of ND4J, got SPLIT.");
    }
    TextBatches batches = new TextBatches(examples, labels(), tokenizer, EVALUATION_BATCH, 0);
    while (batches.hasNext()) {
      MultiDataSet batch = batches.next();
      INDArray logits =
          logits(batch, row -> tokenizer.quoted(batch.getFeatures(0).getRow(row).toIntVector()));
      INDArray predictions = labels().task().predictions(logits);
      for (IEvaluation<?> evaluation : evaluations) {
        evaluation.eval(batch.getLabels(0), predictions);
      }
    }
  }

  /** Logits that have these scores. */
  private double[] logits(double[] scores) {
    return labels().task() == Objectives.MULTILABEL
        ? Arrays.stream(scores)
            .map(score -> Math.min(Math.max(score, 1e-7), 1 - 1e-7))
            .map(score -> Math.log(score / (1 - score)))
            .toArray()
        : scores; // those of classes are compared, and numbers are as they are
  }

  /** Predicts texts, in their order. */
  public List<Prediction> predict(List<String> texts) {
    required(texts, "texts");

    return predictRows(texts.stream().map(text -> new Example(text, null)).toList());
  }

  /** For each text or pair, the tokens that are not read as it is cut; 0 if it is not. */
  public List<Integer> cut(List<Example> examples) {
    required(examples, "examples");

    checkOpen();
    boolean cuts = longTexts().onLong() == OnLong.CUT;
    return examples.stream()
        .map(example -> cuts ? tokenizer.excess(example, labels().task()) : 0)
        .toList();
  }

  /** Predicts texts or pairs, in their order; labels do not count. */
  public List<Prediction> predictRows(List<Example> examples) {
    required(examples, "examples");

    checkOpen();
    if (labels().task() == Objectives.QUESTION_ANSWERING) {
      throw new BadSettingsException("%s answers questions; ask an AnswerModel.", files.name());
    }
    List<List<TextTokenizer.Tokens>> windows = windows(examples);
    List<double[][]> joined = joined(examples, windows);
    return IntStream.range(0, examples.size())
        .mapToObj(i -> prediction(joined.get(i), windows.get(i), examples.get(i)))
        .toList();
  }

  /**
   * The probabilities of the labels of each row, in the order of the rows: [1][labels], or for tags
   * [words][labels], where a word without tokens is null.
   *
   * @throws BadInputException for tasks whose outputs are not probabilities of labels
   */
  public List<double[][]> probabilities(List<Example> examples) {
    required(examples, "examples");

    checkOpen();
    if (!labels().task().areClasses()) {
      throw new BadSettingsException(
          "%s has no classes, labels or tags, and so no probabilities of them; name a classifier.",
          files.name());
    }
    return joined(examples, windows(examples));
  }

  /**
   * The scores of each row, joined over its windows: [1][outputs], or for tags [words][outputs],
   * where a word that no window has is null.
   */
  private List<double[][]> joined(
      List<Example> examples, List<List<TextTokenizer.Tokens>> windows) {
    Objective task = labels().task();
    List<TokenBatches.Row> rows = new ArrayList<>();
    List<Integer> exampleOf = new ArrayList<>();
    List<TextTokenizer.Tokens> tokens = new ArrayList<>();
    List<JoinedScores> joined = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      int items = task == Objectives.TOKEN ? Labels.words(examples.get(i)).size() : 1;
      joined.add(new JoinedScores(items, longTexts().windowScores(), task == Objectives.CLASSIFY));
      for (TextTokenizer.Tokens window : windows.get(i)) {
        rows.add(new TokenBatches.Row(window.ids(), window.typeIds(), null));
        exampleOf.add(i);
        tokens.add(window);
      }
    }
    TokenBatches batches = TokenBatches.byTokens(rows, task);
    int[] order = batches.order();
    for (int next = 0; batches.hasNext(); ) {
      int first = next;
      INDArray logits =
          logits(
              batches.next(),
              row -> '"' + examples.get(exampleOf.get(order[first + row])).text() + '"');
      for (int i = 0; i < logits.size(0); i++) {
        int row = order[next++];
        JoinedScores of = joined.get(exampleOf.get(row));
        INDArray own = logits.slice(i);
        if (task == Objectives.TOKEN) {
          of.addWords(own.toDoubleMatrix(), tokens.get(row).words());
        } else {
          of.add(0, task.predictions(own.toDoubleVector()));
        }
      }
    }
    return joined.stream().map(JoinedScores::scores).toList();
  }

  /**
   * Explains what is predicted for texts or pairs, in their order; each takes a forward pass per
   * token, 32 of them at once, and a backward pass.
   *
   * @throws BadInputException for tags and answers, which are no decisions on whole texts
   */
  public List<Explanation> explain(List<Example> examples) {
    required(examples, "examples");
    checkOpen();
    if (labels().task() == Objectives.QUESTION_ANSWERING || labels().task() == Objectives.TOKEN) {
      throw new BadSettingsException(
          "%s does not decide on whole texts, and only such decisions are explained; name a"
              + " classifier or a regression.",
          files.name());
    }
    List<Explanation> explanations = new ArrayList<>();
    try (InputGradients gradients = new InputGradients(model, parameters)) {
      TokenExplainer explainer = new TokenExplainer(tokenizer, inference(), gradients);
      for (Example row : examples) {
        TokenExplainer.Text text = explainer.read(row);
        double[] values = labels().task().predictions(text.logits());
        int output =
            IntStream.range(0, values.length)
                .reduce((best, i) -> values[i] > values[best] ? i : best)
                .orElseThrow();
        explanations.add(
            new Explanation(
                prediction(values),
                labels().names().get(output),
                text.logits()[output],
                explainer.explain(text, output)));
      }
    }
    return explanations;
  }

  /**
   * Logits of a batch.
   *
   * @param names of its rows, for messages
   */
  INDArray logits(MultiDataSet batch, IntFunction<String> names) {
    return inference().run(StepInputs.features(batch), names).get(ModelGraph.LOGITS);
  }

  private synchronized InferenceEngine inference() {
    if (inference == null) {
      inference = new InferenceEngine(model, parameters, List.of(ModelGraph.LOGITS));
    }
    return inference;
  }

  private synchronized void closeInference() {
    if (inference != null) {
      inference.close();
      inference = null;
    }
  }

  private Prediction prediction(
      double[][] joined, List<TextTokenizer.Tokens> windows, Example row) {
    if (labels().task() == Objectives.TOKEN) {
      List<String> words = Labels.words(row);
      TextTokenizer.Tokens tokens = windows.get(windows.size() - 1);
      int cut = windows.size() > 1 ? 0 : cutWords(tokens, words.size());
      if (cut > 0) {
        Warnings.warn(
            "Of the %d words of \"%.60s\" only the first %d have tags: the text was cut to %d tokens.",
            words.size(), row.text(), words.size() - cut, tokens.ids().length);
      }
      int first = Arrays.stream(tokens.words()).filter(word -> word >= 0).min().orElse(0);
      if (windows.size() == 1 && isCut(tokens) && first > 0) { // by truncation_side
        Warnings.warn(
            "Of the %d words of \"%.60s\" only the last %d have tags: the beginning of the text was cut"
                + " to leave %d tokens.",
            words.size(), row.text(), words.size() - first, tokens.ids().length);
      }
      return new Prediction(tags(joined), Map.of(), cut);
    }
    return prediction(joined[0]);
  }

  /**
   * The prediction for a whole text.
   *
   * @param values as the task makes them of logits
   */
  private Prediction prediction(double[] values) {
    List<String> names = labels().names();
    Map<String, Double> scores = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      scores.put(names.get(i), values[i]);
    }
    List<String> chosen =
        Arrays.stream(labels().task().chosen(values)).mapToObj(names::get).toList();
    return new Prediction(chosen, scores);
  }

  /** Words at the end whose tokens were cut off. */
  private int cutWords(TextTokenizer.Tokens tokens, int words) {
    return isCut(tokens) ? words - 1 - Arrays.stream(tokens.words()).max().orElse(-1) : 0;
  }

  /** Whether a text is as long as it may be. */
  private boolean isCut(TextTokenizer.Tokens tokens) {
    int longest = maxLength() == null ? model.config().maxPositions() : maxLength();
    return tokens.ids().length >= longest;
  }

  /**
   * A word's tag is its first token's; a word without any, such as a blank one, has an empty tag.
   */
  private List<String> tags(double[][] words) {
    return Arrays.stream(words)
        .map(scores -> scores == null ? "" : labels().names().get(JoinedScores.largest(scores)))
        .toList();
  }

  private List<List<TextTokenizer.Tokens>> windows(List<Example> examples) {
    return tokenizer.encodeAll(examples, labels().task(), longTexts().onLong());
  }

  private List<List<TextTokenizer.Tokens>> trainedWindows(List<Example> examples) {
    if (elsewhere == null) {
      return windows(examples);
    }
    OnLong onLong = longTexts().onLong();
    TokenizerRecipe recipe = TextTokenizer.recipe(files, tokenizer.longest(), onLong == OnLong.CUT);
    return tokenizer.encodeAll(examples, labels().task(), onLong, elsewhere, recipe);
  }

  private TokenBatches.Row row(Example example, TextTokenizer.Tokens tokens) {
    return new TokenBatches.Row(tokens.ids(), tokens.typeIds(), labels().encode(example, tokens));
  }

  /** Rows of several parts of the data, each in its windows. */
  private List<List<List<TokenBatches.Row>>> rows(List<List<Example>> parts) {
    List<List<TextTokenizer.Tokens>> windows =
        trainedWindows(flat(parts)); // one warning counts all
    List<List<List<TokenBatches.Row>>> rows = new ArrayList<>();
    int next = 0;
    for (List<Example> part : parts) {
      List<List<TokenBatches.Row>> some = new ArrayList<>();
      for (Example example : part) {
        some.add(windows.get(next++).stream().map(window -> row(example, window)).toList());
      }
      rows.add(some);
    }
    return rows;
  }

  /**
   * Saves a Hugging Face folder with, beside it, {@value #SAMEDIFF_FILE}: the inference graph in
   * ND4J's own ops; adapters are merged in. A model in the folder is replaced (only the command
   * line asks for {@code --overwrite}); nothing half-written stays.
   *
   * @return whether the SameDiff file was written: models past its format's 1 GiB go without
   */
  @Override
  public boolean save(Path folder) {
    required(folder, "folder");

    checkOpen();
    JsonNode config = headConfig.write(files.config(), model.config());
    if (labels().task() != Objectives.RERANK) {
      return SavedModel.write(folder, config, model, parameters, adapter, files);
    }
    int longest = maxLength() == null ? model.config().maxPositions() : maxLength();
    return SavedModel.write(
        folder,
        config,
        model,
        parameters,
        adapter,
        staged -> CrossEncoderFiles.write(staged, files, longest),
        files);
  }

  @Override
  JsonNode adapterConfig() {
    return headConfig.write(files.config(), model.config());
  }

  @Override
  public void close() {
    super.close();
    closeInference();
    tokenizer.close();
  }
}
