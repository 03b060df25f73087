package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.chat.ChatTemplateSettings;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.TokenizerConfig;
import org.tokentune.select.TokenSelector;
import org.tokentune.testing.Said;

/** What was reported of other implementations; each test names the reports. */
class ReportedChatsTest {

  private static final String CHATML =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
          + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

  private static final String MARKED =
      "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
          + "{% endgeneration %}{% else %}{{ '<|start|>' + m.content }}{% endif %}{% endfor %}";

  private static TextTokenizer tokenizer;
  private static TokenizerConfig config;

  @TempDir private Path folder;

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = ReportedChatsTest.class.getResourceAsStream("/chat/" + name)) {
      return in.readAllBytes();
    }
  }

  @BeforeAll
  static void open() throws IOException {
    CompanionFiles files =
        CompanionFiles.of(
            "chat",
            Map.of(
                CompanionFiles.TOKENIZER_CONFIG,
                new ObjectMapper().readTree(resource("tokenizer_config.json"))));
    tokenizer = TextTokenizer.alone(resource("tokenizer.json"), files, "chat");
    config = TokenizerConfig.read(files, JsonNodeFactory.instance.objectNode());
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private static ChatFormat format(String template) {
    return ChatFormat.ofTemplate(template, config, tokenizer, ChatTemplateSettings.defaults());
  }

  private static Conversation conversation(Object... turns) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (int i = 0; i < turns.length; i += 2) {
      list.add(Map.of("role", turns[i], "content", turns[i + 1]));
    }
    return new Conversation("row 1", list, Map.of());
  }

  private static String shown(ChatFormat format, Conversation conversation) {
    String shown = format.shown(format.tokens(conversation, ChatFormat.Learned.ALL));
    System.out.println(shown.replace("\n", "\\n"));
    return shown;
  }

  /** transformers, issue 47325: all that follows was learned, too. */
  @Test
  void marksThatEndAtTheFirstTokenOrInSpace() {
    assertEquals(
        "[[A]]<|start|>user message",
        shown(format(MARKED), conversation("assistant", "A", "user", "user message")));
    assertEquals(
        "<|start|>a[[b \n]]<|start|>c",
        shown(format(MARKED), conversation("user", "a", "assistant", "b \n", "user", "c")));
  }

  /** transformers, issue 34494; TRL, issue 3927: nothing was learned, or a step had no label. */
  @Test
  void answersThatAreCut() {
    ChatFormat format = format(CHATML);
    Conversation chat = conversation("user", "a b c", "assistant", "d e f g h i");
    int whole = format.tokens(chat, ChatFormat.Learned.ALL).ids().length;
    int learned = format.tokens(chat, ChatFormat.Learned.ALL).count();
    String said =
        Said.by(
            () -> {
              List<TokenBatches.Row> rows =
                  format.rows(List.of(chat), ChatFormat.Learned.ALL, whole - 3);
              long left = labels(rows.get(0));
              System.out.printf("%d tokens, %d learned; cut: %d learned%n", whole, learned, left);
              assertEquals(learned - 2, left); // the last is the line's end
            });
    assertTrue(said.contains("1 of 1 conversations are longer than"), said);
    BadInputException none =
        assertThrows(
            BadInputException.class, () -> format.rows(List.of(chat), ChatFormat.Learned.ALL, 5));
    System.out.println(none.getMessage());
    assertTrue(none.getMessage().contains("1 of 1 conversations are left out"));
  }

  private static long labels(TokenBatches.Row row) {
    long count = 0;
    for (float label : row.labels()) {
      count += label == TokenSelector.NO_LABEL ? 0 : 1;
    }
    return count;
  }

  /** TRL, issue 3728: with packing, all was learned. */
  @Test
  void packedTurnsOfUsersAreNotLearned() {
    ChatFormat format = format(CHATML);
    List<TokenBatches.Row> rows =
        format.rows(
            List.of(
                conversation("user", "a", "assistant", "b"),
                conversation("user", "c d", "assistant", "e f")),
            ChatFormat.Learned.ALL,
            1000);
    TokenBatches.Row packed = Packing.pack(rows, 1000).get(0);
    long expected = rows.stream().mapToLong(ReportedChatsTest::labels).sum();
    System.out.printf("%d of %d tokens are learned%n", expected, packed.ids().length);
    assertEquals(expected, labels(packed));
    assertEquals(2, Packing.texts(packed));
  }

  /** TRL, issue 1400; OpenRLHF, issue 393: texts began with two tokens. */
  @Test
  void textsBeginOnce() {
    int begin = 0; // which this tokenizer puts before plain texts
    for (String template : List.of("{{ bos_token }}" + CHATML, CHATML)) {
      int[] ids = format(template).ids(conversation("user", "a", "assistant", "b"));
      System.out.println(Arrays.toString(ids));
      long begins = Arrays.stream(ids).filter(id -> id == begin).count();
      assertEquals(template.equals(CHATML) ? 0 : 1, begins);
    }
  }

  /** TRL, issues 1623 and 6357: where padding is the token that ends a text, it was not learned. */
  @Test
  void theEndOfAnAnswerIsLearned() {
    String shown =
        shown(
            format(CHATML.replace("<|im_end|>", "</s>")),
            conversation("user", "a", "assistant", "b", "user", "c", "assistant", "d"));
    assertEquals(2, shown.split("</s>]]", -1).length - 1);
    assertEquals(4, shown.split("</s>", -1).length - 1);
  }

  /** axolotl, issue 3088; ms-swift, issue 4939: what earlier turns thought is no longer there. */
  @Test
  void templatesThatForgetThoughtsAreRefused() {
    String forgetting =
        "{% for m in messages %}<{{ m.role }}>{{ m.content if loop.last or '</think>' not in m.content"
            + " else m.content.split('</think>')[-1] }}\n{% endfor %}"
            + "{% if add_generation_prompt %}<assistant>{% endif %}";
    Conversation chat =
        conversation(
            "user",
            "a",
            "assistant",
            "<think>x</think>b",
            "user",
            "c",
            "assistant",
            "<think>y</think>d");
    BadInputException e =
        assertThrows(
            BadInputException.class, () -> format(forgetting).tokens(chat, ChatFormat.Learned.ALL));
    System.out.println(e.getMessage());
    assertTrue(e.getMessage().contains("learn the last turn only"), e.getMessage());
    ChatFormat format = format(forgetting);
    String last = format.shown(format.tokens(chat, ChatFormat.Learned.LAST));
    System.out.println(last);
    assertTrue(last.endsWith("<assistant>[[<think>y</think>d\n]]"), last);
  }

  /** oumi, pull request 2599; flama, issue 258: arguments were quoted twice, or null. */
  @Test
  void argumentsThatTemplatesWriteWrong() throws IOException {
    Path rows = folder.resolve("calls.jsonl");
    String row =
        "{\"messages\": [{\"role\": \"user\", \"content\": \"w\"}, {\"role\": \"assistant\","
            + " \"content\": \"\", \"tool_calls\": [{\"function\": {\"name\": \"f\","
            + " \"arguments\": %s}}]}]}\n";
    String objects = String.format(row, "{\"city\": \"Oslo\"}");
    String texts = String.format(row, "\"{\\\"city\\\": \\\"Oslo\\\"}\"");
    String nulls = String.format(row, "{\"city\": \"Oslo\", \"day\": null}");
    Files.writeString(rows, objects + texts + nulls);
    List<Conversation> chats = Conversations.read(rows);
    ChatFormat format =
        format(
            "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.arguments | tojson }}"
                + "{% endfor %}{% endfor %}");
    ChatFormat plain =
        format(
            "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.arguments }}"
                + "{% endfor %}{% endfor %}");
    String said = Said.by(() -> assertEquals("{\"city\": \"Oslo\"}", text(format, chats.get(0))));
    assertFalse(said.contains("arguments"), said);
    said = Said.by(() -> text(plain, chats.get(1)));
    assertFalse(said.contains("arguments"), said);
    said =
        Said.by(
            () -> {
              text(format, chats.get(1));
              text(format, chats.get(2));
            });
    System.out.print(said);
    assertTrue(said.contains("writes in quotes, such as \"{\\\"city\\\": \\\"Oslo\\\"}\""), said);
    assertTrue(said.contains("null, such as those of " + rows + ", line 3"), said);
  }

  private static String text(ChatFormat format, Conversation conversation) {
    String text = format.render(conversation, false).text();
    System.out.println(text);
    return text;
  }

  /** TRL, issues 4481 and 1858: chats ended twice, and prompts were only their first message. */
  @Test
  void preferencesOfChats() throws IOException {
    Path rows = folder.resolve("preferences.jsonl");
    String shared =
        "{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"},"
            + " {\"role\": \"user\", \"content\": \"c\"}, ";
    Files.writeString(
        rows,
        String.format(
            "{\"chosen\": [%s%s], \"rejected\": [%s%s]}%n",
            shared,
            "{\"role\": \"assistant\", \"content\": \"d\"}",
            shared,
            "{\"role\": \"assistant\", \"content\": \"e\"}"));
    ChatFormat format = format(CHATML.replace("<|im_end|>\n", "</s>"));
    PreferenceTokens tokens =
        Preferences.rows(Preferences.read(rows), tokenizer, () -> format, 1000).get(0);
    int[] chosen = tokens.chosen().ids();
    String text = tokenizer.written(chosen);
    System.out.println(text.replace("\n", "\\n"));
    assertTrue(text.endsWith("<|im_start|>assistant\nd</s>"), text);
    int answer = 2; // d and the token that ends a text
    assertEquals(
        answer, labels(new TokenBatches.Row(chosen, chosen, tail(tokens.chosen().labels()))));
  }

  private static float[] tail(float[] labels) {
    return Arrays.copyOfRange(labels, 1, labels.length);
  }

  /**
   * llama.cpp, issues 13178 and 11443; node-llama-cpp, issue 366; llama-cpp-python, issue 2225: not
   * supported. kekzl/imp, issue 1565: unknown tags were left out without a word.
   */
  @Test
  void whatTemplatesUse() {
    String text =
        format(
                "{%- set ns = namespace(last=messages|length - 1) %}"
                    + "{%- for m in messages[::-1] %}{%- if m.role == 'system' %}{%- break %}"
                    + "{%- endif %}{{ m.content }}|{%- endfor %}"
                    + "{{ (messages | rejectattr('role', 'eq', 'user') | list)[0].content }}"
                    + "{% generation %}!{% endgeneration %}")
            .render(conversation("system", "s", "user", "a", "assistant", "b"), false)
            .text();
    System.out.println(text);
    assertEquals("b|a|s!", text);
    for (String tag : List.of("{% include 'x' %}", "{% nosuch %}", "{{ x | fromjson }}")) {
      BadInputException e = assertThrows(BadInputException.class, () -> format(tag));
      System.out.println(e.getMessage());
      assertTrue(e.getMessage().contains("line 1"), e.getMessage());
    }
    assertArrayEquals(
        new int[0], format("{# nothing #}").ids(conversation("user", "a", "assistant", "b")));
  }
}
