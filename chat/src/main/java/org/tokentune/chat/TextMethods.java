package org.tokentune.chat;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The methods of Python's texts. */
final class TextMethods {

  static final Set<String> NAMES =
      Set.of(
          "capitalize",
          "casefold",
          "center",
          "count",
          "endswith",
          "find",
          "format",
          "index",
          "isalnum",
          "isalpha",
          "isascii",
          "isdecimal",
          "isdigit",
          "islower",
          "isnumeric",
          "isprintable",
          "isspace",
          "istitle",
          "isupper",
          "join",
          "ljust",
          "lower",
          "lstrip",
          "partition",
          "removeprefix",
          "removesuffix",
          "replace",
          "rfind",
          "rindex",
          "rjust",
          "rpartition",
          "rsplit",
          "rstrip",
          "split",
          "splitlines",
          "startswith",
          "strip",
          "swapcase",
          "title",
          "upper",
          "zfill");

  private TextMethods() {}

  static Value call(Run run, Value.Text text, String name, CallArguments arguments) {
    run.budget().scan(text.value());
    String value = text.value();
    switch (name) {
      case "format" -> {
        return BraceFormat.format(run, text, arguments);
      }
      case "split", "rsplit" -> {
        return split(run, text, name.equals("rsplit"), arguments);
      }
      case "splitlines" -> {
        return list(run, text, lines(value, arguments));
      }
      case "replace" -> {
        Value[] given = arguments.bindPositional(name, 2, 3);
        String by = text.safe() ? Markup.escaped(run, given[1]) : string(name, given[1]);
        int most = given[2] == null ? -1 : Numbers.index(given[2]);
        return text.with(replace(run, value, string(name, given[0]), by, most));
      }
      case "join" -> {
        return join(run, text, arguments.bindPositional(name, 1, 1)[0]);
      }
      case "strip", "lstrip", "rstrip" -> {
        Value set = arguments.bindPositional(name, 0, 1)[0];
        String characters = set == null || set instanceof Value.None ? null : string(name, set);
        return text.with(
            CodePoints.strip(value, characters, !name.equals("rstrip"), !name.equals("lstrip")));
      }
      case "startswith", "endswith" -> {
        return affix(value, name, arguments.bindPositional(name, 1, 3));
      }
      case "find", "rfind", "index", "rindex" -> {
        return find(value, name, arguments.bindPositional(name, 1, 3));
      }
      case "count" -> {
        return count(value, arguments.bindPositional(name, 1, 3));
      }
      case "partition", "rpartition" -> {
        return partition(run, text, name, arguments.bindPositional(name, 1, 1)[0]);
      }
      case "removeprefix" -> {
        String prefix = string(name, arguments.bindPositional(name, 1, 1)[0]);
        return text.with(value.startsWith(prefix) ? value.substring(prefix.length()) : value);
      }
      case "removesuffix" -> {
        String suffix = string(name, arguments.bindPositional(name, 1, 1)[0]);
        return text.with(
            value.endsWith(suffix) ? value.substring(0, value.length() - suffix.length()) : value);
      }
      case "center", "ljust", "rjust" -> {
        return pad(run, text, name, arguments.bindPositional(name, 1, 2));
      }
      case "zfill" -> {
        return text.with(zeros(run, value, Numbers.index(arguments.bindPositional(name, 1, 1)[0])));
      }
      default -> {
        arguments.bindPositional(name, 0, 0);
        return name.startsWith("is") ? Value.of(is(name, value)) : text.with(cased(name, value));
      }
    }
  }

