package org.tokentune.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Small templates, compared with what Jinja2 3.1.6 renders in the environment of transformers. */
class IdiomsTest {

  @Test
  void renderAsJinja2Does() throws IOException {
    Cases all = Cases.read();
    List<String> wrong = new ArrayList<>();
    int rendered = 0;
    int refused = 0;
    for (Cases.Case each : all.cases()) {
      String expected = each.error() == null ? each.text() + " marked " + each.spans() : "refused";
      String got;
      try {
        RenderedChat chat =
            ChatTemplate.of(each.template(), Cases.SETTINGS).render(all.variables());
        List<List<Integer>> spans =
            chat.generated().stream().map(span -> List.of(span.start(), span.end())).toList();
        got = chat.text() + " marked " + spans;
        rendered++;
      } catch (ChatTemplateException e) {
        got = "refused";
        refused++;
        if (each.error() == null) {
          got += ": " + e.getMessage();
        }
      }
      if (!got.equals(expected)) {
        wrong.add(each.template() + "\n  here   " + got + "\n  Jinja2 " + expected);
      }
    }
    System.out.printf(
        java.util.Locale.ROOT,
        "%d idioms of the list and %d more: %d rendered, %d refused, %d differ%n",
        all.cases().stream().filter(Cases.Case::issue).count(),
        all.cases().stream().filter(each -> !each.issue()).count(),
        rendered,
        refused,
        wrong.size());
    assertTrue(all.cases().size() > 250, "too few idioms were recorded");
    assertEquals(List.of(), wrong, () -> String.join("\n", wrong));
  }

  @Test
  void whatIsNotSupportedIsRefusedByName() throws IOException {
    Cases all = Cases.read();
    for (String template : all.unsupported()) {
      ChatTemplateException e =
          assertThrows(
              ChatTemplateException.class,
              () -> ChatTemplate.of(template, Cases.SETTINGS).render(all.variables()),
              template);
      System.out.println(template + "  ->  " + e.getMessage());
      assertTrue(
          e.getMessage().contains("not supported") || e.getMessage().contains("address"),
          e.getMessage());
    }
  }

  @Test
  void whatIsNotSupportedIsRefusedWhenTheTemplateIsRead() {
    for (String template :
        List.of(
            "{% if false %}{% include 'x' %}{% endif %}",
            "{% if false %}{{ 'a' | urlize }}{% endif %}",
            "{% if false %}{{ 'a'.encode() }}{% endif %}",
            "{% if false %}{{ lipsum() }}{% endif %}",
            "{% for x in [] %}{{ x | nosuch }}{% endfor %}",
            "{% if false %}{% nosuch %}{% endif %}")) {
      ChatTemplateException e =
          assertThrows(ChatTemplateException.class, () -> ChatTemplate.of(template), template);
      System.out.println(template + "  ->  line " + e.line() + ": " + e.getMessage());
    }
  }
}
