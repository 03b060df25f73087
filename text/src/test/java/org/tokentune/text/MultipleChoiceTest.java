package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.datasets.ChoiceQuestion;
import org.tokentune.datasets.TokenBatches.Row;
import org.tokentune.formats.ModelFiles;

class MultipleChoiceTest {

  private static final Path MODEL =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  @TempDir private Path folder;

  private static final List<ChoiceQuestion> QUESTIONS =
      List.of(
          new ChoiceQuestion("Sky?", List.of("blue", "a very long red"), 0),
          new ChoiceQuestion("Grass?", List.of("red", "green all over"), 1),
          new ChoiceQuestion("Sun?", List.of("hot", "ic\u00e9y"), 0));

  /** By hand: -4/4 against -9/15; -6/3 against -7/14; -2/3 against -2.5/4. */
  @Test
  void scoresAreTheHarnesss() {
    MultipleChoice.Result result =
        MultipleChoice.tally(
            QUESTIONS,
            List.of(new double[] {-4, -9}, new double[] {-6, -7}, new double[] {-2, -2.5}));
    System.out.println(result);
    assertEquals(2 / 3.0, result.accuracy(), 1e-12); // first and third
    assertEquals(1 / 3.0, result.normalisedAccuracy(), 1e-12); // the second alone
  }

  @Test
  void shotsAreOtherQuestionsSolved() {
    for (int asked = 0; asked < 3; asked++) {
      String context = MultipleChoice.context(QUESTIONS, asked, 2, 7);
      ChoiceQuestion question = QUESTIONS.get(asked);
      String prompt = "Question: " + question.question() + "\nAnswer:";
      assertTrue(context.endsWith("\n\n" + prompt), context);
      assertEquals(context.indexOf(prompt), context.length() - prompt.length(), "asked once");
      assertFalse(context.contains(question.choices().get(question.answer())));
    }
    assertEquals("Question: Sky?\nAnswer:", MultipleChoice.context(QUESTIONS, 0, 0, 7));
    System.out.println(MultipleChoice.context(QUESTIONS, 0, 2, 7));
  }

  /** A text's log-likelihood is that of its parts, whatever stands beside it in the batch. */
  @Test
  void realModelAnswers() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("questions.jsonl"),
            """
            {"question": "One day?", "choices": ["a dog", "the cat"], "answer": "B"}
            {"question": "Two?", "choices": ["x", "y", "z"], "answer": 2}
            {"question": "Red?", "choices": ["no", "yes"], "answer": "yes"}
            """);
    List<ChoiceQuestion> questions = ChoiceQuestion.read(file);
    assertEquals(List.of(1, 2, 1), questions.stream().map(ChoiceQuestion::answer).toList());
    try (ModelFiles files = ModelFiles.open(MODEL);
        LanguageModel model = LanguageModel.open(files, null)) {
      int[] ids = model.tokenizer().encodePiece("One day a dog ran");
      double[] parts =
          model.logLikelihoods(List.of(Row.ofText(ids, 3), Row.ofText(ids, 1), row(ids, 1, 3)));
      System.out.printf("%.6f = %.6f + %.6f%n", parts[1], parts[0], parts[2]);
      assertEquals(parts[1], parts[0] + parts[2], 1e-4);
      System.out.println(MultipleChoice.score(model, questions, 1, 42));
      String message =
          assertThrows(BadInputException.class, () -> MultipleChoice.score(model, questions, 3, 42))
              .getMessage();
      System.out.println(message);
    }
    Path bad =
        Files.writeString(
            folder.resolve("bad.jsonl"),
            "{\"question\": \"x\", \"choices\": [\"a\", \"b\"], \"answer\": \"C\"}");
    String message =
        assertThrows(BadInputException.class, () -> ChoiceQuestion.read(bad)).getMessage();
    System.out.println(message);
    assertTrue(message.contains("the answer 'C' is none of the 2 choices"), message);
  }

  /** Only tokens {@code from} to below {@code to} are labels. */
  private static Row row(int[] ids, int from, int to) {
    float[] labels = Row.ofText(ids, from).labels();
    for (int i = to; i < labels.length; i++) {
      labels[i] = -100;
    }
    return new Row(ids, new int[ids.length], labels);
  }
}
