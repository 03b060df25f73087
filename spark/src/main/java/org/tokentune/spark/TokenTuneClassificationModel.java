package org.tokentune.spark;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.tokentune.BadFileException;
import org.tokentune.text.TextModel;

/**
 * A classifier that {@link TokenTuneClassifier} has fine-tuned, or any that is saved: adds its
 * predictions to the rows of a data set. It is saved with the model's own files in a folder {@code
 * model}, which transformers and {@code TextModel.open} read, too.
 */
public final class TokenTuneClassificationModel extends Model<TokenTuneClassificationModel>
    implements MLWritable {

  private static final String FILES = "/model";

  private final String uid;
  private final ModelArchive archive;
  private final TextColumns columns;
  private final Param<String> predictionType;

  TokenTuneClassificationModel(String uid, ModelArchive archive) {
    this.uid = uid;
    this.archive = archive;
    columns = TextColumns.of(this);
    predictionType = new Param<>(this, "predictionType", "type of predictions, as SQL names it");
    setDefault(predictionType, DataTypes.StringType.sql());
  }

  @Override
  public String uid() {
    return uid;
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

  /** The type of predictions in SQL: that of the labels of the training. */
  public Param<String> predictionType() {
    return predictionType;
  }

  void setPredictionType(DataType type) {
    set(predictionType, type.sql());
  }

  public TokenTuneClassificationModel setTextCol(String value) {
    set(columns.text(), required(value, "value"));
    return this;
  }

  public TokenTuneClassificationModel setPairCol(String value) {
    set(columns.pair(), required(value, "value"));
    return this;
  }

  public TokenTuneClassificationModel setPredictionCol(String value) {
    set(columns.prediction(), required(value, "value"));
    return this;
  }

  public TokenTuneClassificationModel setProbabilityCol(String value) {
    set(columns.probability(), required(value, "value"));
    return this;
  }

  /** Opens the model in this process. */
  public TextModel open() {
    return archive.open();
  }

  @Override
  public Dataset<Row> transform(Dataset<?> dataset) {
    required(dataset, "dataset");

    StructType schema = columns.transform(dataset.schema(), this, DataTypes.StringType);
    JavaSparkContext context =
        JavaSparkContext.fromSparkContext(dataset.sparkSession().sparkContext());
    Predictor predictor =
        new Predictor(context.broadcast(archive), columns.textOf(this), columns.pairOf(this));
    String prediction = getOrDefault(columns.prediction());
    Dataset<Row> predicted = dataset.toDF().mapPartitions(predictor, Encoders.row(schema));
    return predicted.withColumn(
        prediction, predicted.col(SparkExamples.quoted(prediction)).cast(type()));
  }

  private DataType type() {
    return DataType.fromDDL(getOrDefault(predictionType));
  }

  @Override
  public StructType transformSchema(StructType schema) {
    required(schema, "schema");

    return columns.transform(schema, this, type());
  }

  @Override
  public TokenTuneClassificationModel copy(ParamMap extra) {
    required(extra, "extra");

    return copyValues(new TokenTuneClassificationModel(uid, archive), extra).setParent(parent());
  }

  @Override
  public MLWriter write() {
    return new Writer(this);
  }

  /** Reads what {@code save} has written. */
  public static MLReader<TokenTuneClassificationModel> read() {
    return new Reader();
  }

  /** Reads what {@code save} has written. */
  public static TokenTuneClassificationModel load(String path) {
    return read().load(required(path, "path"));
  }

  private static final class Writer extends MLWriter {

    private final TokenTuneClassificationModel model;

    Writer(TokenTuneClassificationModel model) {
      this.model = model;
    }

    /** Writes the metadata last: without them nothing reads the folder. */
    @Override
    public void saveImpl(String path) {
      try {
        Configuration hadoop = sparkSession().sparkContext().hadoopConfiguration();
        model.archive.write(path + FILES, hadoop);
      } catch (IOException e) {
        throw new BadFileException(
            e, "%s cannot be written: %s; check free space and permissions.", path, e.getMessage());
      }
      DefaultParamsWriter.saveMetadata(model, path, sparkSession());
    }
  }

  private static final class Reader extends MLReader<TokenTuneClassificationModel> {

    @Override
    public TokenTuneClassificationModel load(String path) {
      DefaultParamsReader.Metadata metadata =
          DefaultParamsReader.loadMetadata(
              path, sparkSession(), TokenTuneClassificationModel.class.getName());
      try {
        Configuration hadoop = sparkSession().sparkContext().hadoopConfiguration();
        TokenTuneClassificationModel model =
            new TokenTuneClassificationModel(
                metadata.uid(), ModelArchive.read(path + FILES, hadoop));
        metadata.getAndSetParams(model, scala.Option.empty());
        return model;
      } catch (IOException e) {
        throw new BadFileException(
            e, "%s is not a saved classifier, or is damaged: %s.", path, e.getMessage());
      }
    }
  }
}
