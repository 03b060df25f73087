package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.SQLTransformer;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Example;
import org.tokentune.text.Prediction;
import org.tokentune.text.TextModel;

/** A classifier as a stage of a pipeline of Spark ML. */
class TokenTuneClassifierTest {

  private static final StructType SCHEMA =
      new StructType()
          .add("sentence", DataTypes.StringType)
          .add("mood", DataTypes.StringType)
          .add("id", DataTypes.IntegerType);

  @TempDir private static Path folder;
  private static Path base;
  private static SparkSession spark;

  @BeforeAll
  static void start() throws IOException {
    base = SmallModel.folder(folder);
    spark = SmallModel.spark();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static Dataset<Row> data(int rows) {
    List<Row> data = new ArrayList<>();
    for (Example row : SmallModel.rows(rows)) {
      data.add(RowFactory.create(row.text(), row.label(), data.size()));
    }
    return spark.createDataFrame(data, SCHEMA).repartition(3).sortWithinPartitions("id");
  }

  private static TokenTuneClassifier classifier() {
    return new TokenTuneClassifier()
        .setModel(base.toString())
        .setTextCol("text")
        .setLabelCol("mood")
        .setTokens("all")
        .setNumTasks(2)
        .setBatchSize(16)
        .setEpochs(4)
        .setLearningRate(3e-3);
  }

  private static List<String> shown(Dataset<Row> rows) {
    return rows.sort("id").collectAsList().stream().map(Row::toString).toList();
  }

  @Test
  void trainsPredictsAndIsSaved() {
    Dataset<Row> rows = data(400);
    Pipeline pipeline =
        new Pipeline()
            .setStages(
                new PipelineStage[] {
                  new SQLTransformer()
                      .setStatement("SELECT sentence AS text, mood, id FROM __THIS__"),
                  classifier()
                });
    PipelineModel model = pipeline.fit(rows);
    Dataset<Row> predicted = model.transform(rows);
    predicted.show(3, false);
    double accuracy = (double) predicted.where("prediction = mood").count() / 400;
    System.out.printf(Locale.ROOT, "accuracy %.3f%n", accuracy);
    assertTrue(accuracy > 0.9);

    String path = folder.resolve("pipeline").toString();
    try {
      model.write().overwrite().save(path);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    PipelineModel loaded = PipelineModel.load(path);
    assertEquals(shown(predicted), shown(loaded.transform(rows)));

    TokenTuneClassificationModel stage = (TokenTuneClassificationModel) loaded.stages()[1];
    assertEquals("text", stage.getOrDefault(stage.textCol()));
    Row first = predicted.sort("id").first();
    try (TextModel alone = stage.open()) {
      Prediction prediction = alone.predict(List.of(first.getString(0))).get(0);
      assertEquals(prediction.labels().get(0), first.getAs("prediction"));
      assertEquals(
          prediction.scores().get("good"), first.<String, Double>getJavaMap(4).get("good"), 1e-5);
    }
  }

  @Test
  void predictionsHaveTheTypeOfTheLabels() {
    for (String type : List.of("int", "float", "decimal(5,2)", "boolean")) {
      Dataset<Row> rows =
          data(64).selectExpr("sentence", "cast(int(mood = 'good') as " + type + ") AS mood", "id");
      TokenTuneClassificationModel model =
          classifier().setTextCol("sentence").setEpochs(1).fit(rows);
      Dataset<Row> predicted = model.transform(rows);
      System.out.printf("labels of type %s: %s%n", type, predicted.first());
      assertEquals(rows.schema().apply("mood").dataType(), type(predicted, "prediction"));
      assertEquals(
          rows.schema().apply("mood").dataType(),
          model.transformSchema(rows.schema()).apply("prediction").dataType());
      assertTrue(predicted.where("prediction = mood").count() > 0);
    }
  }

  private static DataType type(Dataset<Row> rows, String name) {
    return rows.schema().apply(name).dataType();
  }

  @Test
  void isSearchedBySparksOwnEvaluators() throws IOException {
    Dataset<Row> rows = data(64).cache();
    StringIndexer index = new StringIndexer().setInputCol("mood").setOutputCol("index");
    TokenTuneClassifier classifier =
        classifier().setTextCol("sentence").setLabelCol("index").setEpochs(1);
    MulticlassClassificationEvaluator evaluator =
        new MulticlassClassificationEvaluator().setLabelCol("index").setMetricName("accuracy");
    CrossValidator search =
        new CrossValidator()
            .setEstimator(new Pipeline().setStages(new PipelineStage[] {index, classifier}))
            .setEvaluator(evaluator)
            .setEstimatorParamMaps(
                new ParamGridBuilder()
                    .addGrid(classifier.learningRate(), new double[] {1e-6, 3e-3})
                    .build())
            .setNumFolds(2)
            .setParallelism(2)
            .setSeed(3);
    CrossValidatorModel found = search.fit(rows);
    System.out.println("accuracy by rate: " + Arrays.toString(found.avgMetrics()));
    Dataset<Row> predicted = found.transform(rows);
    assertEquals(
        predicted.where("prediction = index").count() / 64.0, evaluator.evaluate(predicted));

    String path = folder.resolve("search").toString();
    found.write().overwrite().save(path);
    CrossValidatorModel loaded = CrossValidatorModel.load(path);
    assertEquals(DataTypes.DoubleType, type(loaded.transform(rows), "prediction"));
    assertEquals(shown(predicted), shown(loaded.transform(rows)));
  }

  @Test
  void savesAnUntrainedClassifier() throws IOException {
    String path = folder.resolve("classifier").toString();
    classifier().setLora("r=4").setSeed(5).setExchange("direct").write().overwrite().save(path);
    TokenTuneClassifier loaded = TokenTuneClassifier.load(path);
    assertEquals("r=4", loaded.getOrDefault(loaded.lora()));
    assertEquals(5L, loaded.getOrDefault(loaded.seed()));
    assertEquals("direct", loaded.getOrDefault(loaded.exchange()));
    assertEquals(3e-3, loaded.getOrDefault(loaded.learningRate()));
    TokenTuneClassifier copy = loaded.copy(loaded.extractParamMap());
    assertEquals("r=4", copy.getOrDefault(copy.lora()));
  }

  @Test
  void exchangesGradientsFromTaskToTask() {
    Dataset<Row> rows = data(64);
    TokenTuneClassifier classifier = classifier().setTextCol("sentence").setEpochs(1);
    List<String> expected = shown(classifier.fit(rows).transform(rows));
    List<String> got = shown(classifier.setExchange("direct").fit(rows).transform(rows));
    System.out.println("either exchange: " + got.get(0));
    assertEquals(expected, got);
  }

  @Test
  void predictsNothingForNoText() {
    TokenTuneClassificationModel model =
        classifier().setTextCol("sentence").setEpochs(1).fit(data(64));
    List<Row> rows = List.of(RowFactory.create(null, "good", 1), RowFactory.create("a", "bad", 2));
    List<Row> predicted =
        model.transform(spark.createDataFrame(rows, SCHEMA)).sort("id").collectAsList();
    assertNull(predicted.get(0).getAs("prediction"));
    assertTrue(List.of("good", "bad").contains(predicted.get(1).<String>getAs("prediction")));
  }

  @Test
  void saysWhatIsWrongInASentence() {
    Dataset<Row> rows = data(8);
    assertSays(
        "The data set has no column text, only sentence, mood, id; name one of these.",
        () -> classifier().fit(rows));
    assertSays(
        "Column id has the type int, which is not that of texts; cast it.",
        () -> classifier().setTextCol("id").fit(rows));
    assertSays(
        "The data set has a column id already; drop it, or give the new column another name.",
        () -> classifier().setTextCol("sentence").setPredictionCol("id").fit(rows));
    assertSays(
        "batchSize must be at least 1, got 0.",
        () -> classifier().setTextCol("sentence").setBatchSize(0).fit(rows));
    assertSays(
        "exchange must be spark or direct, got ring.",
        () -> classifier().setTextCol("sentence").setExchange("ring").fit(rows));
    assertSays(
        "There are no rows to train on; give some.",
        () -> classifier().setTextCol("sentence").fit(rows.limit(0)));
    Dataset<Row> gap = rows.selectExpr("sentence", "nullif(mood, 'good') AS mood", "id");
    BadInputException e =
        assertThrows(BadInputException.class, () -> classifier().setTextCol("sentence").fit(gap));
    assertTrue(
        e.getMessage().endsWith("has no value in mood; give it one, or leave the row out."),
        e.getMessage());
  }

  private static void assertSays(String sentence, org.junit.jupiter.api.function.Executable call) {
    assertEquals(sentence, assertThrows(BadInputException.class, call).getMessage());
  }
}
