package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.chat.ChatTemplateSettings;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.TokenizerConfig;

/** Conversations in tokens, compared with what transformers 5.24.0 recorded. */
class ChatFormatTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static TextTokenizer tokenizer;
  private static TokenizerConfig config;
  private static JsonNode chats;

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = ChatFormatTest.class.getResourceAsStream("/chat/" + name)) {
      return in.readAllBytes();
    }
  }

  @BeforeAll
  static void open() throws IOException {
    CompanionFiles files =
        CompanionFiles.of(
            "chat",
            Map.of(
                CompanionFiles.TOKENIZER_CONFIG, JSON.readTree(resource("tokenizer_config.json"))));
    tokenizer = TextTokenizer.alone(resource("tokenizer.json"), files, "chat");
    config = TokenizerConfig.read(files, JsonNodeFactory.instance.objectNode());
    chats = JSON.readTree(resource("chats.json"));
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private static ChatFormat format(String template) {
    return ChatFormat.ofTemplate(template, config, tokenizer, ChatTemplateSettings.defaults());
  }

  private static Conversation conversation(JsonNode messages) {
    List<Map<String, Object>> list = new ArrayList<>();
    messages.forEach(
        each ->
            list.add(
                Map.of(
                    "role", each.get("role").textValue(),
                    "content", each.get("content").textValue())));
    return new Conversation("row 1", list, Map.of());
  }

  private static Conversation conversation(String... turns) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (int i = 0; i < turns.length; i += 2) {
      list.add(Map.of("role", turns[i], "content", turns[i + 1]));
    }
    return new Conversation("row 1", list, Map.of());
  }

  @Test
  void equalsTransformers() {
    int compared = 0;
    int tokens = 0;
    for (Map.Entry<String, JsonNode> each : chats.properties()) {
      for (String kind : List.of("template", "template_with_generation")) {
        ChatFormat format = format(each.getValue().get(kind).textValue());
        for (JsonNode chat : each.getValue().get("conversations")) {
          String name = each.getKey() + ", " + kind + ", " + chat.get("text");
          Conversation conversation = conversation(chat.get("messages"));
          assertEquals(
              chat.get("text").textValue(), format.render(conversation, false).text(), name);
          ChatTokens made = format.tokens(conversation, ChatFormat.Learned.ALL);
          assertArrayEquals(JSON.convertValue(chat.get("ids"), int[].class), made.ids(), name);
          int[] learned = JSON.convertValue(chat.get("learned"), int[].class);
          for (int i = 0; i < learned.length; i++) {
            assertEquals(learned[i] == 1, made.learned()[i], name + ", token " + i);
          }
          int last = conversation.messages().size() - 1;
          assertArrayEquals(
              JSON.convertValue(chat.get("prompt"), int[].class),
              format.prompt(conversation.first(last)),
              name);
          compared++;
          tokens += learned.length;
        }
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%d conversations with %d tokens: texts, ids, learned tokens and prompts are equal%n",
        compared,
        tokens);
    assertEquals(60, compared);
  }

  @Test
  void theLastTurnAlone() {
    for (String kind : List.of("template", "template_with_generation")) {
      ChatFormat format = format(chats.get("chatml").get(kind).textValue());
      Conversation conversation =
          conversation("user", "u1", "assistant", "a1", "user", "u2", "assistant", "a2");
      String shown = format.shown(format.tokens(conversation, ChatFormat.Learned.LAST));
      System.out.println(shown);
      assertTrue(shown.endsWith("<|im_start|>assistant\n[[a2<|im_end|>]]\n"), shown);
      assertEquals(1, shown.split("\\[\\[", -1).length - 1);
    }
  }

  @Test
  void conversationsThatCannotBeLearnedAreRefused() {
    ChatFormat alternating = format(chats.get("default-system").get("template").textValue());
    String changing =
        "{% for m in messages %}<{{ m.role }}>{{ m.content if loop.last else m.content[:1] }}{% endfor %}";
    for (BadInputException e :
        List.of(
            assertThrows(
                BadInputException.class,
                () ->
                    alternating.tokens(
                        conversation("user", "a", "user", "b", "assistant", "c"),
                        ChatFormat.Learned.ALL)),
            assertThrows(
                BadInputException.class,
                () -> alternating.tokens(conversation("user", "a"), ChatFormat.Learned.ALL)),
            assertThrows(
                BadInputException.class,
                () ->
                    format(changing)
                        .tokens(
                            conversation("user", "aa", "assistant", "bb"), ChatFormat.Learned.ALL)),
            assertThrows(
                BadInputException.class, () -> format("{% if %}").render(conversation(), false)))) {
      System.out.println(e.getMessage());
      assertTrue(e.getMessage().startsWith("row 1") || e.getMessage().contains("line 1"));
    }
  }

  @Test
  void templatesComeFromAllFiles(@TempDir Path folder) throws IOException {
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"D\"}, {\"name\": \"tool_use\","
            + " \"template\": \"T\"}]}");
    assertEquals(
        Map.of("default", "D", "tool_use", "T"), ChatTemplates.of(CompanionFiles.in(folder)));
    assertEquals("T", ChatTemplates.find(CompanionFiles.in(folder), null, true));
    assertEquals("D", ChatTemplates.find(CompanionFiles.in(folder), null, false));
    Files.writeString(folder.resolve("chat_template.jinja"), "J\n");
    Files.createDirectory(folder.resolve("additional_chat_templates"));
    Files.writeString(folder.resolve("additional_chat_templates/rag.jinja"), "R");
    CompanionFiles files = CompanionFiles.in(folder);
    assertEquals(Map.of("default", "J\n", "rag", "R"), ChatTemplates.of(files));
    assertEquals("R", ChatTemplates.find(files, "rag", false));
    BadInputException e =
        assertThrows(BadInputException.class, () -> ChatTemplates.find(files, "x", false));
    System.out.println(e.getMessage());
    assertTrue(e.getMessage().startsWith("There is no chat template x; there are"), e.getMessage());
    e =
        assertThrows(
            BadInputException.class, () -> ChatTemplates.find(CompanionFiles.NONE, null, false));
    System.out.println(e.getMessage());
    assertTrue(e.getMessage().startsWith("The model has no chat template;"), e.getMessage());
    for (String name : List.of("chatml", "llama3", "alpaca", "plain")) {
      ChatFormat format = format(ChatTemplates.find(files, name, false));
      ChatTokens tokens =
          format.tokens(
              conversation(
                  "system", "s", "user", "u1", "assistant", "a1", "user", "u2", "assistant", "a2"),
              ChatFormat.Learned.ALL);
      System.out.println(name + ": " + format.shown(tokens).replace("\n", "\\n"));
      assertTrue(format.shown(tokens).contains("[[a2"), name);
    }
  }

  @Test
  void rowsOfAllKinds(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("rows.jsonl");
    Files.writeString(
        file,
        """
        {"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": null, "reasoning_content": "r", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1.0}}}]}], "tools": [{"type": "function"}]}
        {"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "u"}, {"from": "gpt", "value": "a"}]}
        {"prompt": "u", "completion": "a"}
        {"prompt": [{"role": "user", "content": "u"}], "completion": [{"role": "assistant", "content": "a"}], "chat_template_kwargs": {"enable_thinking": false}}
        {"instruction": "i", "input": "in", "output": "a", "system": "s"}
        """);
    List<Conversation> read = Conversations.read(file);
    read.forEach(System.out::println);
    assertEquals(5, read.size());
    assertEquals(List.of(Map.of("type", "function")), read.get(0).variables().get("tools"));
    assertEquals("user", read.get(1).messages().get(1).get("role"));
    assertEquals(false, read.get(3).variables().get("enable_thinking"));
    assertEquals("i\n\nin", read.get(4).messages().get(1).get("content"));
    for (String bad :
        List.of(
            "{\"text\": \"x\"}",
            "{\"messages\": []}",
            "{\"messages\": \"x\"}",
            "{\"messages\": [3]}",
            "{\"messages\": [{\"role\": \"robot\", \"content\": \"\"}]}",
            "{\"conversations\": [{\"from\": \"alien\", \"value\": \"\"}]}",
            "{\"prompt\": \"u\", \"completion\": \"a\", \"tools\": 3}")) {
      Files.writeString(file, bad);
      BadInputException e =
          assertThrows(BadInputException.class, () -> Conversations.read(file), bad);
      System.out.println(e.getMessage());
      assertTrue(e.getMessage().contains("rows.jsonl, line 1"), e.getMessage());
    }
  }
}
