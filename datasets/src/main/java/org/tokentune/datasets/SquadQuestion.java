package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * A question about a text that contains the answer, as in SQuAD 1.1 (Rajpurkar et al., 2016), or
 * does not, as some in SQuAD 2.0 (Rajpurkar et al., 2018).
 *
 * @param answers given by people; the first is used for training; none: the text has no answer
 */
public record SquadQuestion(String id, String question, String context, List<Answer> answers) {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  public SquadQuestion {
    required(id, "id");
    required(question, "question");
    required(context, "context");
    required(answers, "answers");

    answers = List.copyOf(answers);
  }

  /**
   * An answer, a part of the context.
   *
   * @param start its first position in the context, in Unicode code points
   */
  public record Answer(String text, int start) {

    public Answer {
      required(text, "text");
    }

    /** The position after its last one, in Unicode code points of the context. */
    public int end() {
      return start + text.codePointCount(0, text.length());
    }
  }

  /**
   * Reads a file in SQuAD's JSON: {@code data}, a list of articles with {@code paragraphs}, each
   * with {@code context} and {@code qas}, each with {@code id}, {@code question} and {@code
   * answers}, each with {@code text} and {@code answer_start}.
   *
   * <p>Or a file in any format of {@link RowSource}, with columns {@code question}, {@code
   * context}, {@code answer} and {@code answer_start} (the number of characters before the answer),
   * and {@code id}, which may be missing. In place of the answer and its start, JSON may have
   * {@code answers}: a list as in SQuAD, or an object with two lists, {@code text} and {@code
   * answer_start}.
   *
   * <p>A question whose {@code answers} is an empty list, or whose {@code answer} and its start are
   * empty, has no answer; {@code is_impossible} may say so, too. {@code plausible_answers} do not
   * count.
   *
   * @throws BadInputException if it is missing or malformed, has no questions, an answer is not in
   *     its context where {@code answer_start} says, or {@code is_impossible} contradicts the
   *     answers
   */
  public static List<SquadQuestion> read(Path file) {
    required(file, "file");

    if (!isNested(file)) {
      return RowSource.read(file, "questions", new Reader());
    }
    Map<?, ?> root;
    try {
      root = MAPPER.readValue(file.toFile(), Map.class);
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw new BadFileException(e, "%s, line %d is not JSON; get the file again.", file, line);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
    List<SquadQuestion> questions = new ArrayList<>();
    for (Map<?, ?> article : objects(root.get("data"))) {
      for (Map<?, ?> paragraph : objects(article.get("paragraphs"))) {
        String context = paragraph.get("context") instanceof String text ? text : "";
        for (Map<?, ?> question : objects(paragraph.get("qas"))) {
          questions.add(question(question::get, context, file.toString()));
        }
      }
    }
    if (questions.isEmpty()) {
      throw new BadFileException(
          "%s has no questions: it has neither SQuAD's layout, an object with data, paragraphs and qas, nor rows with question, context, answer and answer_start; it is an object with %s. Give"
              + " such a file.",
          file, Labels.shown(Row.strings(List.copyOf(root.keySet()))));
    }
    return questions;
  }

  /** Whether a file is one object rather than rows: its first object is not a question. */
  private static boolean isNested(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadDataException("There is no file %s; check the path.", file);
    }
    if (RowFormat.isTable(file)) {
      return false;
    }
    boolean object = false;
    try (JsonParser parser = MAPPER.createParser(file.toFile())) {
      object = parser.nextToken() == JsonToken.START_OBJECT;
      while (object && parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        if (name.equals("question") || name.equals("data")) {
          return name.equals("data");
        }
        parser.nextToken();
        parser.skipChildren();
      }
      return object;
    } catch (IOException e) {
      return object; // reading it all reports what is wrong
    }
  }

  private static List<Map<?, ?>> objects(Object list) {
    List<Map<?, ?>> objects = new ArrayList<>();
    for (Object each : list instanceof List<?> all ? all : List.of()) {
      objects.add(each instanceof Map<?, ?> map ? map : Map.of());
    }
    return objects;
  }

  /** Makes questions of rows. */
  private static final class Reader implements RowReader<SquadQuestion> {

