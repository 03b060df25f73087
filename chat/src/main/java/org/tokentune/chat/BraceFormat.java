package org.tokentune.chat;

import java.math.BigInteger;

/** Python's {@code str.format}, in the sandbox: fields may not reach what a template may not. */
final class BraceFormat {

  private static final int WIDEST = 1_000_000;

  private final Run run;
  private final boolean safe;
  private final CallArguments arguments;
  private int automatic;
  private boolean numbered;

  private BraceFormat(Run run, boolean safe, CallArguments arguments) {
    this.run = run;
    this.safe = safe;
    this.arguments = arguments;
  }

  static Value format(Run run, Value.Text format, CallArguments arguments) {
    String text = new BraceFormat(run, format.safe(), arguments).format(format.value(), 2);
    run.budget().characters(text.length());
    return format.with(text);
  }

  private String format(String format, int depth) {
    if (depth < 1) {
      throw new ChatTemplateException("Max string recursion exceeded");
    }
    StringBuilder to = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      boolean twice = i + 1 < format.length() && format.charAt(i + 1) == c;
      if ((c == '{' || c == '}') && twice) {
        to.append(c);
        i++;
      } else if (c == '}') {
        throw new ChatTemplateException("Single '}' encountered in format string");
      } else if (c == '{') {
        int end = end(format, i + 1);
        to.append(field(format.substring(i + 1, end), depth));
        i = end;
      } else {
        to.append(c);
      }
    }
    return to.toString();
  }

  private static int end(String format, int start) {
    int open = 1;
    boolean bracket = false;
    for (int i = start; i < format.length(); i++) {
      char c = format.charAt(i);
      if (bracket) {
        bracket = c != ']';
      } else if (c == '[' && open == 1) {
        bracket = true;
      } else if (c == '{') {
        open++;
      } else if (c == '}' && --open == 0) {
        return i;
      }
    }
    throw new ChatTemplateException(
        start == format.length()
            ? "Single '{' encountered in format string"
            : "expected '}' before end of string");
  }

  private String field(String field, int depth) {
    int end = 0;
    boolean bracket = false;
    while (end < field.length()) {
      char c = field.charAt(end);
      if (!bracket && (c == '!' || c == ':')) {
        break;
      }
      bracket = c == '[' || (bracket && c != ']');
      end++;
    }
    Value value = value(field.substring(0, end));
    String rest = field.substring(end);
    if (rest.startsWith("!")) {
      if (rest.length() < 2 || (rest.length() > 2 && rest.charAt(2) != ':')) {
        throw new ChatTemplateException("expected ':' after conversion specifier");
      }
      char conversion = rest.charAt(1);
      if (conversion == 'r') {
        value = Value.of(Printing.repr(run, value));
      } else if (conversion == 's') {
        value = Value.of(Printing.str(run, value));
      } else {
        throw new ChatTemplateException(
            "Unknown conversion specifier '" + conversion + "' or one that is not supported");
      }
      rest = rest.substring(2);
    }
    String spec = rest.isEmpty() ? "" : format(rest.substring(1), depth - 1);
    String text = format(run, value, spec);
    return safe && !(value instanceof Value.Text markup && markup.safe())
        ? Markup.escape(text)
        : text;
  }

  private Value value(String name) {
    int end = 0;
    while (end < name.length() && name.charAt(end) != '.' && name.charAt(end) != '[') {
      end++;
    }
    Value value = first(name.substring(0, end));
    while (end < name.length()) {
      if (name.charAt(end) == '.') {
        int start = ++end;
        while (end < name.length() && name.charAt(end) != '.' && name.charAt(end) != '[') {
          end++;
        }
        if (start == end) {
          throw new ChatTemplateException("Empty attribute in format string");
        }
        value = Attributes.attribute(run, value, name.substring(start, end));
      } else if (name.charAt(end) == '[') {
        int close = name.indexOf(']', end);
        if (close <= end + 1) {
          throw new ChatTemplateException(
              close < 0 ? "Missing ']' in format string" : "Empty attribute in format string");
        }
        String key = name.substring(end + 1, close);
        value =
            Attributes.item(
                run, value, isNumber(key) ? new Value.Int(new BigInteger(key)) : Value.of(key));
        end = close + 1;
      } else {
        throw new ChatTemplateException("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty()
        && text.length() < 10
        && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private Value first(String name) {
    int index;
    if (name.isEmpty()) {
      if (numbered) {
        throw new ChatTemplateException(
            "cannot switch from manual field specification to automatic field numbering");
      }
      index = automatic++;
    } else if (isNumber(name)) {
      if (automatic > 0) {
        throw new ChatTemplateException(
            "cannot switch from automatic field numbering to manual field specification");
      }
      numbered = true;
      index = Integer.parseInt(name);
    } else {
      Value value = arguments.named().get(name);
      if (value == null) {
        throw new ChatTemplateException("KeyError: " + Printing.quoted(name));
      }
      return value;
    }
    if (index >= arguments.positional().size()) {
      throw new ChatTemplateException(
          "Replacement index " + index + " out of range for positional args tuple");
    }
    return arguments.positional().get(index);
  }

  /** Python's {@code format(value, spec)}. */
  static String format(Run run, Value value, String spec) {
    if (spec.isEmpty()) {
      return Printing.str(run, value);
    }
    boolean text = value instanceof Value.Text;
    if (!text && !(value instanceof Value.Numeric)) {
      throw new ChatTemplateException(
          "unsupported format string passed to " + value.type() + ".__format__");
    }
    Spec parsed = Spec.parse(spec);
    if (text) {
      return parsed.pad(run, "", parsed.text(((Value.Text) value).value()), '<');
    }
    return parsed.number(run, (Value.Numeric) value);
  }

  /** [[fill]align][sign][#][0][width][grouping][.precision][type]. */
  private record Spec(
      String fill,
      char align,
      char sign,
      boolean alternate,
      int width,
      char grouping,
      int precision,
      char type) {

    static Spec parse(String spec) {
      int at = 0;
      String fill = " ";
      char align = 0;
      int first = Character.charCount(spec.codePointAt(0));
      if (spec.length() > first && "<>=^".indexOf(spec.charAt(first)) >= 0) {
        fill = spec.substring(0, first);
        align = spec.charAt(first);
        at = first + 1;
      } else if ("<>=^".indexOf(spec.charAt(0)) >= 0) {
        align = spec.charAt(0);
        at = 1;
      }
      char sign = '-';
      if (at < spec.length() && "+- ".indexOf(spec.charAt(at)) >= 0) {
        sign = spec.charAt(at++);
      }
      boolean alternate = at < spec.length() && spec.charAt(at) == '#';
      at += alternate ? 1 : 0;
      if (at < spec.length() && spec.charAt(at) == '0') {
        at++;
        if (align == 0) {
          fill = "0";
          align = '0';
        }
      }
      int[] number = number(spec, at);
      int width = Math.max(0, number[0]);
      at = number[1];
      char grouping = 0;
      if (at < spec.length() && ",_".indexOf(spec.charAt(at)) >= 0) {
        grouping = spec.charAt(at++);
      }
      int precision = -1;
      if (at < spec.length() && spec.charAt(at) == '.') {
        number = number(spec, at + 1);
        if (number[0] < 0) {
          throw new ChatTemplateException("Format specifier missing precision");
        }
        precision = number[0];
        at = number[1];
      }
      char type = at < spec.length() ? spec.charAt(at++) : 0;
      if (at < spec.length()) {
        throw new ChatTemplateException("Invalid format specifier " + Printing.quoted(spec));
      }
      return new Spec(fill, align, sign, alternate, width, grouping, precision, type);
    }

    /** The number and where it ends; -1 if there is none. */
    private static int[] number(String spec, int start) {
      int at = start;
      long number = 0;
      while (at < spec.length() && spec.charAt(at) >= '0' && spec.charAt(at) <= '9') {
        number = Math.min(WIDEST + 1L, number * 10 + spec.charAt(at++) - '0');
      }
      if (number > WIDEST) {
        throw new ChatTemplateException(
            "a width of more than a million is too large for a template");
      }
      return new int[] {at == start ? -1 : (int) number, at};
    }

    String text(String value) {
      if (type != 0 && type != 's') {
        throw unknown("str");
      }
      if (align == '=' || sign != '-' || alternate || grouping != 0) {
        throw new ChatTemplateException(
            "sign, '=', '#' and grouping are not allowed in string format specifier");
      }
      return precision >= 0 && precision < CodePoints.count(value)
          ? value.substring(0, CodePoints.offset(value, precision))
          : value;
    }

    private ChatTemplateException unknown(String of) {
      return new ChatTemplateException(
          "Unknown format code '" + type + "' for object of type '" + of + "'");
    }

    String number(Run run, Value.Numeric value) {
      boolean whole = !(value instanceof Value.Real);
      if (value instanceof Value.Bool bool && type == 0 && grouping == 0 && precision < 0) {
        return pad(run, "", Printing.repr(run, bool), '<');
      }
      if (whole && (type == 0 || "dxXobnc".indexOf(type) >= 0)) {
        return integer(run, Numbers.integer(value));
      }
      if (type != 0 && "eEfFgG%n".indexOf(type) < 0) {
        throw unknown(whole ? "int" : "float");
      }
      if (precision > 400) {
        throw new ChatTemplateException("a precision of more than 400 digits is not supported");
      }
      return real(run, value.real());
    }

    private String integer(Run run, BigInteger number) {
      if (precision >= 0) {
        throw new ChatTemplateException("Precision not allowed in integer format specifier");
      }
      if (type == 'c') {
        return pad(run, "", Character.toString(number.intValue()), '<');
      }
      char style = type == 0 || type == 'n' ? 'd' : type;
      String prefix = signOf(number.signum() < 0);
      prefix += alternate && style != 'd' ? "0" + style : "";
      String digits = NumberText.integer(number, style);
      return pad(run, prefix, group(prefix, digits, style == 'd' ? 3 : 4), '>');
    }

    private String real(Run run, double number) {
      double shown = type == '%' ? number * 100 : number;
      char style = type == 0 || type == 'n' ? 'g' : type == '%' ? 'f' : type;
      String digits;
      if (type == 0 && precision < 0) {
        digits = Numbers.print(Math.abs(number));
      } else {
        int count = precision < 0 ? 6 : precision;
        digits = NumberText.real(shown, style, count, alternate);
        if (type == 0 && Double.isFinite(number)) {
          digits = withPoint(Math.abs(number), digits, Math.max(1, count));
        }
      }
      digits += type == '%' ? "%" : "";
      String prefix = signOf(number < 0 || 1 / number < 0);
      return pad(run, prefix, group(prefix, digits, 3), '>');
    }

    /** Without a type a float is printed like g, but never like an integer. */
    private static String withPoint(double number, String digits, int precision) {
      if (digits.indexOf('.') >= 0 || digits.indexOf('e') >= 0) {
        return digits;
      }
      return digits.length() >= precision
          ? new NumberStyle(number, precision).scientific()
          : digits + ".0";
    }

    private record NumberStyle(double number, int precision) {
      String scientific() {
        String text = NumberText.real(number, 'e', precision - 1, false);
        int end = text.indexOf('e');
        String mantissa = text.substring(0, end);
        if (mantissa.indexOf('.') >= 0) {
          mantissa = mantissa.replaceFirst("0+$", "").replaceFirst("\\.$", "");
        }
        return mantissa + text.substring(end);
      }
    }

    private String signOf(boolean negative) {
      return negative ? "-" : sign == '-' ? "" : String.valueOf(sign);
    }

    private String group(String prefix, String digits, int size) {
      if (grouping == 0) {
        return digits;
      }
      int end = 0;
      while (end < digits.length() && Character.digit(digits.charAt(end), 16) >= 0) {
        if (size == 3 && !Character.isDigit(digits.charAt(end))) {
          break;
        }
        end++;
      }
      String whole = digits.substring(0, end);
      String rest = digits.substring(end);
      if (align == '0') { // zeros are grouped, too
        while (grouped(whole, size).length() + rest.length() + prefix.length() < width) {
          whole = "0" + whole;
        }
      }
      return grouped(whole, size) + rest;
    }

    private String grouped(String digits, int size) {
      StringBuilder to = new StringBuilder();
      for (int i = 0; i < digits.length(); i++) {
        if (i > 0 && (digits.length() - i) % size == 0) {
          to.append(grouping);
        }
        to.append(digits.charAt(i));
      }
      return to.toString();
    }

    String pad(Run run, String prefix, String text, char standard) {
      int missing = width - prefix.length() - CodePoints.count(text);
      if (missing <= 0) {
        return prefix + text;
      }
      run.budget().characters((long) missing * fill.length());
      char where = align == 0 ? standard : align;
      if (where == '0') {
        where = standard == '<' ? '<' : '=';
      }
      return switch (where) {
        case '<' -> prefix + text + fill.repeat(missing);
        case '^' -> fill.repeat(missing / 2) + prefix + text + fill.repeat(missing - missing / 2);
        case '=' -> prefix + fill.repeat(missing) + text;
        default -> fill.repeat(missing) + prefix + text;
      };
    }
  }
}
