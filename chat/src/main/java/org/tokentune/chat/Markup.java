package org.tokentune.chat;

/** Escaping for HTML, which the filters {@code escape} and {@code safe} bring along. */
final class Markup {

  private Markup() {}

  static String escape(String text) {
    StringBuilder to = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> to.append("&amp;");
        case '<' -> to.append("&lt;");
        case '>' -> to.append("&gt;");
        case '\'' -> to.append("&#39;");
        case '"' -> to.append("&#34;");
        default -> to.append(c);
      }
    }
    return to.toString();
  }

  /** A text as part of a markup: escaped unless it is markup itself. */
  static String escaped(Run run, Value value) {
    String text = Printing.str(run, value);
    if (value instanceof Value.Text known && known.safe()) {
      return text;
    }
    run.budget().characters(text.length());
    return escape(text);
  }
}