  /** upper, lower, title, capitalize, swapcase and casefold. */
  static String cased(String name, String text) {
    return switch (name) {
      case "upper" -> text.toUpperCase(Locale.ROOT);
      case "lower" -> text.toLowerCase(Locale.ROOT);
      case "casefold" -> text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT).replace('ς', 'σ');
      case "capitalize" -> capitalize(text);
      case "swapcase" -> swapcase(text);
      default -> title(text);
    };
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return "";
    }
    int first = Character.charCount(text.codePointAt(0));
    return titled(text.codePointAt(0)) + lowered(text, first);
  }

  /** The rest in lower case, as if the text before it were still there. */
  static String lowered(String text, int start) {
    String head = text.substring(0, start).toLowerCase(Locale.ROOT);
    return text.toLowerCase(Locale.ROOT).substring(head.length());
  }

  private static String titled(int codePoint) {
    String upper = Character.toString(codePoint).toUpperCase(Locale.ROOT);
    int first = Character.charCount(upper.codePointAt(0));
    return upper.length() > first
        ? upper.substring(0, first) + upper.substring(first).toLowerCase(Locale.ROOT)
        : Character.toString(Character.toTitleCase(codePoint));
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  private static String title(String text) {
    StringBuilder to = new StringBuilder(text.length());
    boolean inside = false;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      to.append(inside ? Character.toString(c).toLowerCase(Locale.ROOT) : titled(c));
      inside = isCased(c);
    }
    return to.toString();
  }

  private static String swapcase(String text) {
    StringBuilder to = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              String one = Character.toString(c);
              to.append(
                  Character.isUpperCase(c)
                      ? one.toLowerCase(Locale.ROOT)
                      : Character.isLowerCase(c) ? one.toUpperCase(Locale.ROOT) : one);
            });
    return to.toString();
  }

  private static boolean is(String name, String text) {
    if (name.equals("isascii")) {
      return text.chars().allMatch(c -> c < 128);
    } else if (name.equals("isprintable")) {
      return text.codePoints().allMatch(CodePoints::isPrintable);
    } else if (text.isEmpty()) {
      return false;
    }
    return switch (name) {
      case "isalpha" -> text.codePoints().allMatch(Character::isLetter);
      case "isalnum" -> text.codePoints().allMatch(c -> Character.isLetter(c) || isNumeric(c));
      case "isdecimal" -> text.codePoints().allMatch(Character::isDigit);
      case "isdigit" -> text.codePoints().allMatch(TextMethods::isDigit);
      case "isnumeric" -> text.codePoints().allMatch(TextMethods::isNumeric);
      case "isspace" -> text.codePoints().allMatch(CodePoints::isSpace);
      case "islower" -> isLower(text);
      case "isupper" -> isUpper(text);
      default -> isTitle(text);
    };
  }

  private static boolean isDigit(int c) {
    return Character.isDigit(c) || "²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉".indexOf(c) >= 0;
  }

  private static boolean isNumeric(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  static boolean isLower(String text) {
    return text.codePoints().anyMatch(Character::isLowerCase)
        && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
  }

  static boolean isUpper(String text) {
    return text.codePoints().anyMatch(Character::isUpperCase)
        && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
  }

  private static boolean isTitle(String text) {
    boolean inside = false;
    boolean any = false;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      boolean upper = Character.isUpperCase(c) || Character.isTitleCase(c);
      if ((upper && inside) || (Character.isLowerCase(c) && !inside)) {
        return false;
      }
      inside = isCased(c);
      any |= inside;
    }
    return any;
  }

  private static String string(String method, Value value) {
    if (value instanceof Value.Text text) {
      return text.value();
    }
    Operators.defined(value);
    throw new ChatTemplateException(method + "() takes str arguments, not " + value.type());
  }

  private static Value list(Run run, Value.Text text, List<String> parts) {
    List<Value> items = new ArrayList<>(parts.size());
    for (String part : parts) {
      items.add(text.with(part));
    }
    run.budget().characters(text.value().length());
    run.budget().steps(items.size());
    return Values.list(run.budget(), items);
  }

  private static Value split(Run run, Value.Text text, boolean fromRight, CallArguments arguments) {
    Value[] given = arguments.bind("split", 0, "sep", "maxsplit");
    int most = given[1] == null ? -1 : Numbers.index(given[1]);
    most = most < 0 ? Integer.MAX_VALUE : most;
    if (given[0] == null || given[0] instanceof Value.None) {
      return list(run, text, words(text.value(), most, fromRight));
    }
    String separator = string("split", given[0]);
    if (separator.isEmpty()) {
      throw new ChatTemplateException("empty separator");
    }
    return list(run, text, split(text.value(), separator, most, fromRight));
  }

  static List<String> split(String text, String separator, int most, boolean fromRight) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    int end = text.length();
    while (parts.size() < most) {
      int at =
          fromRight
              ? text.lastIndexOf(separator, end - separator.length())
              : text.indexOf(separator, start);
      if (at < start || at > end - separator.length()) {
        break;
      }
      if (fromRight) {
        parts.add(0, text.substring(at + separator.length(), end));
        end = at;
      } else {
        parts.add(text.substring(start, at));
        start = at + separator.length();
      }
    }
    parts.add(fromRight ? 0 : parts.size(), text.substring(start, end));
    return parts;
  }

  private static List<String> words(String text, int most, boolean fromRight) {
    List<String> words = new ArrayList<>();
    String rest = CodePoints.strip(text, null, !fromRight, fromRight);
    while (!rest.isEmpty()) {
      if (words.size() == most) {
        words.add(
            fromRight ? 0 : words.size(), CodePoints.strip(rest, null, !fromRight, fromRight));
        break;
      }
      int at = fromRight ? rest.length() : 0;
      while (fromRight
          ? at > 0 && !CodePoints.isSpace(rest.charAt(at - 1))
          : at < rest.length() && !CodePoints.isSpace(rest.charAt(at))) {
        at += fromRight ? -1 : 1;
      }
      if (fromRight) {
        words.add(0, rest.substring(at));
        rest = CodePoints.strip(rest.substring(0, at), null, false, true);
      } else {
        words.add(rest.substring(0, at));
        rest = CodePoints.strip(rest.substring(at), null, true, false);
      }
    }
    return words;
  }

  private static List<String> lines(String text, CallArguments arguments) {
    Value keep = arguments.bind("splitlines", 0, "keepends")[0];
    return lines(text, keep != null && Values.isTrue(keep));
  }

  static List<String> lines(String text, boolean keepEnds) {
    List<String> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (CodePoints.isLineEnd(text.charAt(i))) {
        int end = i;
        if (text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
          i++;
        }
        lines.add(text.substring(start, keepEnds ? i + 1 : end));
        start = i + 1;
      }
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    return lines;
  }

  /**
   * @param most how often; negative for everywhere
   */
  static String replace(Run run, String text, String old, String by, int most) {
    StringBuilder to = new StringBuilder();
    int left = most < 0 ? Integer.MAX_VALUE : most;
    int at = 0;
    if (old.isEmpty()) { // between all code points
      while (left > 0) {
        left--;
        run.budget().characters(by.length() + 1L);
        to.append(by);
        if (at == text.length()) {
          return to.toString();
        }
        int c = text.codePointAt(at);
        to.appendCodePoint(c);
        at += Character.charCount(c);
      }
      return to.append(text, at, text.length()).toString();
    }
    for (int next = text.indexOf(old); next >= 0 && left > 0; left--) {
      run.budget().characters(by.length() + (long) next - at);
      to.append(text, at, next).append(by);
      at = next + old.length();
      next = text.indexOf(old, at);
    }
    run.budget().characters(text.length() - at);
    return to.append(text, at, text.length()).toString();
  }

  private static Value join(Run run, Value.Text text, Value items) {
    StringBuilder to = new StringBuilder();
    String separator = "";
    int i = 0;
    for (Iterator<Value> each = Values.iterate(items); each.hasNext(); i++) {
      Value item = each.next();
      run.budget().step();
      if (!text.safe() && !(item instanceof Value.Text)) {
        throw new ChatTemplateException(
            "sequence item " + i + ": expected str instance, " + item.type() + " found");
      }
      String part = text.safe() ? Markup.escaped(run, item) : ((Value.Text) item).value();
      run.budget().characters((long) separator.length() + part.length());
      to.append(separator).append(part);
      separator = text.value();
    }
    return text.with(to.toString());
  }

  /** A bound of Python, negative ones from the end, as a code point within the text. */
  static int position(Value bound, int standard, int length) {
    if (bound == null || bound instanceof Value.None) {
      return standard;
    }
    long index = Numbers.index(bound);
    return (int) Math.max(0, index < 0 ? index + length : index);
  }

  private static Value affix(String text, String name, Value[] given) {
    List<Value> affixes = given[0] instanceof Value.Tuple tuple ? tuple.items() : List.of(given[0]);
    int length = CodePoints.count(text);
    int start = position(given[1], 0, length);
    int stop = Math.min(length, position(given[2], length, length));
    if (start > stop) {
      affixes.forEach(affix -> string(name, affix));
      return Value.FALSE;
    }
    String part = text.substring(CodePoints.offset(text, start), CodePoints.offset(text, stop));
    for (Value affix : affixes) {
      String one = string(name, affix);
      if (name.equals("startswith") ? part.startsWith(one) : part.endsWith(one)) {
        return Value.TRUE;
      }
    }
    return Value.FALSE;
  }

  private static Value find(String text, String name, Value[] given) {
    String part = string(name, given[0]);
    int length = CodePoints.count(text);
    int start = position(given[1], 0, length);
    int stop = Math.min(length, position(given[2], length, length));
    int found = -1;
    if (start <= stop) {
      int from = CodePoints.offset(text, start);
      String within = text.substring(from, CodePoints.offset(text, stop));
      int at = name.startsWith("r") ? within.lastIndexOf(part) : within.indexOf(part);
      found = at < 0 ? -1 : text.codePointCount(0, from + at);
    }
    if (found < 0 && name.endsWith("index")) {
      throw new ChatTemplateException("substring not found");
    }
    return Value.of(found);
  }

  private static Value count(String text, Value[] given) {
    String part = string("count", given[0]);
    int length = CodePoints.count(text);
    int start = position(given[1], 0, length);
    int stop = Math.min(length, position(given[2], length, length));
    if (start > stop) {
      return Value.of(0);
    }
    if (part.isEmpty()) {
      return Value.of(stop - start + 1L);
    }
    String within = text.substring(CodePoints.offset(text, start), CodePoints.offset(text, stop));
    int found = 0;
    for (int at = within.indexOf(part); at >= 0; at = within.indexOf(part, at + part.length())) {
      found++;
    }
    return Value.of(found);
  }

  private static Value partition(Run run, Value.Text text, String name, Value separator) {
    String by = string(name, separator);
    if (by.isEmpty()) {
      throw new ChatTemplateException("empty separator");
    }
    String value = text.value();
    boolean fromRight = name.equals("rpartition");
    int at = fromRight ? value.lastIndexOf(by) : value.indexOf(by);
    Value whole = text.with(value);
    Value none = text.with("");
    List<Value> parts =
        at < 0
            ? fromRight ? List.of(none, none, whole) : List.of(whole, none, none)
            : List.of(
                text.with(value.substring(0, at)),
                text.with(by),
                text.with(value.substring(at + by.length())));
    return Values.tuple(run.budget(), parts);
  }

  private static Value pad(Run run, Value.Text text, String name, Value[] given) {
    String fill = given[1] == null ? " " : string(name, given[1]);
    if (CodePoints.count(fill) != 1) {
      throw new ChatTemplateException("The fill character must be exactly one character long");
    }
    int missing = Math.max(0, Numbers.index(given[0]) - CodePoints.count(text.value()));
    run.budget().characters((long) missing * fill.length());
    int width = Numbers.index(given[0]);
    int left =
        switch (name) {
          case "ljust" -> 0;
          case "rjust" -> missing;
          default -> missing / 2 + (missing & width & 1);
        };
    return text.with(fill.repeat(left) + text.value() + fill.repeat(missing - left));
  }

  private static String zeros(Run run, String text, int width) {
    int missing = width - CodePoints.count(text);
    if (missing <= 0) {
      return text;
    }
    run.budget().characters(missing);
    int sign = text.startsWith("+") || text.startsWith("-") ? 1 : 0;
    return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
  }
}
