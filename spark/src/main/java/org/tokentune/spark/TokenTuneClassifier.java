package org.tokentune.spark;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.TrainingCluster.Exchange;

/**
 * Fine-tunes an encoder to classify the texts of a data set, as a stage of Spark ML's pipelines.
 * Steps are made by {@link SparkSteps}.
 *
 * <p>Its parameters: {@code model}, the folder of a pretrained encoder on the driver; {@code
 * textCol} ("text"), {@code pairCol} (none) and {@code labelCol} ("label"); {@code predictionCol}
 * ("prediction"), the likeliest class, of the type of the labels, and {@code probabilityCol}
 * ("probabilities"), a map from classes, as strings, to probabilities; {@code numTasks} (1), the
 * number of tasks in a step; {@code exchange} ("spark"), how they exchange gradients, or "direct";
 * {@code batchSize} (32), texts in a step over all tasks; {@code tokens} ("25%"), {@code lora}
 * (none), {@code trainable} ("all") as on the command line; {@code epochs} (3), {@code
 * learningRate} (1e-4), {@code maxLength} (0: as many tokens as the model takes) and {@code seed}
 * (42).
 *
 * <p>Spark's own evaluators want labels and predictions of type double, as {@code StringIndexer}
 * makes them, and take a column {@code probability} for a vector.
 */
