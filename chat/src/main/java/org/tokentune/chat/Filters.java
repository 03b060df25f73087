package org.tokentune.chat;

import java.util.Set;

/** Jinja2's filters by name: those of texts and numbers here, those of sequences elsewhere. */
final class Filters {

  private static final Set<String> NAMES =
      Set.of(
          "abs",
          "attr",
          "batch",
          "capitalize",
          "center",
          "count",
          "d",
          "default",
          "dictsort",
          "e",
          "escape",
          "first",
          "float",
          "forceescape",
          "format",
          "groupby",
          "indent",
          "int",
          "items",
          "join",
          "last",
          "length",
          "list",
          "lower",
          "map",
          "max",
          "min",
          "reject",
          "rejectattr",
          "replace",
          "reverse",
          "round",
          "safe",
          "select",
          "selectattr",
          "slice",
          "sort",
          "string",
          "sum",
          "title",
          "tojson",
          "trim",
          "truncate",
          "unique",
          "upper",
          "wordcount");

  /** Filters of Jinja2 that no chat template is known to use, and refused by name. */
  static final Set<String> UNSUPPORTED =
      Set.of(
          "filesizeformat",
          "pprint",
          "random",
          "striptags",
          "urlencode",
          "urlize",
          "wordwrap",
          "xmlattr");

  private Filters() {}

  static boolean exists(String name) {
    return NAMES.contains(name);
  }

  static ChatTemplateException unknown(String name) {
    return new ChatTemplateException("No filter named " + Printing.quoted(name) + ".");
  }

  static Value apply(Run run, String name, Value value, CallArguments arguments) {
    Value result = ofText(run, name, value, arguments);
    result = result == null ? ofNumber(run, name, value, arguments) : result;
    result = result == null ? SequenceFilters.apply(run, name, value, arguments) : result;
    if (result == null) {
      throw unknown(name);
    }
    return result;
  }

  /** A text stays what it is, markup included; all else is printed. */
  static Value.Text soft(Run run, Value value) {
    return value instanceof Value.Text text ? text : Value.of(Printing.str(run, value));
  }

  private static Value ofText(Run run, String name, Value value, CallArguments arguments) {
    switch (name) {
      case "string" -> {
        arguments.bind(name, 0);
        return soft(run, value);
      }
      case "safe" -> {
        arguments.bind(name, 0);
        return new Value.Text(Printing.str(run, value), true);
      }
      case "e", "escape" -> {
        arguments.bind(name, 0);
        return new Value.Text(Markup.escaped(run, value), true);
      }
      case "forceescape" -> {
        arguments.bind(name, 0);
        return new Value.Text(Markup.escape(Printing.str(run, value)), true);
      }
      case "upper", "lower", "capitalize" -> {
        arguments.bind(name, 0);
        Value.Text text = soft(run, value);
        run.budget().characters(text.value().length());
        return text.with(TextMethods.cased(name, text.value()));
      }
      case "title" -> {
        arguments.bind(name, 0);
        return Value.of(title(run, soft(run, value).value()));
      }
      case "trim" -> {
        return trim(run, value, arguments);
      }
      case "replace" -> {
        Value[] given = arguments.bind(name, 2, "old", "new", "count");
        boolean all = given[2] == null || given[2] instanceof Value.None;
        return Value.of(
            TextMethods.replace(
                run,
                Printing.str(run, value),
                Printing.str(run, given[0]),
                Printing.str(run, given[1]),
                all ? -1 : Numbers.index(given[2])));
      }
      case "format" -> {
        return PercentFormat.format(
            run, soft(run, value), PercentFormat.values(run, arguments, arguments.positional()));
      }
      case "indent" -> {
        return indent(run, value, arguments);
      }
      case "center" -> {
        Value width = arguments.bind(name, 0, "width")[0];
        return TextMethods.call(
            run,
            soft(run, value),
            name,
            new CallArguments(
                java.util.List.of(width == null ? Value.of(80) : width), java.util.Map.of()));
      }
      case "truncate" -> {
        return truncate(run, value, arguments);
      }
      case "wordcount" -> {
        arguments.bind(name, 0);
        return Value.of(words(run, soft(run, value).value()));
      }
      case "tojson" -> {
        Value[] json = arguments.bind(name, 0, "ensure_ascii", "indent", "separators", "sort_keys");
        return Value.of(
            new Json(
                    run,
                    or(json[0], Value.FALSE),
                    or(json[1], Value.NONE),
                    or(json[2], Value.NONE),
                    or(json[3], Value.FALSE))
                .write(value));
      }
      case "default", "d" -> {
        Value[] standard = arguments.bind(name, 0, "default_value", "boolean");
        boolean falsy = standard[1] != null && Values.isTrue(standard[1]);
        return value instanceof Value.Undefined || (falsy && !Values.isTrue(value))
            ? or(standard[0], Value.EMPTY)
            : value;
      }
      case "attr" -> {
        Value attribute = arguments.bind(name, 1, "name")[0];
        Operators.defined(value);
        Value found = Attributes.attribute(run, value, Printing.str(run, attribute));
        boolean element = value instanceof Value.Dict && !(found instanceof Value.Method);
        return element
            ? new Value.Undefined("'dict object' has no attribute " + Printing.repr(run, attribute))
            : found;
      }
      default -> {
        return null;
      }
    }
  }

