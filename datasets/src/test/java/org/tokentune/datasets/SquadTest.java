package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;

class SquadTest {

  private static final String CONTEXT = "\uD83D\uDE00 The cat sees a bird, the dog eats two fish.";

  @TempDir private Path folder;

  @Test
  void readsOffsetsInCharacters() throws IOException {
    SquadQuestion question =
        SquadQuestion.read(
                file(
                    """
                    {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "%s",
                     "qas": [{"id": "q1", "question": "What eats?", "answers":
                      [{"text": "dog", "answer_start": 27}, {"text": "the dog", "answer_start": 23}]}]}]}]}
                    """
                        .formatted(CONTEXT)))
            .get(0);
    assertEquals("q1", question.id());
    assertEquals(CONTEXT, question.context());
    assertEquals(
        List.of("dog", "the dog"),
        question.answers().stream().map(SquadQuestion.Answer::text).toList());
  }

  /** SQuAD 2.0, what datasets makes of it, and a table: in each the second has no answer. */
  @Test
  void readsQuestionsWithoutAnAnswer() throws IOException {
    Path nested =
        file(
            """
            {"version": "v2.0", "data": [{"paragraphs": [{"context": "a cat", "qas": [
             {"id": "q1", "question": "Who?", "is_impossible": false,
              "answers": [{"text": "cat", "answer_start": 2}]},
             {"id": "q2", "question": "Why?", "is_impossible": true, "answers": [],
              "plausible_answers": [{"text": "a", "answer_start": 0}]}]}]}]}
            """);
    Path rows =
        Files.writeString(
            folder.resolve("rows.jsonl"),
            """
            {"id": "q1", "question": "Who?", "context": "a cat", "answers": {"text": ["cat"], "answer_start": [2]}}
            {"id": "q2", "question": "Why?", "context": "a cat", "answers": {"text": [], "answer_start": []}}
            """);
    Path table =
        Files.writeString(
            folder.resolve("rows.csv"),
            "id,question,context,answer,answer_start\nq1,Who?,a cat,cat,2\nq2,Why?,a cat,,\n");
    List<SquadQuestion> questions = SquadQuestion.read(nested);
    assertEquals(1, questions.get(0).answers().size());
    assertEquals(List.of(), questions.get(1).answers());
    assertEquals(questions, SquadQuestion.read(rows));
    assertEquals(questions, SquadQuestion.read(table));
  }

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("squad.json"), content);
  }

  @Test
  void reportsErrors() throws IOException {
    assertRejected("line 2 is not JSON", "{\"data\":\n[}");
    assertRejected("has no questions", "{\"rows\": []}");
    String question =
        "{\"data\": [{\"paragraphs\": [{\"context\": \"a cat\", \"qas\": [{\"id\": \"q7\", \"question\": \"?\"%s}]}]}]}";
    assertRejected("question q7 has no text or no answers", question.formatted(""));
    assertRejected(
        "question q7 has 0 answers, but its is_impossible is false",
        question.formatted(", \"answers\": [], \"is_impossible\": false"));
    assertRejected(
        "question q7 has 1 answers, but its is_impossible is true",
        question.formatted(
            ", \"answers\": [{\"text\": \"cat\", \"answer_start\": 2}], \"is_impossible\": true"));
    for (String answer :
        List.of(
            "\"cat\", \"answer_start\": 3",
            "\"cat\", \"answer_start\": 99",
            "\"\", \"answer_start\": 1")) {
      assertRejected(
          "to question q7 is not at character",
          question.formatted(", \"answers\": [{\"text\": " + answer + "}]"));
    }
    assertThrows(BadInputException.class, () -> SquadQuestion.read(folder.resolve("none.json")));
  }

  private void assertRejected(String part, String content) throws IOException {
    Path file = file(content);
    String message =
        assertThrows(BadInputException.class, () -> SquadQuestion.read(file)).getMessage();
    System.out.println(message);
    assertTrue(message.contains(part) && message.contains("squad.json"), message);
  }
}