public final class TokenTuneClassifier extends Estimator<TokenTuneClassificationModel>
    implements DefaultParamsWritable {

  private final String uid;
  private final TextColumns columns;
  private final Param<String> model;
  private final Param<String> labelCol;
  private final Param<String> tokens;
  private final Param<String> lora;
  private final Param<String> trainable;
  private final IntParam numTasks;
  private final Param<String> exchange;
  private final IntParam batchSize;
  private final IntParam epochs;
  private final IntParam maxLength;
  private final DoubleParam learningRate;
  private final LongParam seed;

  public TokenTuneClassifier() {
    this(Identifiable.randomUID("tokentune"));
  }

  /** For Spark, which reads saved pipelines by it. */
  public TokenTuneClassifier(String uid) {
    this.uid = required(uid, "uid");
    columns = TextColumns.of(this);
    model = new Param<>(this, "model", "the folder of a pretrained encoder, on the driver");
    labelCol = new Param<>(this, "labelCol", "column of labels");
    tokens = new Param<>(this, "tokens", "which tokens carry gradient");
    lora = new Param<>(this, "lora", "adapters; empty: none, and all of the model trains");
    trainable = new Param<>(this, "trainable", "which parameters train without adapters");
    numTasks = new IntParam(this, "numTasks", "tasks in a step");
    exchange = new Param<>(this, "exchange", "how tasks exchange gradients: spark or direct");
    batchSize = new IntParam(this, "batchSize", "texts in a step, over all tasks");
    epochs = new IntParam(this, "epochs", "passes over the rows");
    maxLength =
        new IntParam(
            this, "maxLength", "tokens to which texts are cut; 0: as many as the model takes");
    learningRate = new DoubleParam(this, "learningRate", "the peak of the schedule");
    seed = new LongParam(this, "seed", "of all randomness");
    setDefault(labelCol, "label");
    setDefault(tokens, "25%");
    setDefault(lora, "");
    setDefault(trainable, "all");
    setDefault(numTasks, 1);
    setDefault(exchange, "spark");
    setDefault(batchSize, 32);
    setDefault(epochs, 3);
    setDefault(maxLength, 0);
    setDefault(learningRate, 1e-4);
    setDefault(seed, 42L);
  }

  @Override
  public String uid() {
    return uid;
  }

  /** Reads what {@code save} has written. */
  public static MLReader<TokenTuneClassifier> read() {
    return new DefaultParamsReader<>();
  }

  /** Reads what {@code save} has written. */
  public static TokenTuneClassifier load(String path) {
    return read().load(required(path, "path"));
  }

  public Param<String> textCol() {
    return columns.text();
  }

  public Param<String> pairCol() {
    return columns.pair();
  }

  public Param<String> predictionCol() {
    return columns.prediction();
  }

  public Param<String> probabilityCol() {
    return columns.probability();
  }

  public Param<String> model() {
    return model;
  }

  public Param<String> labelCol() {
    return labelCol;
  }

  public Param<String> tokens() {
    return tokens;
  }

  public Param<String> lora() {
    return lora;
  }

  public Param<String> trainable() {
    return trainable;
  }

  public IntParam numTasks() {
    return numTasks;
  }

  public Param<String> exchange() {
    return exchange;
  }

  public IntParam batchSize() {
    return batchSize;
  }

  public IntParam epochs() {
    return epochs;
  }

  public IntParam maxLength() {
    return maxLength;
  }

  public DoubleParam learningRate() {
    return learningRate;
  }

  public LongParam seed() {
    return seed;
  }

  public TokenTuneClassifier setTextCol(String value) {
    set(columns.text(), required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setPairCol(String value) {
    set(columns.pair(), required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setPredictionCol(String value) {
    set(columns.prediction(), required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setProbabilityCol(String value) {
    set(columns.probability(), required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setModel(String value) {
    set(model, required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setLabelCol(String value) {
    set(labelCol, required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setTokens(String value) {
    set(tokens, required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setLora(String value) {
    set(lora, required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setTrainable(String value) {
    set(trainable, required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setNumTasks(int value) {
    set(numTasks, value);
    return this;
  }

  public TokenTuneClassifier setExchange(String value) {
    set(exchange, required(value, "value"));
    return this;
  }

  public TokenTuneClassifier setBatchSize(int value) {
    set(batchSize, value);
    return this;
  }

  public TokenTuneClassifier setEpochs(int value) {
    set(epochs, value);
    return this;
  }

  public TokenTuneClassifier setMaxLength(int value) {
    set(maxLength, value);
    return this;
  }

  public TokenTuneClassifier setLearningRate(double value) {
    set(learningRate, value);
    return this;
  }

  public TokenTuneClassifier setSeed(long value) {
    set(seed, value);
    return this;
  }

  @Override
  public TokenTuneClassificationModel fit(Dataset<?> dataset) {
    required(dataset, "dataset");

    transformSchema(dataset.schema());
    int tasks = (int) getOrDefault(numTasks);
    int size = (int) getOrDefault(batchSize);
    if (size < 1) {
      throw BadSettingsException.of("batchSize", "must be at least 1, got %d.", size);
    }
    Exchange by = Exchange.of(text(exchange));
    if (!isDefined(model)) {
      throw BadSettingsException.of(
          "model", "must be the folder of a pretrained encoder, got none; set it.");
    }
    List<Example> rows =
        SparkExamples.read(
            dataset.toDF(), columns.textOf(this), columns.pairOf(this), text(labelCol));
    int length = (int) getOrDefault(maxLength);
    long random = (long) getOrDefault(seed);
    try (ModelFiles files = ModelFiles.open(Path.of(text(model)));
        TextModel trained =
            TextModel.forTask(
                files,
                Labels.of(Objectives.CLASSIFY, rows),
                Pooling.FIRST,
                length == 0 ? null : length,
                null,
                WeightStorage.FLOAT32,
                random)) {
      if (!text(lora).isEmpty()) {
        trained.addAdapter(LoraConfig.parse(text(lora)), random);
      }
      trained.tokenizeBy(SparkTokenizer.on(dataset.sparkSession()));
      trained.trainBy(SparkSteps.on(dataset.sparkSession(), tasks).withExchange(by));
      trained.fineTune(
          new DataSplit(rows, List.of(), List.of()),
          settings(size, random),
          new FineTuningListener() {});
      TokenTuneClassificationModel fitted =
          new TokenTuneClassificationModel(uid, ModelArchive.of(trained));
      fitted.setPredictionType(labelType(dataset.schema()));
      return copyValues(fitted, ParamMap.empty()).setParent(this);
    }
  }

  private TuningSettings settings(int size, long random) {
    Hyperparameters hyperparameters =
        Hyperparameters.defaults()
            .withEpochs((int) getOrDefault(epochs))
            .withLearningRate((double) getOrDefault(learningRate))
            .withSeed(random);
    return TuningSettings.defaults()
        .withTokens(text(tokens))
        .withTrainable(text(trainable))
        .withBatchSize(size)
        .withHyperparameters(hyperparameters);
  }

  private String text(Param<String> parameter) {
    return getOrDefault(parameter);
  }

  @Override
  public StructType transformSchema(StructType schema) {
    required(schema, "schema");

    SparkExamples.check(schema, text(labelCol), false);
    return columns.transform(schema, this, labelType(schema));
  }

  private DataType labelType(StructType schema) {
    return schema.apply(text(labelCol)).dataType();
  }

  @Override
  public TokenTuneClassifier copy(ParamMap extra) {
    return defaultCopy(required(extra, "extra"));
  }
}
