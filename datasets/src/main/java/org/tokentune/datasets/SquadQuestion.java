package org.tokentune.datasets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * A question to a text that holds the answer, as SQuAD 1.1 has it (Rajpurkar et al., 2016).
 *
 * @param answers that people gave; the first is trained on
 */
public record SquadQuestion(String id, String question, String context, List<Answer> answers) {

  public SquadQuestion {
    answers = List.copyOf(answers);
  }

  /**
   * A part of the context.
   *
   * @param start Unicode characters before it
   */
  public record Answer(String text, int start) {

    int end() {
      return start + text.codePointCount(0, text.length());
    }
  }

  /**
   * Reads a file in SQuAD's JSON: {@code data}, a list of articles with {@code paragraphs}, each
   * with {@code context} and {@code qas}, each with {@code id}, {@code question} and {@code
   * answers}, each with {@code text} and {@code answer_start}.
   *
   * @throws BadInputException if it is missing or no such JSON, has no questions, or an answer does
   *     not stand where it says
   */
  public static List<SquadQuestion> read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    List<SquadQuestion> questions = new ArrayList<>();
    String found;
    try {
      JsonNode root = new ObjectMapper().readTree(file.toFile());
      found =
          root.isObject()
              ? "an object with " + Labels.shown(JsonRows.fields(root))
              : JsonRows.kind(root);
      for (JsonNode article : root.path("data")) {
        for (JsonNode paragraph : article.path("paragraphs")) {
          String context = paragraph.path("context").asText();
          for (JsonNode question : paragraph.path("qas")) {
            questions.add(question(question, context, file));
          }
        }
      }
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw new BadFileException(e, "%s, line %d is no JSON; get the file again.", file, line);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
    if (questions.isEmpty()) {
      throw new BadFileException(
          "%s has no questions in SQuAD's layout, an object with data, paragraphs and qas; it is %s. Give such a"
              + " file.",
          file, found);
    }
    return questions;
  }

  private static SquadQuestion question(JsonNode node, String context, Path file) {
    String id = node.path("id").asText();
    if (!node.path("id").isTextual() && !node.path("id").isNumber()) {
      throw new BadDataException(
          "%s: a question has no id, or one that is no text; give one.", file);
    }
    if (node.path("is_impossible").asBoolean()) {
      throw new BadDataException(
          "%s: question %s has no answer (is_impossible, of SQuAD 2.0); only questions that have one are"
              + " read, so remove it.",
          file, id);
    }
    List<Answer> answers = new ArrayList<>();
    for (JsonNode each : node.path("answers")) {
      JsonNode start = each.path("answer_start");
      Answer answer =
          new Answer(
              each.path("text").isTextual() ? each.path("text").textValue() : "",
              start.isIntegralNumber() && start.canConvertToInt() ? start.intValue() : -1);
      if (!stands(answer, context)) {
        throw new BadDataException(
            "%s: the answer '%.60s' to question %s does not stand at %d of its context; correct it.",
            file, answer.text(), id, answer.start());
      }
      answers.add(answer);
    }
    if (answers.isEmpty() || !node.path("question").isTextual()) {
      throw new BadDataException(
          "%s: question %s has no text or no answer; give both, or remove it.", file, id);
    }
    return new SquadQuestion(id, node.path("question").asText(), context, answers);
  }

  private static boolean stands(Answer answer, String context) {
    return !answer.text().isEmpty()
        && answer.start() >= 0
        && answer.start() <= context.codePointCount(0, context.length())
        && context.startsWith(answer.text(), context.offsetByCodePoints(0, answer.start()));
  }
}
