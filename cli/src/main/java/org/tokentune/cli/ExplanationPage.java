package org.tokentune.cli;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.tokentune.datasets.Example;
import org.tokentune.text.Explanation;

/** Explanations as one HTML page without scripts; texts are escaped. */
final class ExplanationPage {

  private static final String HEAD =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head><meta charset="utf-8"><title>Explanations</title>
      <style>
      body { font-family: sans-serif; max-width: 60em; margin: 2em auto; line-height: 1.7 }
      h2 { font-size: 1.1em; margin-top: 2em }
      p { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3em 0 1em }
      span { border-radius: 3px; padding: 2px 0 }
      small { color: #555 }
      </style></head>
      <body>
      <p>Tokens in green speak for the label, in red against it; the stronger the colour, the more.
      Text without colour was cut off, or has no effect. Point at a token for its number.</p>
      """;

  private final StringBuilder page = new StringBuilder(HEAD);

  void add(Example row, Explanation explanation) {
    page.append("<h2>").append(HtmlPage.escaped(explanation.label()));
    Double score = explanation.prediction().scores().get(explanation.label());
    page.append(String.format(Locale.ROOT, " %.4f</h2>%n", score));
    method("By leaving out", row, explanation, Explanation.Token::leftOut);
    method("By gradient times input", row, explanation, Explanation.Token::gradient);
  }

  private void method(
      String name,
      Example row,
      Explanation explanation,
      ToDoubleFunction<Explanation.Token> importance) {
    page.append("<small>").append(name).append("</small>\n");
    double largest =
        explanation.tokens().stream()
            .filter(token -> token.text() >= 0)
            .mapToDouble(token -> Math.abs(importance.applyAsDouble(token)))
            .max()
            .orElse(0);
    text(row.text(), 0, explanation.tokens(), importance, largest);
    if (row.pair() != null) {
      text(row.pair(), 1, explanation.tokens(), importance, largest);
    }
  }

  private void text(
      String text,
      int number,
      List<Explanation.Token> tokens,
      ToDoubleFunction<Explanation.Token> importance,
      double largest) {
    page.append("<p>");
    int done = 0;
    for (Explanation.Token token : tokens) {
      if (token.text() != number || token.end() <= Math.max(done, token.begin())) {
        continue;
      }
      int begin = Math.max(done, token.begin()); // bytes of one character may be several tokens
      page.append(HtmlPage.escaped(text.substring(done, begin)));
      double value = importance.applyAsDouble(token);
      page.append(
          String.format(
              Locale.ROOT,
              "<span style=\"background:rgba(%s,%.2f)\" title=\"%+.4f\">",
              value >= 0 ? "0,150,60" : "220,40,40",
              largest == 0 ? 0 : 0.8 * Math.abs(value) / largest,
              value));
      page.append(HtmlPage.escaped(text.substring(begin, token.end()))).append("</span>");
      done = token.end();
    }
    page.append(HtmlPage.escaped(text.substring(done))).append("</p>\n");
  }

  String html() {
    return page + "</body>\n</html>\n";
  }
}