  private static Value or(Value value, Value standard) {
    return value == null ? standard : value;
  }

  private static Value trim(Run run, Value value, CallArguments arguments) {
    Value set = arguments.bind("trim", 0, "chars")[0];
    Value.Text text = soft(run, value);
    run.budget().scan(text.value());
    if (set != null && !(set instanceof Value.None) && !(set instanceof Value.Text)) {
      throw new ChatTemplateException("strip arg must be None or str");
    }
    String characters = set instanceof Value.Text given ? given.value() : null;
    return text.with(CodePoints.strip(text.value(), characters, true, true));
  }

  private static String title(Run run, String text) {
    run.budget().characters(text.length());
    StringBuilder to = new StringBuilder(text.length());
    int start = 0;
    while (start < text.length()) {
      int end = start;
      boolean separator = isWordStart(text.charAt(start));
      while (end < text.length() && isWordStart(text.charAt(end)) == separator) {
        end++;
      }
      String part = text.substring(start, end);
      int first = Character.charCount(part.codePointAt(0));
      to.append(TextMethods.cased("upper", part.substring(0, first)));
      to.append(TextMethods.cased("lower", part.substring(first)));
      start = end;
    }
    return to.toString();
  }

  /** What begins a new word for the filter {@code title}. */
  private static boolean isWordStart(char c) {
    return CodePoints.isSpace(c) || "-({[<".indexOf(c) >= 0;
  }

  private static Value indent(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("indent", 0, "width", "first", "blank");
    Operators.defined(value);
    if (!(value instanceof Value.Text text)) {
      throw new ChatTemplateException(
          "unsupported operand type(s) for +=: '" + value.type() + "' and 'str'");
    }
    String indentation;
    if (given[0] instanceof Value.Text width) {
      indentation = width.value();
    } else {
      int width = given[0] == null ? 4 : Math.max(0, Numbers.index(given[0]));
      run.budget().characters(width);
      indentation = " ".repeat(width);
    }
    if (text.safe() && !(given[0] instanceof Value.Text markup && markup.safe())) {
      indentation = Markup.escape(indentation);
    }
    boolean first = given[1] != null && Values.isTrue(given[1]);
    boolean blank = given[2] != null && Values.isTrue(given[2]);
    StringBuilder to = new StringBuilder(first ? indentation : "");
    boolean next = false;
    for (String line : TextMethods.lines(text.value() + "\n", false)) {
      run.budget().characters((long) indentation.length() + line.length() + 1);
      to.append(next ? "\n" : "");
      to.append(next && (blank || !line.isEmpty()) ? indentation : "").append(line);
      next = true;
    }
    return text.with(to.toString());
  }

