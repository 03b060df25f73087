package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * A question with choices.
 *
 * @param answer number of the right choice, from 0
 */
public record ChoiceQuestion(String question, List<String> choices, int answer) {

  public ChoiceQuestion {
    required(question, "question");
    required(choices, "choices");
  }

  /**
   * Reads a file in any format of {@link RowSource}, with these columns: {@code question}; {@code
   * choices}, a list of texts, or one text with vertical bars between the choices; and {@code
   * answer}, the number of the right choice from 0, its letter from A, or its text.
   *
   * @throws BadInputException if it is missing or empty, or a row is not such a question
   */
  public static List<ChoiceQuestion> read(Path file) {
    required(file, "file");

    return RowSource.read(file, "questions", new Reader());
  }

  private static final class Reader implements RowReader<ChoiceQuestion> {

    @Override
    public void header(List<String> columns, String file) {
      for (String column : List.of("question", "choices", "answer")) {
        if (!columns.contains(column)) {
          throw new BadDataException(
              "%s has no column %s; its columns are %s.", file, column, columns);
        }
      }
    }

    @Override
    public void row(Row row, List<ChoiceQuestion> questions) {
      Object listed = row.value("choices");
      boolean joined = listed instanceof String;
      List<String> choices =
          joined
              ? Arrays.stream(listed.toString().split("\\|", -1)).map(String::strip).toList()
              : choices(listed);
      if (!(row.value("question") instanceof String question) || choices.size() < 2) {
        throw new BadDataException(
            "%s needs a question and at least two choices; add what is missing, or remove the line.",
            row.position());
      }
      if (choices.stream().anyMatch(String::isEmpty)) {
        throw new BadDataException(
            "%s has an empty choice; write something there.", row.position());
      }
      Object given = row.value("answer");
      int answer = answer(given, choices);
      int number = number(given);
      if (joined && number != answer && number >= 0 && number < choices.size()) {
        throw new BadDataException(
            "%s: the answer '%s' is the text of one choice and may be the number of another; give its"
                + " letter from A.",
            row.position(), given);
      }
      if (answer < 0 || answer >= choices.size()) {
        throw new BadDataException(
            "%s: the answer '%s' is none of the %d choices; give a number from 0, a letter from A, or"
                + " its text.",
            row.position(), given == null ? "" : given, choices.size());
      }
      questions.add(new ChoiceQuestion(question, List.copyOf(choices), answer));
    }

    private static List<String> choices(Object listed) {
      List<String> choices = new ArrayList<>();
      for (Object choice : listed instanceof List<?> list ? list : List.of()) {
        choices.add(choice instanceof String || choice instanceof Number ? choice.toString() : "");
      }
      return choices;
    }

    /** The number of the right choice; outside the list if there is none. */
    private static int answer(Object answer, List<String> choices) {
      if (answer == null || answer instanceof Number) {
        return number(answer);
      }
      String text = answer.toString();
      int found = choices.indexOf(text);
      if (found < 0 && text.matches("[A-Z]")) {
        return text.charAt(0) - 'A';
      }
      return found < 0 ? number(text) : found;
    }

    /** A whole number of few digits, also in a string; otherwise -1. */
    private static int number(Object value) {
      if (value instanceof String text) {
        return text.matches("[0-9]{1,6}") ? Integer.parseInt(text) : -1;
      }
      double number = value instanceof Number given ? given.doubleValue() : -1;
      return number == Math.rint(number) ? (int) number : -1;
    }
  }
}
