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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.checkpoint.ModelFolder;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.Metric;
import org.tokentune.train.Scores;
import org.tokentune.train.TrainingListener;

/** A small model that learns which word of a text a question asks for. */
class AnswerModelTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");
  private static final String[] FILLERS = {"the film", "a book", "was", "and", "is", "likes"};
  private static final String[][] ANSWERS = {
    {"cat", "dog", "two bird", "three fish"},
    {"red", "blue", "very green"},
    {"good", "awful", "not dull"}
  };
  private static final String[] QUESTIONS = {"play?", "bright?", "great?"};

  @TempDir private Path folder;

  /** Texts that hold an answer to every question. */
  private static List<SquadQuestion> questions(int count, long seed) {
    Random random = new Random(seed);
    List<SquadQuestion> questions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int asked = random.nextInt(QUESTIONS.length);
      StringBuilder context = new StringBuilder();
      SquadQuestion.Answer answer = null;
      for (int kind : List.of(0, 1, 2)) {
        for (int j = 0; j < 1 + random.nextInt(2); j++) {
          context.append(FILLERS[random.nextInt(FILLERS.length)]).append(' ');
        }
        String text = ANSWERS[kind][random.nextInt(ANSWERS[kind].length)];
        if (kind == asked) {
          answer = new SquadQuestion.Answer(text, context.length());
        }
        context.append(text).append(", ");
      }
      questions.add(
          new SquadQuestion("q" + i, QUESTIONS[asked], context.toString(), List.of(answer)));
    }
    return questions;
  }

  @Test
  void learnsToAnswerAndIsSaved() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), base.resolve(file));
    }
    Files.copy(Path.of("src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    List<SquadQuestion> train = questions(600, 1);
    List<SquadQuestion> test = questions(60, 2);
    Path saved = folder.resolve("saved");
    TuningSettings settings =
        new TuningSettings("6", 1, "all", 8, Hyperparameters.defaults())
            .withHyperparameters(new Hyperparameters(5, 0, 1, 2e-3, 0.01, 0.1, 1.0, 0, 7));
    Scores scores;
    try (ModelFiles files = ModelFolder.open(base);
        AnswerModel model = AnswerModel.forQuestions(files, 40, 0.0, 6)) {
      model.fineTune(train, test, settings, new TrainingListener() {}, tuner -> {});
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
      assertEquals(scores, model.evaluate(test), "the saved model answers alike");
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
}
