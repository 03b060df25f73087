package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Scores;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;

/** A small model that learns which words of a text are answers. */
class AnswerModelTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");
  private static final String[] FILLERS = {"the film", "a book", "was", "and", "is", "likes"};
  private static final String[] ANSWERS = {"cat", "dog", "two bird", "three fish"};

  @TempDir private Path folder;

  /** Texts that name an animal, and some of them how many there are. */
  private static List<SquadQuestion> questions(int count, long seed) {
    Random random = new Random(seed);
    List<SquadQuestion> questions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String before = fillers(random);
      SquadQuestion.Answer answer =
          new SquadQuestion.Answer(ANSWERS[random.nextInt(ANSWERS.length)], before.length());
      String context = before + answer.text() + ", " + fillers(random);
      questions.add(new SquadQuestion("q" + i, "play?", context, List.of(answer)));
    }
    return questions;
  }

  private static String fillers(Random random) {
    StringBuilder text = new StringBuilder();
    for (int j = 0; j < 1 + random.nextInt(6); j++) {
      text.append(FILLERS[random.nextInt(FILLERS.length)]).append(' ');
    }
    return text.toString();
  }

  @Test
  void learnsToAnswerAndIsSaved() throws IOException {
    Path base = base();
    List<SquadQuestion> train = questions(320, 1);
    List<SquadQuestion> test = questions(60, 2);
    Path saved = folder.resolve("saved");
    TuningSettings settings =
        TuningSettings.defaults()
            .withTokens("6")
            .withMinTokens(1)
            .withBatchSize(8)
            .withHyperparameters(
                Hyperparameters.defaults().withEpochs(4).withLearningRate(3e-3).withSeed(7));
    Scores scores;
    try (ModelFiles files = ModelFolder.open(base);
        AnswerModel model = AnswerModel.forQuestions(files, 40, 0.0, WeightStorage.FLOAT32, 6)) {
      model.fineTune(train, test, settings, new FineTuningListener() {});
      scores = model.evaluate(test);
      assertTrue(model.model().save(saved));
      assertThrows(BadInputException.class, () -> model.model().predict(List.of("the cat")));
    }
    System.out.printf(
        "6 tokens and those around the answers: exact match %.3f, F1 %.3f%n",
        scores.get(Metric.EXACT_MATCH), scores.get(Metric.F1));
    assertTrue(scores.get(Metric.EXACT_MATCH) > 0.9);
    assertTrue(scores.get(Metric.F1) >= scores.get(Metric.EXACT_MATCH));
    assertTrue(Files.readString(saved.resolve("config.json")).contains("BertForQuestionAnswering"));

    try (ModelFiles files = ModelFolder.open(saved);
        AnswerModel model = new AnswerModel(TextModel.open(files))) {
      assertEquals(
          scores.metrics(), model.evaluate(test).metrics(), "the saved model answers alike");
      String filler = "the film was and a book is ".repeat(20);
      Example longer = new Example("play?", filler + "two bird " + filler, null);
      String found = model.answer(List.of(longer)).get(0).labels().get(0);
      System.out.println("in a text of several windows: " + found);
      assertEquals("two bird", found);
      String message =
          assertThrows(
                  BadInputException.class, () -> model.answer(List.of(new Example("play?", null))))
              .getMessage();
      assertTrue(message.contains("no text to answer it from"), message);
    }
  }

  /** Every third text names no animal. */
  private static List<SquadQuestion> mixed(int count, long seed) {
    Random random = new Random(seed);
    List<SquadQuestion> questions = new ArrayList<>(questions(count, seed));
    for (int i = 0; i < count; i += 3) {
      String context = fillers(random) + fillers(random);
      questions.set(i, new SquadQuestion("q" + i, "play?", context, List.of()));
    }
    return questions;
  }

  @Test
  void learnsThatThereIsNoAnswer() throws IOException {
    Path base = base();
    List<SquadQuestion> validation = mixed(60, 3);
    List<SquadQuestion> test = mixed(60, 4);
    Path saved = folder.resolve("saved");
    TuningSettings settings =
        TuningSettings.defaults()
            .withTokens("6")
            .withMinTokens(1)
            .withBatchSize(8)
            .withHyperparameters(
                Hyperparameters.defaults().withEpochs(4).withLearningRate(3e-3).withSeed(7));
    Scores scores;
    List<Prediction> answers;
    List<Example> asked =
        test.stream().map(q -> new Example(q.question(), q.context(), null)).toList();
    try (ModelFiles files = ModelFolder.open(base);
        AnswerModel model = AnswerModel.forQuestions(files, 40, 0.0, WeightStorage.FLOAT32, 6)) {
      assertEquals(Double.NaN, model.evaluate(questions(9, 5)).get(Metric.NO_ANSWER_EXACT));
      Scores before = model.evaluate(test);
      // Always an answer, of which an article alone counts as none, as in SQuAD's script.
      assertTrue(before.get(Metric.NO_ANSWER_EXACT) < 0.3);
      assertTrue(before.get(Metric.BEST_F1) >= 20 / 60.0);
      model.fineTune(mixed(320, 1), validation, settings, new FineTuningListener() {});
      scores = model.evaluate(test);
      answers = model.answer(asked);
      assertEquals(
          model.model().noAnswerThreshold(),
          model.evaluate(validation).get(Metric.BEST_F1_THRESHOLD));
      model.model().save(saved);
    }
    System.out.printf("Threshold of no answer: %s%n", scores.metrics());
    assertTrue(scores.get(Metric.HAS_ANSWER_EXACT) > 0.85);
    assertTrue(scores.get(Metric.NO_ANSWER_EXACT) > 0.85);
    long right =
        IntStream.range(0, 60)
            .filter(i -> answers.get(i).labels().isEmpty() == test.get(i).answers().isEmpty())
            .count();
    assertTrue(right > 54, right + " of 60");
    assertTrue(Files.readString(saved.resolve("config.json")).contains("no_answer_threshold"));
    try (ModelFiles files = ModelFolder.open(saved);
        AnswerModel model = new AnswerModel(TextModel.open(files))) {
      assertEquals(scores.metrics(), model.evaluate(test).metrics());
      assertEquals(answers, model.answer(asked));
    }
  }

  private Path base() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    return base;
  }

  @Test
  void aDamagedThresholdIsRejected() throws IOException {
    Path saved = folder.resolve("saved");
    try (ModelFiles files = ModelFolder.open(base());
        AnswerModel model = AnswerModel.forQuestions(files, 40, 0.0, WeightStorage.FLOAT32, 6)) {
      model.model().save(saved);
    }
    Path config = saved.resolve("config.json");
    String text = Files.readString(config);
    for (String wrong : List.of("2", "-0.5", "\"high\"", "[0.5]", "1e999")) {
      Files.writeString(
          config,
          text.replaceFirst("\"pooling\"", "\"no_answer_threshold\" : " + wrong + ", \"pooling\""));
      try (ModelFiles files = ModelFolder.open(saved)) {
        String message =
            assertThrows(BadInputException.class, () -> TextModel.open(files)).getMessage();
        System.out.println(message);
        assertTrue(message.contains("no_answer_threshold must be a number from 0 to 1"), message);
      }
    }
  }
}
