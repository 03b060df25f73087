package org.tokentune.chat;

/**
 * A template that cannot be read or rendered: wrong or unsupported syntax, an error that Python
 * would raise as well, a limit, or what the template itself raises with {@code raise_exception}.
 */
public final class ChatTemplateException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int line;

  ChatTemplateException(String message) {
    this(message, 0);
  }

  ChatTemplateException(String message, int line) {
    super(message);
    this.line = line;
  }

  /** The line of the template, from 1; 0 if it is not known. */
  public int line() {
    return line;
  }

  ChatTemplateException at(int where) {
    if (line != 0 || where == 0) {
      return this;
    }
    ChatTemplateException placed = new ChatTemplateException(getMessage(), where);
    placed.setStackTrace(getStackTrace());
    return placed;
  }
}
