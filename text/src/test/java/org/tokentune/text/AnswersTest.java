package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokentune.BadInputException;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;

/** Windows over long contexts, and scores of answers. */
class AnswersTest {

  private static final String CONTEXT = "\uD83D\uDE00 The cat sees a bird, the dog eats two fish.";

  private static TextTokenizer tokenizer() throws IOException {
    byte[] json = Files.readAllBytes(Path.of("../datasets/src/test/resources/tokenizer.json"));
    return TextTokenizer.open(json, "tokenizer.json", Integer.MAX_VALUE, false);
  }

  private static List<SquadQuestion.Answer> answers(String... texts) {
    return Stream.of(texts).map(text -> new SquadQuestion.Answer(text, 0)).toList();
  }

  /** Expected values are computed by hand, by the rules of evaluate-v1.1.py. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "The Cat!            | cat            | 1 | 1",
        "a black  cat        | the black cat. | 1 | 1",
        "cat                 | black cat      | 0 | 0.66666667",
        "the big black cat   | black cat      | 0 | 0.8",
        "dog                 | cat            | 0 | 0",
        "new new york        | new york       | 0 | 0.8",
        "U.S.                | US             | 1 | 1",
        "anthem              | them           | 0 | 0",
        "café au lait        | Café-au-lait   | 0 | 0",
        "the                 | a              | 1 | 0"
      })
  void scoresAsTheOfficialScriptDoes(String answer, String given, double exact, double f1) {
    assertEquals(exact, AnswerScores.exactMatch(answer, answers(given)));
    assertEquals(f1, AnswerScores.f1(answer, answers(given)), 1e-8);
  }

  @Test
  void theBestOfTheGivenAnswersCounts() {
    List<SquadQuestion.Answer> given = answers("in 1999", "1999", "late 1999, or so");
    assertEquals(1, AnswerScores.exactMatch("1999", given));
    assertEquals(2.0 * 2 / (3 + 2), AnswerScores.f1("in the year 1999", given.subList(0, 2)), 1e-9);
  }

  @Test
  void windowsHoldTheWholeContextAndMarkTheAnswerWhereItIsWhole() throws IOException {
    SquadQuestion.Answer answer =
        new SquadQuestion.Answer("two fish", CONTEXT.codePointCount(0, CONTEXT.indexOf("two")));
    try (TextTokenizer tokenizer = tokenizer()) {
      List<AnswerWindow> windows = AnswerWindow.of("what fish?", CONTEXT, answer, tokenizer, 12, 3);
      AnswerWindow whole = AnswerWindow.of("what fish?", CONTEXT, answer, tokenizer, 50, 3).get(0);
      int marked = 0;
      int covered = 0;
      for (AnswerWindow window : windows) {
        TokenBatches.Row row = window.row();
        System.out.println(Arrays.toString(row.ids()) + " " + Arrays.toString(row.labels()));
        assertTrue(row.ids().length <= 12);
        assertEquals(3, row.ids()[row.ids().length - 1], "[SEP]");
        assertArrayEquals(
            Arrays.copyOf(whole.row().ids(), whole.first()),
            Arrays.copyOf(row.ids(), window.first()));
        assertTrue(window.begins()[0] <= covered, "a gap");
        covered = window.ends()[window.ends().length - 1];
        int start = (int) row.labels()[0];
        if (start > 0) {
          marked++;
          assertEquals("two fish", text(window, start, (int) row.labels()[1]));
        }
      }
      assertEquals(CONTEXT.codePointCount(0, CONTEXT.length()), covered);
      assertTrue(windows.size() > 2 && marked >= 1 && marked < windows.size());
      assertThrows(
          BadInputException.class,
          () -> AnswerWindow.of("what fish?", CONTEXT, null, tokenizer, 6, 3));
    }
  }

  private static String text(AnswerWindow window, int start, int end) {
    return new AnswerWindow.Span(
            window.begins()[start - window.first()], window.ends()[end - window.first()], 0)
        .of(CONTEXT);
  }

  @Test
  void theBestSpanHasTheLargestSumAndIsNotTooLong() throws IOException {
    try (TextTokenizer tokenizer = tokenizer()) {
      AnswerWindow window = AnswerWindow.of("?", CONTEXT, null, tokenizer, 50, 3).get(0);
      float[][] scores = new float[2][window.row().ids().length];
      scores[0][0] = 9; // the question's tokens do not count
      scores[1][1] = 9;
      scores[0][window.first() + 5] = 3;
      scores[1][window.first() + 2] = 4; // ends before it begins
      scores[1][window.first() + 10] = 2;
      assertEquals(5, window.best(scores, 30).score());
      assertEquals(window.begins()[5], window.best(scores, 30).begin());
      assertEquals(window.ends()[10], window.best(scores, 30).end());
      assertEquals(4, window.best(scores, 3).score());
    }
  }
}