  private static Value truncate(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("truncate", 0, "length", "killwords", "end", "leeway");
    int length = given[0] == null ? 255 : Numbers.index(given[0]);
    String end = given[2] == null ? "..." : Printing.str(run, given[2]);
    int leeway = given[3] == null || given[3] instanceof Value.None ? 5 : Numbers.index(given[3]);
    int ending = CodePoints.count(end);
    if (length < ending || leeway < 0) {
      throw new ChatTemplateException(
          "truncate: expected length >= " + ending + " and leeway >= 0, got " + length);
    }
    if (Values.length(value) >= 0 && Values.length(value) <= (long) length + leeway) {
      return value;
    } else if (!(value instanceof Value.Text)) {
      throw new ChatTemplateException("truncate: " + value.type() + " is not a text");
    }
    Value.Text text = (Value.Text) value;
    String whole = text.value();
    String cut = whole.substring(0, CodePoints.offset(whole, length - ending));
    if (given[1] == null || !Values.isTrue(given[1])) {
      int space = cut.lastIndexOf(' ');
      cut = space < 0 ? cut : cut.substring(0, space);
    }
    return text.with(cut + (text.safe() ? Markup.escape(end) : end));
  }

  private static int words(Run run, String text) {
    run.budget().characters(text.length());
    int words = 0;
    boolean inside = false;
    for (int c : text.codePoints().toArray()) {
      boolean word = c == '_' || Character.isLetterOrDigit(c);
      words += word && !inside ? 1 : 0;
      inside = word;
    }
    return words;
  }

  private static Value ofNumber(Run run, String name, Value value, CallArguments arguments) {
    switch (name) {
      case "abs" -> {
        arguments.bind(name, 0);
        Operators.defined(value);
        if (!(value instanceof Value.Numeric number)) {
          throw new ChatTemplateException("bad operand type for abs(): '" + value.type() + "'");
        }
        return number instanceof Value.Real real
            ? new Value.Real(Math.abs(real.value()))
            : new Value.Int(Numbers.integer(number).abs());
      }
      case "int" -> {
        return integer(value, arguments);
      }
      case "float" -> {
        Value standard = or(arguments.bind(name, 0, "default")[0], new Value.Real(0.0));
        Operators.defined(value);
        Double real =
            value instanceof Value.Numeric number
                ? Double.valueOf(number.real())
                : value instanceof Value.Text text ? Numbers.parseReal(text.value()) : null;
        return real == null ? standard : new Value.Real(real);
      }
      case "round" -> {
        return round(run, value, arguments);
      }
      default -> {
        return null;
      }
    }
  }

  private static Value integer(Value value, CallArguments arguments) {
    Value[] given = arguments.bind("int", 0, "default", "base");
    Value standard = or(given[0], Value.of(0));
    int base = given[1] == null ? 10 : Numbers.index(given[1]);
    Operators.defined(value);
    if (Numbers.isInteger(value)) {
      return new Value.Int(Numbers.integer(value));
    }
    Double real = value instanceof Value.Real number ? Double.valueOf(number.value()) : null;
    if (value instanceof Value.Text text) {
      java.math.BigInteger number = Numbers.parse(text.value(), base);
      if (number != null) {
        return new Value.Int(number);
      }
      real = Numbers.parseReal(text.value());
    }
    return real == null || real.isNaN() || real.isInfinite()
        ? standard
        : new Value.Int(new java.math.BigDecimal(real).toBigInteger());
  }

  private static Value round(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("round", 0, "precision", "method");
    int precision = given[0] == null ? 0 : Numbers.index(given[0]);
    String method = given[1] == null ? "common" : Printing.str(run, given[1]);
    if (!Set.of("common", "ceil", "floor").contains(method)) {
      throw new ChatTemplateException("method must be common, ceil or floor");
    }
    Operators.defined(value);
    if (!(value instanceof Value.Numeric number)) {
      throw new ChatTemplateException("type " + value.type() + " doesn't define __round__ method");
    }
    if (method.equals("common")) {
      if (number instanceof Value.Real real) {
        return new Value.Real(Numbers.round(real.value(), precision));
      }
      java.math.BigDecimal whole = new java.math.BigDecimal(Numbers.integer(number));
      return new Value.Int(
          precision >= 0
              ? whole.toBigInteger()
              : whole
                  .setScale(Math.max(precision, -400), java.math.RoundingMode.HALF_EVEN)
                  .toBigInteger());
    }
    double scale = Math.pow(10, precision);
    double scaled = number.real() * scale;
    if (!Double.isFinite(scaled)) {
      throw new ChatTemplateException("cannot convert float infinity or NaN to integer");
    }
    return new Value.Real(
        ((method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled)) + 0.0) / scale);
  }
}
