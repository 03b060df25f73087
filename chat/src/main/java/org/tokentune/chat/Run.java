package org.tokentune.chat;

import java.util.ArrayList;
import java.util.List;

/** One rendering: what it wrote so far, and what it may still use. */
final class Run {

  private final Budget budget;
  private final ChatTemplateSettings settings;
  private final StringBuilder text = new StringBuilder();
  private final List<RenderedChat.Span> generated = new ArrayList<>();
  private StringBuilder out = text;
  private boolean hiddenMarks;
  private int line;
  private int counted;
  private int codePoints;

  Run(ChatTemplateSettings settings) {
    this.settings = settings;
    this.budget = new Budget(settings);
  }

  Budget budget() {
    return budget;
  }

  ChatTemplateSettings settings() {
    return settings;
  }

  int line() {
    return line;
  }

  void at(int where) {
    line = where;
    budget.step();
  }

  void write(String more) {
    budget.characters(more.length());
    out.append(more);
  }

  /** Directs what is written from now on to a text of its own; {@link #release} ends it. */
  StringBuilder capture() {
    StringBuilder before = out;
    out = new StringBuilder();
    return before;
  }

  /**
   * Ends what {@link #capture} began.
   *
   * @param before what it returned
   * @return what was written in between
   */
  String release(StringBuilder before) {
    String written = out.toString();
    out = before;
    return written;
  }

  /** The number of code points written, to note where a mark lies. */
  int position() {
    codePoints += text.codePointCount(counted, text.length());
    counted = text.length();
    return codePoints;
  }

  /** Notes a marked text that begins at a position and ends here. */
  void generated(int start) {
    if (out == text) {
      generated.add(new RenderedChat.Span(start, position()));
    } else {
      hiddenMarks = true;
    }
  }

  RenderedChat result() {
    return new RenderedChat(text.toString(), generated);
  }

  /** Whether a marked text went through a macro, filter or variable, so that its place is lost. */
  boolean hiddenMarks() {
    return hiddenMarks;
  }
}
