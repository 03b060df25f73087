package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Path MODEL =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  private static final Path TOKENIZER = Path.of("../datasets/src/test/resources/chat");

  @TempDir private Path folder;

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  void rendersCases() throws IOException {
    Path cases =
        write(
            "cases.json",
            "[{\"t\": \"{{ strftime_now('%d %b %Y %H:%M') }} {{ n }} {{ f }}\","
                + " \"ctx\": {\"n\": 12345678901234567890, \"f\": 1.0}},"
                + " {\"t\": \"{{ x.y }}\", \"ctx\": {}}, {\"t\": \"{% if %}\", \"ctx\": {}}]");
    Path results = folder.resolve("results.json");
    Run run = Run.of("chat", "--cases", cases, "--now", "2026-01-02T03:04:05", "--json", results);
    System.out.print(run.printed());
    assertEquals(0, run.code());
    JsonNode read = JSON.readTree(results.toFile());
    System.out.println(read);
    assertEquals("02 Jan 2026 03:04 12345678901234567890 1.0", read.at("/0/out").textValue());
    assertEquals("line 1: 'x' is undefined", read.at("/1/err").textValue());
    assertTrue(read.at("/2/err").textValue().contains("expected an expression"));
    assertEquals(3, read.size());
  }

  @Test
  void rendersRows() throws IOException {
    Path chats = TOKENIZER.resolve("chats.json");
    JsonNode recorded = JSON.readTree(chats.toFile()).get("headers");
    Path template = write("headers.jinja", recorded.get("template").textValue());
    JsonNode chat = recorded.get("conversations").get(2);
    Path rows =
        write("rows.jsonl", JSON.createObjectNode().set("messages", chat.get("messages")) + "\n");
    Path json = folder.resolve("rendered.json");
    Run run =
        Run.of(
            "chat", "--model", TOKENIZER, "--template", template, "--render", rows, "--json", json);
    System.out.print(run.printed());
    assertEquals(0, run.code());
    JsonNode row = JSON.readTree(json.toFile()).at("/rows/0");
    assertEquals(chat.get("text"), row.get("text"));
    assertEquals(chat.get("ids"), row.get("ids"));
    assertEquals(chat.get("learned"), row.get("learned"));
    Run none = Run.of("chat", "--model", TOKENIZER, "--render", rows);
    System.out.print(none.printed());
    assertEquals(1, none.code());
    assertTrue(none.printed().contains("has no chat template; name one with --template"));
    Run missing = Run.of("chat", "--cases", "missing.json", "--json", json);
    assertEquals(1, missing.code());
    assertTrue(missing.printed().contains("There is no file missing.json"), missing.printed());
  }

  @Test
  void rendersRowsOfEveryKind() throws IOException {
    Path rows = folder.resolve("rows");
    Files.createDirectory(rows);
    try (OutputStream out =
        new GZIPOutputStream(Files.newOutputStream(rows.resolve("a.jsonl.gz")))) {
      out.write(chat(1, 1).getBytes(StandardCharsets.UTF_8));
    }
    write(
        "rows/b.csv",
        "prompt,completion,tools\nSay,Said,\nmore,\"It, too\",\"[{\"\"name\"\": \"\"f\"\"}]\"\n");
    for (Object data : List.of(rows.resolve("a.jsonl.gz"), rows.resolve("b.csv"), rows + "/b*")) {
      Run run = Run.of("chat", "--model", MODEL, "--template", "plain", "--render", data);
      System.out.print(run.printed());
      assertEquals(0, run.code());
      boolean chats = data.toString().endsWith("gz");
      assertTrue(
          run.printed().contains(chats ? "[[It was happy and happy." : "[[It, too"), run.printed());
    }
    Run none = Run.of("chat", "--model", MODEL, "--template", "plain", "--render", "jdbc:duckdb:");
    System.out.print(none.printed());
    assertTrue(none.printed().contains("with --query"), none.printed());
  }

  @Test
  void learnsConversationsAndTalks() throws IOException {
    String turn =
        "{\"messages\": [{\"role\": \"user\", \"content\": \"Say it\"}, {\"role\": \"assistant\","
            + " \"content\": \"It was happy.\"}]}\n";
    Path rows = write("chats.jsonl", turn.repeat(40));
    Path output = folder.resolve("tuned");
    Run trained =
        Run.of(
            "train",
            "--task",
            "chat",
            "--model",
            MODEL,
            "--data",
            rows,
            "--template",
            "plain",
            "--epochs",
            8,
            "--batch-size",
            4,
            "--learning-rate",
            1e-3,
            "--output",
            output);
    System.out.print(trained.printed());
    assertEquals(0, trained.code());
    assertTrue(trained.printed().contains("[[It was happy.<|im_end|>]]"), trained.printed());
    Run scores =
        Run.of(
            "evaluate", "--model", output, "--task", "chat", "--template", "plain", "--data", rows);
    System.out.print(scores.printed());
    assertEquals(0, scores.code());
    InputStream in = System.in;
    try {
      System.setIn(new ByteArrayInputStream("Say it\n/exit\n".getBytes(StandardCharsets.UTF_8)));
      Run talk =
          Run.of(
              "chat",
              "--model",
              output,
              "--template",
              "plain",
              "--temperature",
              0,
              "--max-tokens",
              20);
      System.out.print(talk.printed());
      assertEquals(0, talk.code());
      assertTrue(talk.printed().startsWith("> It was happy."), talk.printed());
    } finally {
      System.setIn(in);
    }
  }

  /** A conversation whose answer is so many words. */
  private static String chat(int number, int words) {
    return String.format(
        "{\"messages\": [{\"role\": \"user\", \"content\": \"Say %d\"}, {\"role\":"
            + " \"assistant\", \"content\": \"It was happy%s.\"}]}%n",
        number, " and happy".repeat(words));
  }

  private Run train(Path data, String output, Object... more) {
    List<Object> arguments = new ArrayList<>(List.of("train", "--model", MODEL, "--data", data));
    Collections.addAll(arguments, "--batch-size", 4, "--learning-rate", 1e-3);
    Collections.addAll(arguments, "--output", folder.resolve(output));
    Collections.addAll(arguments, more);
    Run run = Run.of(arguments.toArray());
    System.out.print(run.printed());
    return run;
  }

  @Test
  void packsSeveralIntoARow() throws IOException {
    StringBuilder chats = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      chats.append(chat(i, i % 7));
    }
    Path rows = write("chats.jsonl", chats.toString());
    Object[] chat = {"--task", "chat", "--template", "plain", "--packing", "--max-length", 64};
    Run run = train(rows, "packed", chat);
    assertEquals(0, run.code());
    assertTrue(run.printed().contains("(54 texts packed, on average"), run.printed());
    assertTrue(run.printed().contains("of 64 tokens of a row used)"), run.printed());
    Path tasks =
        write(
            "tasks.jsonl",
            "{\"instruction\": \"Say it\", \"output\": \"It was happy.\"}\n".repeat(20));
    run = train(tasks, "tasks", "--task", "instruct", "--template", "plain", "--packing");
    assertEquals(0, run.code());
    assertTrue(run.printed().contains("(18 texts packed"), run.printed());
    run = train(rows, "none", "--task", "lm", "--packing");
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("not for lm, whose blocks are full"), run.printed());
    Path more = write("more.jsonl", chat(1, 1));
    run =
        train(
            Path.of(rows + ":2"),
            "none",
            "--data",
            more + ":1",
            "--task",
            "chat",
            "--template",
            "plain",
            "--packing");
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("leave --packing or the weights out"), run.printed());
  }

  @Test
  void streamsConversations() throws IOException {
    StringBuilder chats = new StringBuilder();
    for (int i = 0; chats.length() < 1_200_000; i++) {
      chats.append(chat(i, i % 7));
    }
    Path rows = write("many.jsonl", chats.toString());
    Object[] chat = {"--task", "chat", "--template", "plain", "--max-length", 40, "--stream"};
    List<Object> whole = new ArrayList<>(List.of(chat));
    Collections.addAll(whole, "--steps", 4);
    Run run = train(rows, "streamed", whole.toArray());
    assertEquals(0, run.code());
    assertTrue(run.printed().contains("[[It was happy.<|im_end|>]]"), run.printed());
    whole.add("--packing");
    run = train(rows, "packed", whole.toArray());
    assertEquals(0, run.code());
    whole.remove("--steps");
    whole.remove(Integer.valueOf(4));
    run = train(rows, "none", whole.toArray());
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("--stream needs --steps"), run.printed());
  }

  @Test
  void badInputEndsInASentence() throws IOException {
    Path alone =
        write("alone.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"u\"}]}\n");
    Run run =
        Run.of(
            "train",
            "--task",
            "chat",
            "--model",
            MODEL,
            "--data",
            alone,
            "--template",
            "plain",
            "--validation",
            "none",
            "--output",
            folder.resolve("none"));
    System.out.print(run.printed());
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("alone.jsonl, line 1 has no message of the assistant"));
    Path failing = write("failing.jinja", "{{ raise_exception('No, not this') }}");
    run = Run.of("chat", "--model", TOKENIZER, "--template", failing, "--render", alone);
    System.out.print(run.printed());
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("alone.jsonl, line 1: the chat template refuses"));
    assertTrue(run.printed().contains("No, not this"));
    Path unknown = write("unknown.jsonl", chat(0, 0) + chat(1, 1).replace("user", "wizard"));
    for (String[] command : new String[][] {{"chat", "--render"}, {"train", "--data"}}) {
      List<Object> arguments = new ArrayList<>(List.of(command[0], "--model", MODEL));
      Collections.addAll(arguments, "--template", "plain", command[1], unknown);
      if (command[0].equals("train")) {
        Collections.addAll(arguments, "--task", "chat", "--output", folder.resolve("none"));
      }
      run = Run.of(arguments.toArray());
      System.out.print(run.printed());
      assertEquals(1, run.code());
      assertTrue(
          run.printed()
              .contains("unknown.jsonl, line 2: message 1 has the role wizard, which is not known"),
          run.printed());
    }
    run = Run.of("chat", "--cases", alone);
    System.out.print(run.printed());
    assertEquals(1, run.code());
    run = Run.of("chat");
    System.out.print(run.printed());
    assertEquals(1, run.code());
  }
}
