package org.tokentune.chat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Splits a template into tokens, with the settings that chat templates are written for: the first
 * line break after a block is left out (trim_blocks), and so is what stands before a block at the
 * beginning of a line (lstrip_blocks).
 */
final class Lexer {

  private static final String[] OPERATORS = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";"
  };

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private int counted;

  /** Whether what comes next stands at the beginning of a line. */
  private boolean lineStart = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer =
        new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
    lexer.read();
    return lexer.tokens;
  }

  private int line() {
    for (; counted < at && counted < source.length(); counted++) {
      line += source.charAt(counted) == '\n' ? 1 : 0;
    }
    return line;
  }

  private ChatTemplateException error(String message) {
    return new ChatTemplateException(message, line());
  }

  private void add(Token.Kind kind, String text) {
    tokens.add(new Token(kind, text, line()));
  }

  private void read() {
    while (at < source.length()) {
      int begin = begin(at);
      if (begin < 0) {
        add(Token.Kind.DATA, source.substring(at));
        break;
      }
      char kind = source.charAt(begin + 1);
      char sign = begin + 2 < source.length() ? source.charAt(begin + 2) : ' ';
      data(source.substring(at, begin), sign, kind != '{');
      at = begin;
      line();
      boolean signed = sign == '-' || sign == '+';
      int raw = kind == '%' ? raw(begin) : -1;
      at = begin + (signed ? 3 : 2);
      lineStart = false;
      if (raw >= 0) {
        at = raw;
        raw();
      } else if (kind == '#') {
        comment();
      } else {
        add(kind == '%' ? Token.Kind.BLOCK_BEGIN : Token.Kind.OUTPUT_BEGIN, "");
        expression(kind == '%');
      }
    }
    at = source.length();
    add(Token.Kind.END, "");
  }

  private int begin(int from) {
    for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  /** Text before a tag, as far as the tag leaves it. */
  private void data(String text, char sign, boolean block) {
    String kept = text;
    if (sign == '-') {
      kept = CodePoints.strip(text, null, false, true);
    } else if (sign != '+' && block) {
      int start = text.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStart)
          && CodePoints.strip(text.substring(start), null, true, false).isEmpty()) {
        kept = text.substring(0, start);
      }
    }
    if (!kept.isEmpty()) {
      add(Token.Kind.DATA, kept);
    }
  }

  private int skipSpace(int from) {
    int i = from;
    while (i < source.length() && CodePoints.isSpace(source.charAt(i))) {
      i++;
    }
    return i;
  }

  /** Where the content of a raw block begins; negative if it is another block. */
  private int raw(int begin) {
    int i = begin + 2;
    i += source.startsWith("-", i) || source.startsWith("+", i) ? 1 : 0;
    i = skipSpace(i);
    if (!source.startsWith("raw", i)) {
      return -1;
    }
    i = skipSpace(i + 3);
    if (source.startsWith("-%}", i)) {
      return skipSpace(i + 3);
    }
    return source.startsWith("%}", i) ? i + 2 : -1;
  }

  private void raw() {
    lineStart = source.charAt(at - 1) == '\n';
    for (int i = source.indexOf("{%", at); i >= 0; i = source.indexOf("{%", i + 1)) {
      char sign = i + 2 < source.length() ? source.charAt(i + 2) : ' ';
      int end = skipSpace(i + (sign == '-' || sign == '+' ? 3 : 2));
      if (source.startsWith("endraw", end)) {
        end = blockEnd(skipSpace(end + 6));
        if (end >= 0) {
          data(source.substring(at, i), sign, true);
          at = end;
          lineStart = source.charAt(at - 1) == '\n';
          return;
        }
      }
    }
    if (at < source.length()) {
      throw error("Missing end of raw directive");
    }
  }

  /** The end of a block that ends here, with the space it takes along; negative if none does. */
  private int blockEnd(int from) {
    return end(from, '%');
  }

  private int end(int from, char kind) {
    int i = from;
    char sign = i < source.length() ? source.charAt(i) : ' ';
    i += sign == '-' || sign == '+' ? 1 : 0;
    if (i + 1 >= source.length() || source.charAt(i) != kind || source.charAt(i + 1) != '}') {
      return -1;
    }
    i += 2;
    if (sign == '-') {
      return skipSpace(i);
    }
    return sign != '+' && source.startsWith("\n", i) ? i + 1 : i;
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw error("Missing end of comment tag");
    }
    char before = end > at ? source.charAt(end - 1) : ' ';
    at = end(before == '-' || before == '+' ? end - 1 : end, '#');
    lineStart = source.charAt(at - 1) == '\n';
  }

  private void expression(boolean block) {
    Deque<Character> open = new ArrayDeque<>();
    int begun = line();
    while (true) {
      at = skipSpace(at);
      if (at >= source.length()) {
        throw new ChatTemplateException(
            "unexpected end of template: the tag that begins here is not closed", begun);
      }
      int end = open.isEmpty() ? (block ? blockEnd(at) : outputEnd()) : -1;
      if (end >= 0) {
        add(block ? Token.Kind.BLOCK_END : Token.Kind.OUTPUT_END, "");
        at = end;
        lineStart = source.charAt(at - 1) == '\n';
        return;
      }
      char c = source.charAt(at);
      if (c >= '0' && c <= '9') {
        number();
      } else if (isNamePart(source.codePointAt(at))) {
        name();
      } else if (c == '\'' || c == '"') {
        text(c);
      } else {
        operator(open);
      }
    }
  }

  private int outputEnd() {
    if (source.startsWith("-}}", at)) {
      return skipSpace(at + 3);
    }
    return source.startsWith("}}", at) ? at + 2 : -1;
  }

  private static boolean isNamePart(int c) {
    return c == '_' || Character.isLetterOrDigit(c);
  }

  private void name() {
    int start = at;
    while (at < source.length() && isNamePart(source.codePointAt(at))) {
      at += Character.charCount(source.codePointAt(at));
    }
    String name = source.substring(start, at);
    if (!Character.isUnicodeIdentifierStart(name.codePointAt(0)) && name.charAt(0) != '_') {
      throw error("Invalid character in identifier " + Printing.quoted(name));
    }
    add(Token.Kind.NAME, name);
  }

  private int digits(int from) {
    int i = from;
    while (i < source.length()
        && (isDigit(i) || (i > from && source.charAt(i) == '_' && isDigit(i + 1)))) {
      i++;
    }
    return i;
  }

  private boolean isDigit(int i) {
    return i < source.length() && source.charAt(i) >= '0' && source.charAt(i) <= '9';
  }

  private void number() {
    int start = at;
    int whole = digits(at);
    int end = whole;
    boolean afterPoint = start > 0 && source.charAt(start - 1) == '.';
    if (!afterPoint && source.startsWith(".", end) && isDigit(end + 1)) {
      end = digits(end + 1);
    }
    if (!afterPoint && end < source.length() && (source.charAt(end) | 32) == 'e') {
      int exponent = end + 1;
      exponent += source.startsWith("+", exponent) || source.startsWith("-", exponent) ? 1 : 0;
      end = isDigit(exponent) ? digits(exponent) : end;
    }
    if (end > whole) {
      at = end;
      add(Token.Kind.REAL, source.substring(start, end).replace("_", ""));
      return;
    }
    int base = source.charAt(start) == '0' ? base(start + 1) : 0;
    if (base > 0) {
      int i = start + 2;
      while (i < source.length()
          && ((Character.digit(source.charAt(i), base) >= 0 && source.charAt(i) < 128)
              || (source.charAt(i) == '_'
                  && i + 1 < source.length()
                  && Character.digit(source.charAt(i + 1), base) >= 0))) {
        i++;
      }
      if (i > start + 2) {
        at = i;
        add(
            Token.Kind.INTEGER,
            new java.math.BigInteger(source.substring(start + 2, i).replace("_", ""), base)
                .toString());
        return;
      }
    }
    if (source.charAt(start) == '0') { // 01 is no number
      whole = start + 1;
      while (whole < source.length()
          && (source.charAt(whole) == '0'
              || (source.charAt(whole) == '_' && source.startsWith("0", whole + 1)))) {
        whole++;
      }
    }
    at = whole;
    add(Token.Kind.INTEGER, source.substring(start, whole).replace("_", ""));
  }

  private int base(int i) {
    char c = i < source.length() ? source.charAt(i) : ' ';
    return switch (c) {
      case 'b', 'B' -> 2;
      case 'o', 'O' -> 8;
      case 'x', 'X' -> 16;
      default -> 0;
    };
  }

  private void text(char quote) {
    int start = at + 1;
    int end = start;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw error(
          "unexpected char " + Printing.quoted(String.valueOf(quote)) + ": the text is not closed");
    }
    String text = unescape(source.substring(start, end));
    add(Token.Kind.TEXT, text);
    at = end + 1;
  }

  private String unescape(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder to = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\') {
        to.append(c);
        continue;
      }
      char code = text.charAt(++i);
      int known = "\\'\"abfnrtv".indexOf(code);
      if (code == '\n') {

      } else if (known >= 0) {
        to.append("\\'\"\u0007\b\f\n\r\t\u000b".charAt(known));
      } else if (code >= '0' && code <= '7') {
        int value = 0;
        int end = Math.min(text.length(), i + 3);
        for (; i < end && text.charAt(i) >= '0' && text.charAt(i) <= '7'; i++) {
          value = value * 8 + text.charAt(i) - '0';
        }
        i--;
        to.append((char) value);
      } else if (code == 'x' || code == 'u' || code == 'U') {
        int length = code == 'x' ? 2 : code == 'u' ? 4 : 8;
        to.appendCodePoint(codePoint(text, i + 1, length));
        i += length;
      } else if (code == 'N') {
        int end = text.indexOf('}', i);
        to.appendCodePoint(named(text, i, end));
        i = end;
      } else {
        to.append('\\').append(code);
      }
    }
    return to.toString();
  }

  /** The character of an escape such as \N{BULLET}. */
  private int named(String text, int start, int end) {
    try {
      return Character.codePointOf(text.substring(start + 2, Math.max(start + 2, end)));
    } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
      throw error("a text has an escape of the form \\N{...} with an unknown name");
    }
  }

  private int codePoint(String text, int start, int length) {
    long value = 0;
    for (int i = start; i < start + length; i++) {
      int digit = i < text.length() ? Character.digit(text.charAt(i), 16) : -1;
      if (digit < 0) {
        throw error("a text has an escape that is cut short");
      }
      value = value * 16 + digit;
    }
    if (value > Character.MAX_CODE_POINT) {
      throw error("a text has an escape of an illegal Unicode character");
    }
    return (int) value;
  }

  private void operator(Deque<Character> open) {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        char c = operator.charAt(0);
        if (c == '(' || c == '[' || c == '{') {
          open.push(c);
        } else if (c == ')' || c == ']' || c == '}') {
          char expected = c == ')' ? '(' : c == ']' ? '[' : '{';
          if (open.isEmpty() || open.pop() != expected) {
            throw error("unexpected '" + c + "'");
          }
        }
        add(Token.Kind.OPERATOR, operator);
        at += operator.length();
        return;
      }
    }
    throw error("unexpected char " + Printing.quoted(Character.toString(source.codePointAt(at))));
  }
}
