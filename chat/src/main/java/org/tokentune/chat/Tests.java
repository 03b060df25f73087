package org.tokentune.chat;

import java.math.BigInteger;
import java.util.Set;

/** Jinja2's tests. */
final class Tests {

  private static final Set<String> NAMES =
      Set.of(
          "boolean",
          "callable",
          "defined",
          "divisibleby",
          "eq",
          "equalto",
          "==",
          "escaped",
          "even",
          "false",
          "filter",
          "float",
          "ge",
          ">=",
          "gt",
          "greaterthan",
          ">",
          "in",
          "integer",
          "iterable",
          "le",
          "<=",
          "lower",
          "lt",
          "lessthan",
          "<",
          "mapping",
          "ne",
          "!=",
          "none",
          "number",
          "odd",
          "sameas",
          "sequence",
          "string",
          "test",
          "true",
          "undefined",
          "upper");

  private Tests() {}

  static boolean exists(String name) {
    return NAMES.contains(name);
  }

  static ChatTemplateException unknown(String name) {
    return new ChatTemplateException("No test named " + Printing.quoted(name) + ".");
  }

  static boolean apply(Run run, String name, Value value, CallArguments arguments) {
    switch (name) {
      case "eq", "equalto", "==" -> {
        return Operators.isEqual(run, value, arguments.bind(name, 1, "b")[0]);
      }
      case "ne", "!=" -> {
        return !Operators.isEqual(run, value, arguments.bind(name, 1, "b")[0]);
      }
      case "lt", "lessthan", "<" -> {
        return Operators.compare(run, "<", value, arguments.bind(name, 1, "b")[0]);
      }
      case "le", "<=" -> {
        return Operators.compare(run, "<=", value, arguments.bind(name, 1, "b")[0]);
      }
      case "gt", "greaterthan", ">" -> {
        return Operators.compare(run, ">", value, arguments.bind(name, 1, "b")[0]);
      }
      case "ge", ">=" -> {
        return Operators.compare(run, ">=", value, arguments.bind(name, 1, "b")[0]);
      }
      case "in" -> {
        return Operators.contains(run, value, arguments.bind(name, 1, "seq")[0]);
      }
      case "sameas" -> {
        return isSame(value, arguments.bind(name, 1, "other")[0]);
      }
      case "divisibleby" -> {
        return isZero(modulo(run, value, arguments.bind(name, 1, "num")[0]));
      }
      default -> {
        if (!exists(name)) {
          throw unknown(name);
        }
        arguments.bind("the test " + name, 0);
        return is(run, name, value);
      }
    }
  }

  private static boolean is(Run run, String name, Value value) {
    return switch (name) {
      case "defined" -> !(value instanceof Value.Undefined);
      case "undefined" -> value instanceof Value.Undefined;
      case "none" -> value instanceof Value.None;
      case "boolean" -> value instanceof Value.Bool;
      case "true" -> value instanceof Value.Bool bool && bool.value();
      case "false" -> value instanceof Value.Bool bool && !bool.value();
      case "integer" -> value instanceof Value.Int;
      case "float" -> value instanceof Value.Real;
      case "number" -> value instanceof Value.Numeric;
      case "string" -> value instanceof Value.Text;
      case "mapping" -> value instanceof Value.Dict;
      case "iterable" -> Values.isIterable(value);
      case "sequence" ->
          value instanceof Value.Items
              || value instanceof Value.Text
              || value instanceof Value.Dict
              || value instanceof Value.Undefined;
      case "callable" -> value instanceof Value.Callable || value instanceof Value.Undefined;
      case "escaped" -> value instanceof Value.Text text && text.safe();
      case "odd" -> isEqual(modulo(run, value, Value.of(2)), 1);
      case "even" -> isZero(modulo(run, value, Value.of(2)));
      case "lower" -> TextMethods.isLower(Printing.str(run, value));
      case "upper" -> TextMethods.isUpper(Printing.str(run, value));
      case "filter" -> Values.key(value) instanceof Value.Text text && Filters.exists(text.value());
      default -> Values.key(value) instanceof Value.Text text && exists(text.value()); // test
    };
  }

  private static Value modulo(Run run, Value value, Value by) {
    return Operators.binary(run, "%", value, by);
  }

  private static boolean isEqual(Value value, long number) {
    return value instanceof Value.Numeric numeric
        && Numbers.compare(numeric, new Value.Int(BigInteger.valueOf(number))) == 0;
  }

  private static boolean isZero(Value value) {
    return isEqual(value, 0);
  }

  /** Python's {@code is}: the same object, or an equal one of the kinds that Python keeps once. */
  private static boolean isSame(Value left, Value right) {
    boolean kept =
        (left instanceof Value.Bool && right instanceof Value.Bool)
            || left instanceof Value.None
            || (left instanceof Value.Int && right instanceof Value.Int)
            || (left instanceof Value.Text && right instanceof Value.Text);
    return left == right || (kept && left.equals(right));
  }
}
