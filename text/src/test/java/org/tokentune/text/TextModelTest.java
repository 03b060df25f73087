package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.listeners.At;
import org.nd4j.autodiff.listeners.BaseListener;
import org.nd4j.autodiff.listeners.Listener;
import org.nd4j.autodiff.listeners.ListenerResponse;
import org.nd4j.autodiff.listeners.Loss;
import org.nd4j.autodiff.listeners.Operation;
import org.nd4j.autodiff.listeners.impl.ScoreListener;
import org.nd4j.autodiff.listeners.records.LossCurve;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.evaluation.classification.ROC;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.OnLong;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.SameDiffListener;
import org.tokentune.train.Schedule;
import org.tokentune.train.StepReport;
import org.tokentune.train.Trainer;

/** All tasks on a small random BERT (that of the golden numbers) and a language of forty words. */
class TextModelTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String[] ANIMALS = {"cat", "dog", "bird", "fish"};
  private static final String[] COLOURS = {"red", "blue", "green"};
  private static final String[] NUMBERS = {"one", "two", "three", "four", "five"};

  @TempDir private Path folder;
  private Path base;

  /** A text and its labels for every task. */
  private record Sentence(String text, String tags, String colours, String number, String mood) {}

  @BeforeEach
  void makeFolder() throws IOException {
    base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
  }

  private static Sentence sentence(Random random) {
    List<String> words = new ArrayList<>();
    List<String> tags = new ArrayList<>();
    List<String> colours = new ArrayList<>();
    String mood = random.nextBoolean() ? "good" : "bad";
    for (int i = 0; i < 2 + random.nextInt(4); i++) {
      words.add("the");
      tags.add("O");
      String colour = COLOURS[random.nextInt(COLOURS.length)];
      if (random.nextBoolean()) {
        words.add(colour);
        tags.add("COLOUR");
        colours.add(colour);
      }
      words.add(ANIMALS[random.nextInt(ANIMALS.length)]);
      tags.add("ANIMAL");
    }
    int value = random.nextInt(NUMBERS.length);
    words.add(NUMBERS[value]);
    tags.add("O");
    int at = 1 + random.nextInt(words.size() - 1);
    words.add(at, mood);
    tags.add(at, "O");
    return new Sentence(
        String.join(" ", words),
        String.join(" ", tags),
        colours.stream().distinct().collect(Collectors.joining(",")),
        Integer.toString(value + 1),
        mood);
  }

  private static DataSplit data(Objective task) {
    Random random = new Random(4);
    List<Example> rows = new ArrayList<>();
    for (int i = 0; i < 480; i++) {
      Sentence sentence = sentence(random);
      rows.add(
          new Example(
              sentence.text(),
              Map.of(
                      Objectives.CLASSIFY, sentence.mood(),
                      Objectives.MULTILABEL, sentence.colours(),
                      Objectives.REGRESS, sentence.number(),
                      Objectives.TOKEN, sentence.tags())
                  .get(task)));
    }
    return DataSplit.of(rows, 0.1, 0.1, 5);
  }

  private TextModel model(ModelFiles files, Objective task, DataSplit data, Pooling pooling) {
    return TextModel.forTask(
        files, Labels.of(task, data.train()), pooling, null, 0.0, WeightStorage.FLOAT32, 6);
  }

  /** Joined by hand: the probabilities of each window that the tokenizer makes, alone. */
  @ParameterizedTest
  @CsvSource({"MEAN", "MAX"})
  void joinsTheScoresOfWindows(LongTexts.WindowScores join) throws IOException {
    List<Example> rows =
        IntStream.range(0, 6)
            .mapToObj(
                i ->
                    new Example(
                        "the good cat the bad dog ".repeat(1 + i),
                        "ab".substring(i % 2, i % 2 + 1)))
            .toList();
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = TextModel.forClasses(files, rows)) {
      LongTexts split = new LongTexts(12, OnLong.SPLIT, join);
      model.setLongTexts(split);
      String words = "the good cat the bad dog the good cat the bad dog the good cat the bad dog";
      // 10 tokens beside [CLS] and [SEP], a quarter of which overlap: from 0, 8 (to 18)
      String[] all = words.split(" ");
      List<String> parts =
          List.of(
              String.join(" ", Arrays.copyOfRange(all, 0, 10)),
              String.join(" ", Arrays.copyOfRange(all, 8, 18)));
      List<Prediction> alone = model.predict(parts);
      double a0 = alone.get(0).scores().get("a");
      double a1 = alone.get(1).scores().get("a");
      double expected =
          join == LongTexts.WindowScores.MEAN
              ? (a0 + a1) / 2
              : Math.max(a0, a1) / (Math.max(a0, a1) + Math.max(1 - a0, 1 - a1));
      double found = model.predict(List.of(words)).get(0).scores().get("a");
      System.out.println(a0 + " and " + a1 + ", " + join + ": " + found);
      assertEquals(expected, found, 1e-6);
      assertTrue(Math.abs(a0 - a1) > 1e-4);

      Scores scores = model.evaluate(rows);
      List<Prediction> predictions = model.predictRows(rows);
      long right =
          IntStream.range(0, 6)
              .filter(i -> predictions.get(i).labels().get(0).equals(rows.get(i).label()))
              .count();
      assertEquals(right / 6.0, scores.accuracy(), 1e-9);
      assertEquals(6, scores.rows());
      model.fineTune(new DataSplit(rows, rows, List.of()), settings(1));
      model.save(folder.resolve("saved"));
      try (ModelFiles saved = ModelFolder.open(folder.resolve("saved"));
          TextModel opened = TextModel.open(saved)) {
        assertEquals(split, opened.longTexts());
        opened.setLongTexts(split.withOnLong(OnLong.REFUSE));
        System.out.println(
            assertThrows(BadInputException.class, () -> opened.predict(List.of(words)))
                .getMessage());
      }
    }
  }

  @Test
  void tagsWordsInWindows() throws IOException {
    DataSplit data = data(Objectives.TOKEN);
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = model(files, Objectives.TOKEN, data, Pooling.FIRST)) {
      model.fineTune(data, settings(2));
      Example row =
          new Example(
              "the red cat the dog ".repeat(5).strip(),
              "O COLOUR ANIMAL O ANIMAL ".repeat(5).strip());
      model.setLongTexts(new LongTexts(14, OnLong.SPLIT, LongTexts.WindowScores.MEAN));
      Prediction split = model.predictRows(List.of(row)).get(0);
      System.out.println(split);
      assertEquals(0, split.cut());
      assertEquals(List.of(row.label().split(" ")), split.labels());
      Scores scores = model.evaluate(List.of(row));
      assertEquals(25, scores.rows());
      assertEquals(1, scores.accuracy());
      model.setLongTexts(LongTexts.cut(14));
      assertEquals(13, model.predictRows(List.of(row)).get(0).cut());
      assertEquals(12, model.evaluate(List.of(row)).rows());
    }
  }

  private static TuningSettings settings(int epochs) {
    return TuningSettings.defaults()
        .withHyperparameters(
            Hyperparameters.defaults().withEpochs(epochs).withLearningRate(5e-3).withSeed(7));
  }

  private void learns(Objective task, Pooling pooling, int epochs) {
    DataSplit data = data(task);
    Path saved = folder.resolve("saved");
    List<String> texts = data.test().stream().map(Example::text).toList();
    List<Prediction> before;
    Scores scores;
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = model(files, task, data, pooling)) {
      Trainer.Outcome outcome = model.fineTune(data, settings(epochs));
      scores = model.evaluate(data.test());
      before = model.predict(texts);
      assertTrue(model.save(saved));
      System.out.printf(
          "%s, pooling %s: accuracy %.3f, macro F1 %.3f, squared error %.3f; epoch %d of %d%n",
          task,
          pooling,
          scores.accuracy(),
          scores.get(Metric.MACRO_F1),
          scores.get(Metric.MEAN_SQUARED_ERROR),
          outcome.epoch(),
          epochs);
    }
    if (task == Objectives.REGRESS) {
      assertTrue(scores.get(Metric.PEARSON) > 0.9, () -> "Pearson " + scores.get(Metric.PEARSON));
    } else {
      assertTrue(scores.accuracy() > 0.9, () -> "accuracy " + scores.accuracy());
      long right = 0;
      for (int i = 0; i < texts.size(); i++) {
        String predicted =
            String.join(task == Objectives.TOKEN ? " " : ",", before.get(i).labels());
        String[] expected = data.test().get(i).label().split(",", -1);
        Arrays.sort(expected);
        right += predicted.equals(String.join(",", expected)) ? 1 : 0;
      }
      System.out.printf("  %d of %d texts predicted wholly right%n", right, texts.size());
      assertTrue(right > texts.size() / 2);
    }
    try (ModelFiles files = ModelFolder.open(saved);
        TextModel again = TextModel.open(files)) {
      List<Prediction> after = again.predict(texts);
      for (int i = 0; i < texts.size(); i++) {
        assertEquals(before.get(i).labels(), after.get(i).labels());
        for (String name : before.get(i).scores().keySet()) {
          assertEquals(before.get(i).scores().get(name), after.get(i).scores().get(name), 1e-6);
        }
      }
      assertEquals(scores.loss(), again.evaluate(data.test()).loss(), 1e-6);
      if (task == Objectives.CLASSIFY) {
        explains(again, data.test());
      } else if (task == Objectives.TOKEN) {
        assertThrows(BadInputException.class, () -> again.explain(data.test()));
      }
    }
    for (WeightStorage storage : List.of(WeightStorage.INT8, WeightStorage.NF4)) {
      try (ModelFiles files = ModelFolder.open(saved);
          TextModel stored = TextModel.openAs(files, storage)) {
        double loss = stored.evaluate(data.test()).loss();
        System.out.printf("  loss %.6f, as %s %.6f%n", scores.loss(), storage, loss);
        assertEquals(scores.loss(), loss, storage == WeightStorage.INT8 ? 0.05 : 0.5);
        assertNotEquals(scores.loss(), loss); // they are rounded
      }
    }
  }

  /** The label is the text's good or bad, and nothing else. */
  private static void explains(TextModel model, List<Example> rows) {
    List<Example> texts = new ArrayList<>(rows.subList(0, 20));
    texts.add(new Example("the cat <b> the good dog", "the red bird one", null));
    List<Explanation> explanations = model.explain(texts);
    List<Prediction> predictions = model.predictRows(texts);
    int found = 0;
    for (int i = 0; i < texts.size(); i++) {
      Explanation explanation = explanations.get(i);
      Prediction prediction = predictions.get(i);
      assertEquals(prediction.labels(), explanation.prediction().labels());
      assertEquals(explanation.label(), prediction.labels().get(0));
      assertEquals(
          prediction.scores().get(explanation.label()),
          explanation.prediction().scores().get(explanation.label()),
          1e-5);
      Explanation.Token first = explanation.strongest().get(0);
      found += Set.of("good", "bad").contains(first.piece()) ? 1 : 0;
      for (Explanation.Token token : explanation.tokens()) {
        Example row = texts.get(i);
        assertEquals(token.text() < 0, Double.isNaN(token.leftOut()));
        if (token.text() >= 0) {
          String whole = token.text() == 0 ? row.text() : row.pair();
          assertEquals(whole.substring(token.begin(), token.end()), token.piece());
        }
      }
    }
    System.out.printf("  %d of %d decisions explained by the word that made them%n", found, 21);
    assertTrue(found >= 18, found + " of 21");
    List<Explanation.Token> pair = explanations.get(20).tokens();
    assertTrue(pair.stream().anyMatch(token -> token.text() == 1 && token.piece().equals("bird")));
  }

  @Test
  void aFolderOfAnotherFormatIsRefused() throws IOException {
    Path saved = folder.resolve("saved");
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = TextModel.forClasses(files, data(Objectives.CLASSIFY).train())) {
      model.save(saved);
    }
    Path config = saved.resolve("config.json");
    String json = Files.readString(config).replaceFirst("\"format\" ?: ?1", "\"format\": 9");
    Files.writeString(config, json);
    try (ModelFiles files = ModelFolder.open(saved)) {
      String message =
          assertThrows(BadInputException.class, () -> TextModel.open(files)).getMessage();
      assertTrue(message.contains("saved in version 9 of this project's format"), message);
    }
  }

  @Test
  void classifies() {
    learns(Objectives.CLASSIFY, Pooling.FIRST, 6);
  }

  @Test
  void classifiesByTheMean() {
    learns(Objectives.CLASSIFY, Pooling.MEAN, 6);
  }

  @Test
  void findsSeveralLabels() {
    learns(Objectives.MULTILABEL, Pooling.MEAN, 12);
  }

  @Test
  void regresses() {
    learns(Objectives.REGRESS, Pooling.FIRST, 12);
  }

  @Test
  void tagsWords() {
    learns(Objectives.TOKEN, Pooling.FIRST, 4);
  }

  @Test
  void plainSameDiffPredictsTheSame() throws IOException, InterruptedException {
    DataSplit data = data(Objectives.CLASSIFY);
    Path saved = folder.resolve("saved");
    Prediction expected;
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = model(files, Objectives.CLASSIFY, data, Pooling.FIRST)) {
      model.fineTune(data, settings(1));
      model.save(saved);
      expected = model.predict(List.of("the cat is very good")).get(0);
    }
    String nd4jOnly =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .filter(entry -> entry.endsWith(".jar") && !entry.contains("tokentune"))
            .collect(Collectors.joining(File.pathSeparator));
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                nd4jOnly,
                "src/test/resources/PlainSameDiff.java",
                saved.resolve(TextModel.SAMEDIFF_FILE).toString(),
                "2",
                "4",
                "22",
                "9",
                "10",
                "12",
                "3")
            .redirectErrorStream(true)
            .start();
    String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, child.waitFor(), output);
    String line = output.lines().filter(l -> l.startsWith("logits")).findFirst().orElseThrow();
    double[] logits =
        Arrays.stream(line.replaceAll("logits \\[|]", "").split(", ", -1))
            .mapToDouble(Double::parseDouble)
            .toArray();
    double probability = 1 / (1 + Math.exp(logits[0] - logits[1]));
    System.out.printf(
        "probability of 'good' %.7f, in a JVM without this project %.7f%n",
        expected.scores().get("good"), probability);
    assertEquals(expected.scores().get("good"), probability, 1e-5);
  }

  @Test
  void theSameSeedGivesTheSameModelAndAStopKeepsTheBest() {
    DataSplit data = data(Objectives.CLASSIFY);
    List<List<Double>> losses = new ArrayList<>();
    for (int run = 0; run < 2; run++) {
      List<Double> ofRun = new ArrayList<>();
      losses.add(ofRun);
      FineTuningListener listener =
          new FineTuningListener() {
            @Override
            public void onStep(StepReport report) {
              ofRun.add(report.loss());
            }

            @Override
            public boolean stops() {
              return ofRun.size() == 15;
            }
          };
      try (ModelFiles files = ModelFolder.open(base);
          TextModel model = model(files, Objectives.CLASSIFY, data, Pooling.FIRST)) {
        Trainer.Outcome outcome = model.fineTune(data, settings(3), listener);
        assertTrue(outcome.stopped());
        assertEquals(15, outcome.steps()); // 12 an epoch
        assertEquals(1, outcome.epoch());
        assertEquals(outcome.best().loss(), model.evaluate(data.validation()).loss(), 1e-6);
      }
    }
    assertEquals(losses.get(0), losses.get(1));
  }

  /** SameDiff's ScoreListener follows a training; ND4J's Evaluation counts as this project does. */
  @Test
  void speaksWithListenersAndEvaluationsOfNd4j() {
    DataSplit data = data(Objectives.CLASSIFY);
    List<String> told = new ArrayList<>();
    Listener own =
        new BaseListener() {
          @Override
          public boolean isActive(Operation operation) {
            return operation == Operation.TRAINING;
          }

          @Override
          public void epochStart(SameDiff sd, At at) {
            told.add("start " + at.epoch() + " " + at.iteration());
          }

          @Override
          public void iterationDone(SameDiff sd, At at, MultiDataSet data, Loss loss) {
            told.add("step " + at.epoch() + " " + at.iteration());
            assertTrue(loss.totalLoss() > 0);
          }

          @Override
          public ListenerResponse epochEnd(SameDiff sd, At at, LossCurve losses, long millis) {
            told.add("end " + at.epoch() + " " + losses.losses().size());
            return at.epoch() == 1 ? ListenerResponse.STOP : ListenerResponse.CONTINUE;
          }
        };
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = model(files, Objectives.CLASSIFY, data, Pooling.FIRST)) {
      Scores scores = model.evaluate(data.test());
      org.nd4j.evaluation.classification.Evaluation evaluation =
          new org.nd4j.evaluation.classification.Evaluation();
      ROC roc = new ROC(0);
      model.evaluate(data.test(), evaluation, roc);
      System.out.printf(
          "accuracy %.4f, ND4J's %.4f; AUC %.4f%n",
          scores.accuracy(), evaluation.accuracy(), roc.calculateAUC());
      assertEquals(scores.accuracy(), evaluation.accuracy(), 1e-12);
      for (int actual = 0; actual < 2; actual++) {
        for (int predicted = 0; predicted < 2; predicted++) {
          assertEquals(
              scores.confusion()[actual][predicted],
              evaluation.getConfusionMatrix().getCount(actual, predicted));
        }
      }

      FineTuningListener listener =
          new SameDiffListener(own).andThen(new SameDiffListener(new ScoreListener(5)));
      Trainer.Outcome outcome = model.fineTune(data, settings(9), listener);
      assertEquals(24, outcome.steps()); // 12 an epoch
      assertEquals(28, told.size());
      assertEquals(List.of("start 0 0", "step 0 0", "step 0 1"), told.subList(0, 3));
      assertEquals(List.of("step 0 11", "end 0 1", "start 1 12"), told.subList(12, 15));
      assertEquals("end 1 2", told.get(27));
    }
  }

  private TextModel untrained(ModelFiles files, Labels labels) {
    return TextModel.forTask(files, labels, Pooling.FIRST, null, 0.0, WeightStorage.FLOAT32, 6);
  }

  /** A folder with a random classifier, and these names of its outputs. */
  private Path classifier(Objective task, String... names) throws IOException {
    Path saved = folder.resolve("names-" + task + "-" + String.join("-", names));
    List<String> numbers = IntStream.range(0, names.length).mapToObj(i -> "n" + i).toList();
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = untrained(files, new Labels(task, numbers))) {
      model.save(saved);
    }
    ObjectNode config = config(saved);
    config.remove("label2id");
    for (int i = 0; i < names.length; i++) {
      config.withObject("/id2label").put(Integer.toString(i), names[i]);
    }
    JSON.writeValue(saved.resolve("config.json").toFile(), config);
    return saved;
  }

  private static ObjectNode config(Path model) throws IOException {
    return (ObjectNode) JSON.readTree(model.resolve("config.json").toFile());
  }

  private static List<Example> rows(String... labels) {
    return Stream.of(labels).map(label -> new Example("the cat", label)).toList();
  }

  /** What a model says of a text, of one name after the other. */
  private static List<Double> scores(TextModel model, List<String> names) {
    Map<String, Double> scores = model.predict(List.of("the red dog and a bird")).get(0).scores();
    return names.stream().map(scores::get).toList();
  }

  /** The saved model's labels, and those that it has for rows with others; the scores stay. */
  @ParameterizedTest
  @CsvSource({
    // the same names, in whatever order
    "zneg pos mid, mid pos zneg, zneg pos mid",
    "zneg pos mid, Pos MID zneg, zneg Pos MID",
    // some of them
    "zneg pos mid, pos zneg, zneg pos mid",
    "zneg pos mid, Mid zneg, zneg pos Mid",
    "a A b, A b, a A b",
    // numbers are transformers' placeholders, and the outputs of models with names
    "LABEL_0 LABEL_1 LABEL_2, 0 1 2, 0 1 2",
    "LABEL_2 LABEL_0 LABEL_1, 0 1 2, 2 0 1",
    "2 0 1, LABEL_0 LABEL_1 LABEL_2, LABEL_2 LABEL_0 LABEL_1",
    "zneg pos mid, 0 1 2, 0 1 2",
    "zneg pos mid, LABEL_2 LABEL_1 LABEL_0, LABEL_0 LABEL_1 LABEL_2",
    "1 0 2, 0 1 2, 1 0 2"
  })
  void trainsOnWithTheModelsNumbers(String before, String data, String after) throws IOException {
    List<String> names = List.of(after.split(" ", -1));
    for (Objective task : List.of(Objectives.CLASSIFY, Objectives.MULTILABEL)) {
      Labels labels = Labels.of(task, rows(data.split(" ", -1)));
      try (ModelFiles files = ModelFolder.open(classifier(task, before.split(" ", -1)));
          TextModel trained = TextModel.open(files);
          TextModel again = untrained(files, labels)) {
        assertEquals(names, again.labels().names());
        assertEquals(scores(trained, trained.labels().names()), scores(again, names));
      }
    }
  }

  /** Other labels need another classifier: the one that a model without any would get. */
  @ParameterizedTest
  @CsvSource({
    "zneg pos, pos zneg mid",
    "zneg pos, neg pos",
    "a A, a b",
    "a A, A b",
    "LABEL_0 LABEL_1, neg pos",
    "LABEL_0 LABEL_1 LABEL_2, 0 1",
    "one two three, 1 2 3",
    "1 2, 0 1",
    "0 1, neg pos"
  })
  void otherLabelsGetAClassifierOfTheirOwn(String before, String data) throws IOException {
    Labels labels = Labels.of(Objectives.CLASSIFY, rows(data.split(" ", -1)));
    try (ModelFiles files =
            ModelFolder.open(classifier(Objectives.CLASSIFY, before.split(" ", -1)));
        ModelFiles plain = ModelFolder.open(base);
        TextModel again = untrained(files, labels);
        TextModel fresh = untrained(plain, labels)) {
      assertEquals(labels.names(), again.labels().names());
      assertEquals(scores(fresh, labels.names()), scores(again, labels.names()));
    }
  }

  /** GLUE's, say, by which F1 goes: the classifier's rows come in their order. */
  @ParameterizedTest
  @CsvSource({
    "positive negative, positive negative",
    "POSITIVE Negative, POSITIVE Negative",
    "LABEL_0 LABEL_1, LABEL_1 LABEL_0",
    "LABEL_1 LABEL_0, LABEL_0 LABEL_1"
  })
  void numbersOfTheLabelsOwnStay(String before, String positiveAndNegative) throws IOException {
    Labels sst2 = new Labels(Objectives.CLASSIFY, List.of("negative", "positive"));
    try (ModelFiles files =
            ModelFolder.open(classifier(Objectives.CLASSIFY, before.split(" ", -1)));
        TextModel trained = TextModel.open(files);
        TextModel again = untrained(files, sst2)) {
      assertEquals(sst2, again.labels());
      assertEquals(
          scores(trained, List.of(positiveAndNegative.split(" ", -1))),
          scores(again, List.of("positive", "negative")));
    }
  }

  @Test
  void tagsKeepTheModelsNumbers() throws IOException {
    try (ModelFiles files = ModelFolder.open(classifier(Objectives.TOKEN, "O", "B-X", "I-X"));
        TextModel trained = TextModel.open(files);
        TextModel again = untrained(files, Labels.of(Objectives.TOKEN, rows("B-X O")))) {
      assertEquals(trained.labels(), again.labels());
      List<String> words = List.of("the cat", "", "dog", " ");
      List<Example> texts = List.of(new Example("", null, null, words, null));
      List<String> tags = again.predictRows(texts).get(0).labels();
      System.out.println(tags);
      assertEquals(trained.predictRows(texts).get(0).labels(), tags);
      assertEquals(4, tags.size());
      assertEquals(List.of("", ""), List.of(tags.get(1), tags.get(3)));
    }
  }

  @Test
  void problemTypesGoWithTheirOutputs() throws IOException {
    Path saved = classifier(Objectives.CLASSIFY, "joy", "calm", "power");
    List<Double> logits = new ArrayList<>();
    ObjectNode config = config(saved);
    JSON.writeValue(
        saved.resolve("config.json").toFile(), config.put("problem_type", "regression"));
    try (ModelFiles files = ModelFolder.open(saved);
        TextModel model = TextModel.open(files)) {
      logits.addAll(scores(model, List.of("joy", "calm", "power")));
      BadInputException e =
          assertThrows(BadInputException.class, () -> model.evaluate(rows("1", "2")));
      assertTrue(e.getMessage().contains("gives 3 numbers"), e.getMessage());
    }
    JSON.writeValue(
        saved.resolve("config.json").toFile(),
        config.put("problem_type", "multi_label_classification"));
    try (ModelFiles files = ModelFolder.open(saved);
        TextModel model = TextModel.open(files)) {
      List<Double> flags = scores(model, List.of("joy", "calm", "power"));
      for (int i = 0; i < flags.size(); i++) {
        assertEquals(flags.get(i), 1 / (1 + Math.exp(-logits.get(i))), 1e-7);
      }
    }
    config.putArray("architectures").add("BertModel").add("BertForSequenceClassification");
    JSON.writeValue(saved.resolve("config.json").toFile(), config);
    refusedToOpen(saved, "architectures in its config.json says 'BertModel'");
    Path one = classifier(Objectives.MULTILABEL, "joy");
    JSON.writeValue(
        one.resolve("config.json").toFile(),
        config(one).put("problem_type", "single_label_classification"));
    refusedToOpen(one, "problem_type is single_label_classification");
  }

  private static void refusedToOpen(Path saved, String expected) {
    try (ModelFiles files = ModelFolder.open(saved)) {
      String message =
          assertThrows(BadInputException.class, () -> TextModel.open(files)).getMessage();
      assertTrue(message.contains(expected) && message.contains(saved.toString()), message);
    }
  }

  @Test
  void everyOutputHasOneName() throws IOException {
    Path saved = classifier(Objectives.CLASSIFY, "neg", "pos");
    for (String[] wrong :
        new String[][] {
          {"{\"0\": \"a\", \"1\": \"a\"}", "has the name 'a' for both 0 and 1"},
          {
            "{\"0\": \"a\", \"2\": \"b\"}",
            "has names for [0, 2], but the classifier has the outputs 0 to 1"
          },
          {"{\"1\": \"a\", \"2\": \"b\"}", "has names for [1, 2]"},
          {"{\"0\": \"a\"}", "has names for [0]"},
          {"{\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}", "has names for [0, 1, 2]"},
          {"{\"0\": \"a\", \"1\": null}", "id2label.1 must be a text, but is null"},
          {"[\"a\", \"b\"]", "id2label must be an object"}
        }) {
      ObjectNode config = config(saved);
      config.set("id2label", JSON.readTree(wrong[0]));
      JSON.writeValue(saved.resolve("config.json").toFile(), config);
      try (ModelFiles files = ModelFolder.open(saved)) {
        Labels labels = Labels.of(Objectives.CLASSIFY, rows("a", "b"));
        for (Runnable bad :
            List.<Runnable>of(() -> TextModel.open(files), () -> untrained(files, labels))) {
          String message = assertThrows(BadInputException.class, bad::run).getMessage();
          System.out.println(message);
          assertTrue(message.contains(wrong[1]) && message.contains(saved.toString()), message);
        }
      }
    }
    ObjectNode config = config(saved);
    config.remove("id2label");
    config.putObject("label2id").put("neg", 0).put("pos", 1); // transformers does not read it alone
    JSON.writeValue(saved.resolve("config.json").toFile(), config);
    try (ModelFiles files = ModelFolder.open(saved);
        TextModel model = TextModel.open(files)) {
      assertEquals(List.of("LABEL_0", "LABEL_1"), model.labels().names());
    }
  }

  @Test
  void saysWhatCannotBe() {
    DataSplit data = data(Objectives.CLASSIFY);
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = model(files, Objectives.CLASSIFY, data, Pooling.FIRST)) {
      TuningSettings wild =
          TuningSettings.defaults()
              .withHyperparameters(
                  Hyperparameters.defaults()
                      .withEpochs(30)
                      .withLearningRate(1e30)
                      .withSchedule(Schedule.linear(0))
                      .withSeed(7));
      for (Runnable bad :
          List.<Runnable>of(
              () -> model.fineTune(data, wild),
              () -> model.fineTune(data, TuningSettings.defaults().withTokens("0")),
              () -> model.fineTune(data, TuningSettings.defaults().withTokens("101%")),
              () -> model.evaluate(List.of(new Example("the cat", "unheard"))),
              () -> model.predict(List.of("cat ".repeat(60))),
              () ->
                  TextModel.forTask(
                          files, model.labels(), Pooling.FIRST, 41, null, WeightStorage.FLOAT32, 1)
                      .close())) {
        System.out.println(assertThrows(BadInputException.class, bad::run).getMessage());
      }
    }
  }
}
