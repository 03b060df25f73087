package org.tokentune.chat;

/**
 * A part of a template.
 *
 * @param text what it says; of a text between quotes the value
 * @param line where it begins, from 1
 */
record Token(Kind kind, String text, int line) {

  /** What it is. */
  enum Kind {
    DATA,
    OUTPUT_BEGIN,
    OUTPUT_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    INTEGER,
    REAL,
    TEXT,
    OPERATOR,
    END
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  boolean isOperator(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  String describe() {
    return switch (kind) {
      case OUTPUT_END -> "end of print statement";
      case BLOCK_END -> "end of statement block";
      case END -> "end of template";
      case DATA -> "template data";
      case OUTPUT_BEGIN -> "begin of print statement";
      case BLOCK_BEGIN -> "begin of statement block";
      default -> Printing.quoted(text);
    };
  }
}
