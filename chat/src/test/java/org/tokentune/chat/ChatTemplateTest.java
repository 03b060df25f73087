package org.tokentune.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChatTemplateTest {

  private static final String CHATML =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
          + "{% if m.role == 'assistant' %}"
          + "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
          + "{% else %}{{ m.content }}<|im_end|>{% endif %}{{ '\n' }}"
          + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

  private static String render(String template) {
    return ChatTemplate.of(template).render(Map.of()).text();
  }

  private static String error(String template) {
    long start = System.nanoTime();
    ChatTemplateException e =
        assertThrows(ChatTemplateException.class, () -> render(template), template);
    System.out.printf(
        Locale.ROOT,
        "%-90.90s -> %.0f ms, line %d: %s%n",
        template.replace("\n", " "),
        (System.nanoTime() - start) / 1e6,
        e.line(),
        e.getMessage());
    return e.getMessage();
  }

  @Test
  void marksAreCodePoints() {
    RenderedChat chat =
        ChatTemplate.of(CHATML)
            .render(
                List.of(
                    Map.of("role", "user", "content", "𝄞?"),
                    Map.of("role", "assistant", "content", "é𝄞"),
                    Map.of("role", "user", "content", "!"),
                    Map.of("role", "assistant", "content", "b")),
                true,
                Map.of());
    int[] text = chat.text().codePoints().toArray();
    List<String> marked =
        chat.generated().stream()
            .map(span -> new String(text, span.start(), span.end() - span.start()))
            .toList();
    System.out.println(chat);
    assertEquals(List.of("é𝄞<|im_end|>", "b<|im_end|>"), marked);
    assertTrue(chat.text().endsWith("<|im_start|>assistant\n"));
  }

  @Test
  void messagesAreNormalised() {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("role", "assistant");
    message.put("content", null);
    message.put("reasoning", "why");
    message.put("tool_calls", null);
    List<Map<String, Object>> normal = ChatTemplate.normalized(List.of(message));
    System.out.println(normal);
    assertEquals(
        List.of(
            Map.of(
                "role", "assistant",
                "reasoning", "why",
                "thinking", "why",
                "reasoning_content", "why")),
        normal);
    String text =
        ChatTemplate.of("{{ messages }}{{ tools is none }}{{ add_generation_prompt }}")
            .render(List.of(message), false, Map.of())
            .text();
    assertEquals(
        "[{'thinking': 'why', 'role': 'assistant', 'reasoning': 'why', 'reasoning_content': 'why'}]TrueFalse",
        text);
  }

  @Test
  void templatesThatUseUpTooMuchEndInASentence() {
    assertTrue(
        error(
                "{% for a in range(99999) %}{% for b in range(99999) %}{% set x = a * b %}{% endfor %}{% endfor %}")
            .contains("steps"));
    assertTrue(error("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").contains("deep"));
    assertTrue(error("{% for x in [[1]] recursive %}{{ loop([x]) }}{% endfor %}").contains("deep"));
    assertTrue(error("{{ 'a' * 1000000000000 }}").contains("characters"));
    assertTrue(
        error(
                "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}")
            .contains("characters"));
    assertTrue(
        error(
                "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = [n.s, n.s] %}{% endfor %}")
            .contains("elements"));
    assertTrue(
        error(
                "{% set n = namespace(s=(1,)) %}{% for i in range(99) %}{% set n.s = (n.s, n.s) %}{% endfor %}{{ {n.s: 1} }}")
            .contains("elements"));
    assertTrue(
        error(
                "{% set n = namespace(s=[1]) %}{% for i in range(999) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s }}")
            .contains("nested"));
    assertTrue(
        error(
                "{% set n = namespace(s=[1]) %}{% for i in range(16) %}{% set n.s = [n.s, n.s] %}{% endfor %}{% for i in range(9999) %}{{ n.s }}{% endfor %}")
            .contains("than"));
    assertTrue(
        error(
                "{% set n = namespace(s=[1] * 99999) %}{% for i in range(99999) %}{% set n.s = n.s + [1] %}{% endfor %}")
            .contains("than"));
    assertTrue(
        error("{% set s = 'a' * 9999999 %}{% for i in range(99999) %}{{ s.find('b') }}{% endfor %}")
            .contains("characters"));
    assertTrue(
        error("{% set s = 'a' * 9999999 %}{% for i in range(99999) %}{{ 'b' in s }}{% endfor %}")
            .contains("characters"));
    assertTrue(
        error("{% set s = 'é𝄞' * 999999 %}{% for i in range(99999) %}{{ s | length }}{% endfor %}")
            .contains("than"));
    assertTrue(
        error(
                "{% set s = 'a' * 9999999 %}{% for i in range(99999) %}{{ s[1] }}{{ s[-1] }}{% endfor %}")
            .contains("than"));
    assertTrue(error("{{ 2 ** 10000000 }}").contains("power"));
    assertTrue(
        error(
                "{% set n = namespace(i=3) %}{% for i in range(99) %}{% set n.i = n.i * n.i %}{% endfor %}")
            .contains("million bits"));
    assertTrue(error("{{ '%999999999d' % 1 }}").contains("width"));
    assertTrue(error("{{ '{:999999999}'.format(1) }}").contains("width"));
    assertTrue(error("{{ 'a'.center(2000000000) }}").contains("characters"));
    assertTrue(error("{{ ('\\n' * 99999) | indent(99999, blank=true) }}").contains("characters"));
    assertTrue(error("{{ ('a' * 99999).replace('', 'b' * 99999) }}").contains("characters"));
    assertTrue(error("{{ [1] | tojson(indent=2000000000) }}").contains("characters"));
    assertTrue(error("{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}").contains("nested"));
    assertTrue(error("{{ " + "[".repeat(5000) + "]".repeat(5000) + " }}").contains("nested"));
    assertTrue(error("{{ " + "not ".repeat(5000) + "1 }}").contains("nested"));
    assertTrue(error("{{ " + "-".repeat(5000) + "1 }}").contains("nested"));
    assertTrue(error("{% if 1 %}".repeat(5000)).contains("nested"));
    assertTrue(
        error("{% if 0 %}" + "{% elif 0 %}".repeat(5000) + "{% endif %}").contains("nested"));
    assertTrue(error("a".repeat(1_000_001)).contains("characters"));
  }

  @Test
  void longChainsOfOperatorsAreNotNested() {
    assertEquals("3001", render("{{ 1" + " + 1".repeat(3000) + " }}"));
    assertEquals("a".repeat(3001), render("{{ 'a'" + " ~ 'a'".repeat(3000) + " }}"));
  }

  @Test
  void nestedInputIsRefused() {
    Object deep = "x";
    for (int i = 0; i < 10_000; i++) {
      deep = List.of(deep);
    }
    Map<String, Object> variables = Map.of("x", deep);
    ChatTemplate template = ChatTemplate.of("{{ x }}");
    ChatTemplateException e =
        assertThrows(ChatTemplateException.class, () -> template.render(variables));
    System.out.println(e.getMessage());
    ChatTemplate any = ChatTemplate.of("");
    e =
        assertThrows(
            ChatTemplateException.class, () -> any.render(Map.of("x", new StringBuilder())));
    System.out.println(e.getMessage());
  }

  @Test
  void marksWithinMacrosAreRefused() {
    assertTrue(
        error(
                "{% macro f() %}{% generation %}x{% endgeneration %}{% endmacro %}{% for i in [1] %}{{ f() }}{% endfor %}")
            .contains("generation"));
  }

  @Test
  void errorsNameTheLine() {
    ChatTemplateException e =
        assertThrows(ChatTemplateException.class, () -> render("a\n\n{{ 1 + 'a' }}\n"));
    System.out.println(e.line() + ": " + e.getMessage());
    assertEquals(3, e.line());
    e =
        assertThrows(
            ChatTemplateException.class,
            () -> render("\n{% if true %}\n{{ raise_exception('No & \"system\"') }}{% endif %}"));
    assertEquals("No & \"system\"", e.getMessage());
    assertEquals(3, e.line());
  }

  @Test
  void severalThreadsRenderOneTemplate() {
    ChatTemplate template = ChatTemplate.of(CHATML);
    List<String> texts =
        IntStream.range(0, 200)
            .parallel()
            .mapToObj(
                i ->
                    template
                        .render(
                            List.of(Map.of("role", "user", "content", "n" + i)), false, Map.of())
                        .text())
            .toList();
    for (int i = 0; i < texts.size(); i++) {
      assertEquals("<|im_start|>user\nn" + i + "<|im_end|>\n", texts.get(i));
    }
  }

  @Test
  void times() {
    List<Map<String, String>> messages = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      messages.add(Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "text " + i));
    }
    long[] nanos = new long[1001];
    for (int i = 0; i < nanos.length; i++) {
      long start = System.nanoTime();
      ChatTemplate.of(CHATML).render(messages, true, Map.of());
      nanos[i] = System.nanoTime() - start;
    }
    long[] last = Arrays.copyOfRange(nanos, 900, nanos.length);
    Arrays.sort(last);
    System.out.printf(
        Locale.ROOT,
        "reading and rendering: first %.1f ms, median after 900 %.3f ms%n",
        nanos[0] / 1e6,
        last[last.length / 2] / 1e6);
    assertEquals(
        ChatTemplate.of(CHATML).render(messages, true, Map.of()),
        ChatTemplate.of(CHATML).render(messages, true, Map.of()));
  }

  @Test
  void nullsAreRefusedByName() {
    for (org.junit.jupiter.api.function.Executable call :
        List.<org.junit.jupiter.api.function.Executable>of(
            () -> ChatTemplate.of(null),
            () -> ChatTemplate.of("", null),
            () -> ChatTemplate.of("").render(null),
            () -> ChatTemplate.normalized(null),
            () -> new RenderedChat(null, List.of()),
            () -> ChatTemplateSettings.defaults().withClock(null))) {
      NullPointerException e = assertThrows(NullPointerException.class, call);
      System.out.println(e.getMessage());
      assertTrue(e.getMessage().matches("[a-z]+"), e.getMessage());
    }
    assertThrows(
        IllegalArgumentException.class, () -> ChatTemplateSettings.defaults().withSteps(0));
  }
}
