package org.tokentune.chat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;

/** Python's {@code format % values}. */
final class PercentFormat {

  private static final int WIDEST = 1_000_000;
  private static final int MOST_DIGITS = 400;

  private final Run run;
  private final Value.Text format;
  private final Value values;
  private final StringBuilder to = new StringBuilder();
  private int at;
  private int next;

  private PercentFormat(Run run, Value.Text format, Value values) {
    this.run = run;
    this.format = format;
    this.values = values;
  }

  static Value format(Run run, Value.Text format, Value values) {
    PercentFormat formatter = new PercentFormat(run, format, values);
    String text = formatter.format();
    run.budget().characters(text.length());
    return format.with(text);
  }

  private String format() {
    String text = format.value();
    boolean named = false;
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c != '%') {
        to.append(c);
        continue;
      }
      named |= at < text.length() && text.charAt(at) == '(';
      field();
    }
    boolean tuple = values instanceof Value.Tuple;
    int given = tuple ? ((Value.Tuple) values).items().size() : 1;
    boolean mapping = values instanceof Value.Dict || values instanceof Value.Array;
    if (next < given && !named && !(mapping && !tuple) && !(!tuple && next == 1)) {
      throw new ChatTemplateException("not all arguments converted during string formatting");
    }
    return to.toString();
  }

  private char peek() {
    if (at >= format.value().length()) {
      throw new ChatTemplateException("incomplete format");
    }
    return format.value().charAt(at);
  }

  private Value argument() {
    if (values instanceof Value.Tuple tuple) {
      if (next < tuple.items().size()) {
        return tuple.items().get(next++);
      }
    } else if (next++ == 0) {
      return values;
    }
    throw new ChatTemplateException("not enough arguments for format string");
  }

  private void field() {
    Value value = null;
    if (peek() == '(') {
      int depth = 0;
      int start = ++at;
      while (peek() != ')' || depth > 0) {
        depth += peek() == '(' ? 1 : peek() == ')' ? -1 : 0;
        at++;
      }
      if (!(values instanceof Value.Dict dict)) {
        throw new ChatTemplateException("format requires a mapping");
      }
      String name = format.value().substring(start, at++);
      value = dict.map().get(Value.of(name));
      if (value == null) {
        throw new ChatTemplateException("KeyError: " + Printing.quoted(name));
      }
    }
    int start = at;
    while ("-+ #0".indexOf(peek()) >= 0) {
      at++;
    }
    String flags = format.value().substring(start, at);
    int width = number();
    boolean left = flags.contains("-") || width < 0;
    int precision = -1;
    if (peek() == '.') {
      at++;
      precision = Math.max(0, number());
    }
    while ("hlL".indexOf(peek()) >= 0) {
      at++;
    }
    char style = format.value().charAt(at++);
    if (style == '%') {
      to.append('%');
      return;
    }
    value = value == null ? argument() : value;
    pad(convert(value, style, flags, precision), Math.abs(width), left, style, flags);
  }

  private int number() {
    if (peek() == '*') {
      at++;
      return bounded(Numbers.index(argument()));
    }
    long number = 0;
    while (peek() >= '0' && peek() <= '9') {
      number = Math.min(WIDEST + 1L, number * 10 + format.value().charAt(at++) - '0');
    }
    return bounded((int) number);
  }

  private static int bounded(int number) {
    if (Math.abs((long) number) > WIDEST) {
      throw new ChatTemplateException("a width of more than a million is too large for a template");
    }
    return number;
  }

  private String convert(Value value, char style, String flags, int precision) {
    switch (style) {
      case 's', 'r', 'a' -> {
        return text(value, style, precision);
      }
      case 'c' -> {
        return character(value);
      }
      case 'd', 'i', 'u', 'x', 'X', 'o' -> {
        return integer(value, style, flags, precision);
      }
      case 'e', 'E', 'f', 'F', 'g', 'G' -> {
        double number = real(value);
        int digits = precision < 0 ? 6 : precision;
        if (digits > MOST_DIGITS) {
          throw new ChatTemplateException("a precision of more than 400 digits is not supported");
        }
        return sign(number < 0 || 1 / number < 0, flags)
            + NumberText.real(number, style, digits, flags.contains("#"));
      }
      default -> throw new ChatTemplateException("unsupported format character '" + style + "'");
    }
  }

  private String text(Value value, char style, int precision) {
    String text;
    if (style != 's') {
      text = Printing.repr(run, value);
      if (style == 'a') {
        throw new ChatTemplateException("the format a is not supported");
      }
    } else {
      text = format.safe() ? Markup.escaped(run, value) : Printing.str(run, value);
    }
    return precision >= 0 && precision < CodePoints.count(text)
        ? text.substring(0, CodePoints.offset(text, precision))
        : text;
  }

  private static String character(Value value) {
    if (value instanceof Value.Text text && CodePoints.count(text.value()) == 1) {
      return text.value();
    } else if (Numbers.isInteger(value) && Character.isValidCodePoint(Numbers.index(value))) {
      return Character.toString(Numbers.index(value));
    }
    throw new ChatTemplateException("the format c requires int or char");
  }

  private static double real(Value value) {
    if (value instanceof Value.Numeric number) {
      return number.real();
    }
    Operators.defined(value);
    throw new ChatTemplateException("must be real number, not " + value.type());
  }

  private static String integer(Value value, char style, String flags, int precision) {
    BigInteger number;
    boolean decimal = style == 'd' || style == 'i' || style == 'u';
    if (Numbers.isInteger(value)) {
      number = Numbers.integer(value);
    } else if (decimal && value instanceof Value.Real real && Double.isFinite(real.value())) {
      number = new BigDecimal(real.value()).toBigInteger();
    } else {
      Operators.defined(value);
      throw new ChatTemplateException(
          "format "
              + style
              + ": "
              + (decimal ? "a real number" : "an integer")
              + " is required, not "
              + value.type());
    }
    String digits = NumberText.integer(number, style);
    if (precision > digits.length()) {
      digits = "0".repeat(precision - digits.length()) + digits;
    }
    String prefix = flags.contains("#") && !decimal ? "0" + style : "";
    return sign(number.signum() < 0, flags) + prefix + digits;
  }

  private static String sign(boolean negative, String flags) {
    return negative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
  }

  private void pad(String text, int width, boolean left, char style, String flags) {
    int missing = width - CodePoints.count(text);
    if (missing <= 0) {
      to.append(text);
      return;
    }
    run.budget().characters(missing);
    if (left) {
      to.append(text).append(" ".repeat(missing));
    } else if (flags.contains("0") && "srac".indexOf(style) < 0) {
      int digits = text.startsWith("-") || text.startsWith("+") || text.startsWith(" ") ? 1 : 0;
      digits += flags.contains("#") && "xXo".indexOf(style) >= 0 ? 2 : 0;
      to.append(text, 0, digits).append("0".repeat(missing)).append(text, digits, text.length());
    } else {
      to.append(" ".repeat(missing)).append(text);
    }
  }

  /** Values of the filter {@code format}: positional ones or named ones. */
  static Value values(Run run, CallArguments arguments, List<Value> positional) {
    if (!arguments.named().isEmpty()) {
      if (!positional.isEmpty()) {
        throw new ChatTemplateException(
            "can't handle positional and keyword arguments at the same time");
      }
      return arguments.namedAsDict(run);
    }
    return Values.tuple(run.budget(), positional);
  }
}