    @Override
    public void header(List<String> columns, String file) {
      if (!columns.containsAll(List.of("question", "context", "answer", "answer_start"))) {
        throw noColumns(columns, file);
      }
    }

    @Override
    public void row(Row row, List<SquadQuestion> questions) {
      if (!(row.value("context") instanceof String context)
          || !(row.value("question") instanceof String question)
          || !(row.columns().contains("answers") || row.columns().contains("answer"))) {
        throw noColumns(row.columns(), row.position());
      }
      Map<String, Object> fields = new HashMap<>();
      fields.put("question", question);
      fields.put("id", row.value("id") == null ? question : row.value("id"));
      fields.put("is_impossible", row.value("is_impossible"));
      Object answers = row.value("answers");
      if (answers == null) {
        Object text = row.value("answer");
        Object start = row.value("answer_start");
        answers = isEmpty(text) && isEmpty(start) ? List.of() : answers(text, start);
      } else if (answers instanceof Map<?, ?> columns) {
        answers = answers(columns.get("text"), columns.get("answer_start"));
      }
      fields.put("answers", answers);
      questions.add(question(fields::get, context, row.position()));
    }

    private static boolean isEmpty(Object value) {
      return value == null || value.toString().isEmpty();
    }

    /** Pairs texts with their starts, as in SQuAD; what is missing is null. */
    private static List<Map<String, Object>> answers(Object texts, Object starts) {
      List<?> all = texts instanceof List<?> list ? list : List.of(texts == null ? "" : texts);
      List<?> begins = starts instanceof List<?> list ? list : Collections.singletonList(starts);
      List<Map<String, Object>> answers = new ArrayList<>();
      for (int i = 0; i < Math.max(all.size(), begins.size()); i++) {
        Map<String, Object> answer = new HashMap<>();
        answer.put("text", i < all.size() ? all.get(i) : null);
        answer.put("answer_start", i < begins.size() ? begins.get(i) : null);
        answers.add(answer);
      }
      return answers;
    }

    private static BadInputException noColumns(List<String> columns, String origin) {
      return new BadDataException(
          "%s has no question: give the columns question, context, answer and answer_start, or a file in"
              + " SQuAD's layout, one object with data, paragraphs and qas. Its fields are %s.",
          origin, Labels.shown(columns));
    }
  }

  private static SquadQuestion question(
      Function<String, Object> fields, String context, String origin) {
    if (!(fields.apply("id") instanceof String) && !(fields.apply("id") instanceof Number)) {
      throw new BadDataException(
          "%s: a question has no id, or one that is not a text; give one.", origin);
    }
    String id = fields.apply("id").toString();
    List<Answer> answers = new ArrayList<>();
    for (Map<?, ?> each : objects(fields.apply("answers"))) {
      Answer answer =
          new Answer(
              each.get("text") instanceof String text ? text : "", start(each.get("answer_start")));
      if (!stands(answer, context)) {
        throw new BadDataException(
            "%s: the answer '%.60s' to question %s is not at character %d of its context; correct it.",
            origin, answer.text(), id, answer.start());
      }
      answers.add(answer);
    }
    Object said = fields.apply("is_impossible");
    boolean impossible = said != null && said.toString().matches("(?i)true|1");
    if (!(fields.apply("question") instanceof String)
        || !(impossible || fields.apply("answers") instanceof List)) {
      throw new BadDataException(
          "%s: question %s has no text or no answers; give both (answers may be an empty list), or"
              + " remove it.",
          origin, id);
    }
    if (said != null && impossible != answers.isEmpty()) {
      throw new BadDataException(
          "%s: question %s has %d answers, but its is_impossible is %s; correct one of them.",
          origin, id, answers.size(), said);
    }
    return new SquadQuestion(id, fields.apply("question").toString(), context, answers);
  }

  /** Reads a whole number, also from a string; -1 for anything else. */
  private static int start(Object value) {
    if (value instanceof String text) {
      return text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
    }
    return value instanceof Integer start ? start : -1;
  }

  private static boolean stands(Answer answer, String context) {
    return !answer.text().isEmpty()
        && answer.start() >= 0
        && answer.start() <= context.codePointCount(0, context.length())
        && context.startsWith(answer.text(), context.offsetByCodePoints(0, answer.start()));
  }
}
