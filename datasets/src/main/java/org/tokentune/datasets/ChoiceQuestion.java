package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * A question with choices.
 *
 * @param answer number of the right choice, from 0
 */
public record ChoiceQuestion(String question, List<String> choices, int answer) {

  /**
   * Reads a file of JSON objects, one a line or all in an array: {@code question}, {@code choices},
   * a list of texts, and {@code answer}: the right choice's number from 0, its letter from A, or
   * its text.
   *
   * @throws BadInputException if it is missing or empty, or holds anything else
   */
  public static List<ChoiceQuestion> read(Path file) {
    return JsonRows.read(
        file, "questions", (line, where, questions) -> questions.add(of(line, where)));
  }

  private static ChoiceQuestion of(JsonNode line, String where) {
    List<String> choices = new ArrayList<>();
    for (JsonNode choice : line.path("choices")) {
      choices.add(choice.isTextual() || choice.isNumber() ? choice.asText() : "");
    }
    if (!line.path("question").isTextual() || choices.size() < 2) {
      throw new BadDataException(
          "%s has no question with two or more choices; give both, or remove the line.", where);
    }
    if (choices.stream().anyMatch(String::isEmpty)) {
      throw new BadDataException("%s has an empty choice; write something there.", where);
    }
    int answer = answer(line.path("answer"), choices);
    if (answer < 0 || answer >= choices.size()) {
      throw new BadDataException(
          "%s: the answer '%s' is none of the %d choices; give a number from 0, a letter from A, or"
              + " its text.",
          where, line.path("answer").asText(), choices.size());
    }
    return new ChoiceQuestion(line.path("question").asText(), List.copyOf(choices), answer);
  }

  private static int answer(JsonNode answer, List<String> choices) {
    if (answer.canConvertToInt()) {
      return answer.intValue();
    }
    String text = answer.asText();
    int found = choices.indexOf(text);
    return found < 0 && text.matches("[A-Z]") ? text.charAt(0) - 'A' : found;
  }
}
