package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Conversation;
import org.tokentune.datasets.Conversations;

/** Conversations of data sets, against those of files. */
class SparkExamplesTest {

  @TempDir private Path folder;
  private static SparkSession spark;

  @BeforeAll
  static void start() {
    spark = SmallModel.spark();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static void same(List<Conversation> expected, List<Conversation> got) {
    assertEquals(expected.size(), got.size());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i).messages(), got.get(i).messages());
      assertEquals(expected.get(i).variables(), got.get(i).variables());
    }
  }

  private Dataset<Row> rows(String... lines) throws Exception {
    Path file = Files.write(folder.resolve("rows.jsonl"), List.of(lines));
    return spark.read().json(file.toString());
  }

  @Test
  void readsWhatFilesHold() {
    Path file = Path.of("../samples/chats.jsonl");
    List<Conversation> expected = Conversations.read(file);
    Dataset<Row> rows = spark.read().json(file.toString());
    same(expected, SparkExamples.conversations(rows));
    String parquet = folder.resolve("chats.parquet").toString();
    rows.withColumnRenamed("messages", "conversations").coalesce(1).write().parquet(parquet);
    same(expected, SparkExamples.conversations(spark.read().parquet(parquet)));
    System.out.printf("%d conversations%n", expected.size());
  }

  /** Spark gives each message the fields of all, null where it has none. */
  @Test
  void whatIsNullIsMissing() throws Exception {
    String call = "{'type': 'function', 'function': {'name': 'now', 'arguments': '{}'}}";
    List<String> lines = new ArrayList<>();
    for (String line :
        List.of(
            "{'messages': [{'role': 'user', 'content': 'What time is it?'},"
                + " {'role': 'assistant', 'content': '', 'tool_calls': ["
                + call
                + "]},"
                + " {'role': 'tool', 'content': '12:00', 'name': 'now'},"
                + " {'role': 'assistant', 'content': 'Noon.'}],"
                + " 'tools': '[{\\\"name\\\": \\\"now\\\"}]'}",
            "{'messages': [{'role': 'user', 'content': 'Hi'},"
                + " {'role': 'assistant', 'content': 'Hello'}], 'note': 'passed over'}")) {
      lines.add(line.replace('\'', '"'));
    }
    Path file = Files.write(folder.resolve("calls.jsonl"), lines);
    same(Conversations.read(file), SparkExamples.conversations(spark.read().json(file.toString())));
  }

  /** Arguments of other calls would be null in each, and in the order of the alphabet in all. */
  @Test
  void argumentsAreNotStructures() throws Exception {
    String call =
        "{\"messages\": [{\"role\": \"assistant\", \"tool_calls\": [{\"name\": \"now\","
            + " \"arguments\": %s}]}]}";
    for (String text : List.of("{\"zone\": \"CET\", \"at\": null}", "\"{}\"")) {
      StructType schema = rows(call.formatted(text)).schema();
      System.out.println(schema.simpleString());
      assertEquals(text.startsWith("{"), SparkExamples.mergesArguments(schema));
    }
    String maps =
        "messages array<struct<role: string, tool_calls: array<struct<name: string, arguments:"
            + " map<string, string>>>>>";
    assertFalse(SparkExamples.mergesArguments(StructType.fromDDL(maps)));
  }

  @Test
  void shareGptMayBeMaps() {
    List<Conversation> read =
        SparkExamples.conversations(
            spark.sql(
                "select array(map('from', 'human', 'value', 'Hi'), map('from', 'gpt', 'value', 'Hello'))"
                    + " as conversations"));
    assertEquals(
        List.of(
            Map.of("role", "user", "content", "Hi"),
            Map.of("role", "assistant", "content", "Hello")),
        read.get(0).messages());
  }

  @Test
  void saysWhatIsWrong() throws Exception {
    assertSays(
        "The data set has no conversations; a conversation has messages, conversations, prompt and"
            + " completion, or instruction and output. Its columns are [text].",
        rows("{\"text\": \"Hi\"}"));
    assertSays(
        "The data set, row 2 is not a conversation; a conversation has messages, conversations, prompt"
            + " and completion, or instruction and output. Its fields are [id].",
        rows(
            "{\"id\": 1, \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}",
            "{\"id\": 2}"));
    assertSays(
        "The data set has no conversations; give it some.",
        rows("{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}").limit(0));
  }

  private static void assertSays(String sentence, Dataset<Row> rows) {
    BadInputException e =
        assertThrows(BadInputException.class, () -> SparkExamples.conversations(rows));
    System.out.println(e.getMessage());
    assertEquals(sentence, e.getMessage());
  }
}
