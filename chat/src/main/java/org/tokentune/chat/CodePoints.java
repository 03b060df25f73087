package org.tokentune.chat;

import java.util.Iterator;
import java.util.NoSuchElementException;

/** Texts as Python counts them: in code points. */
final class CodePoints {

  private CodePoints() {}

  static int count(String text) {
    return text.codePointCount(0, text.length());
  }

  /** The char at which a code point begins. */
  static int offset(String text, int codePoint) {
    return text.offsetByCodePoints(0, codePoint);
  }

  static String at(String text, int index) {
    return Character.toString(text.codePointAt(offset(text, index)));
  }

  static Iterator<Value> each(String text) {
    return new Iterator<>() {
      private int next;

      @Override
      public boolean hasNext() {
        return next < text.length();
      }

      @Override
      public Value next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        int codePoint = text.codePointAt(next);
        next += Character.charCount(codePoint);
        return Value.of(Character.toString(codePoint));
      }
    };
  }

  /** What Python's {@code isspace} says, which differs from both of Java's. */
  static boolean isSpace(int c) {
    return (c >= 9 && c <= 13)
        || (c >= 0x1c && c <= 0x20)
        || c == 0x85
        || c == 0xa0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202f
        || c == 0x205f
        || c == 0x3000;
  }

  /** What ends a line for Python's {@code splitlines}. */
  static boolean isLineEnd(int c) {
    return (c >= 10 && c <= 13)
        || (c >= 0x1c && c <= 0x1e)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  /** Python's {@code isprintable}: what {@code repr} does not escape. */
  static boolean isPrintable(int c) {
    if (c == ' ') {
      return true;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  /**
   * Without characters at its ends.
   *
   * @param set the characters; null for whitespace
   */
  static String strip(String text, String set, boolean left, boolean right) {
    int start = 0;
    int end = text.length();
    while (left && start < end) {
      int c = text.codePointAt(start);
      if (!contains(set, c)) {
        break;
      }
      start += Character.charCount(c);
    }
    while (right && end > start) {
      int c = text.codePointBefore(end);
      if (!contains(set, c)) {
        break;
      }
      end -= Character.charCount(c);
    }
    return text.substring(start, end);
  }

  private static boolean contains(String set, int c) {
    return set == null ? isSpace(c) : set.indexOf(c) >= 0;
  }
}
