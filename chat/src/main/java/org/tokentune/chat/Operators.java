package org.tokentune.chat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Python's operators. */
final class Operators {

  private Operators() {}

  /** Equal as in Python; of what is large each element counts as a step. */
  static boolean isEqual(Run run, Value left, Value right) {
    if (left == right) {
      return !(left instanceof Value.Real real && Double.isNaN(real.value()));
    }
    run.budget().steps(Math.min(Values.weight(left), Values.weight(right)));
    return left.equals(right);
  }

  static boolean isLess(Run run, Value left, Value right) {
    return compare(run, "<", left, right);
  }

  /**
   * @param operator {@code <}, {@code <=}, {@code >} or {@code >=}
   */
  static boolean compare(Run run, String operator, Value left, Value right) {
    defined(left);
    defined(right);
    if (left instanceof Value.Numeric a && right instanceof Value.Numeric b) {
      int order = Numbers.compare(a, b);
      return order != Numbers.UNORDERED && holds(operator, order);
    } else if (left instanceof Value.Text a && right instanceof Value.Text b) {
      run.budget().scan(a.value());
      return holds(operator, compare(a.value(), b.value()));
    } else if (left instanceof Value.Array a && right instanceof Value.Array b) {
      return compare(run, operator, a.items(), b.items());
    } else if (left instanceof Value.Tuple a && right instanceof Value.Tuple b) {
      return compare(run, operator, a.items(), b.items());
    }
    throw new ChatTemplateException(
        "'"
            + operator
            + "' not supported between instances of '"
            + left.type()
            + "' and '"
            + right.type()
            + "'");
  }

  private static boolean holds(String operator, int order) {
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  private static boolean compare(Run run, String operator, List<Value> left, List<Value> right) {
    for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
      run.budget().step();
      if (!isEqual(run, left.get(i), right.get(i))) {
        return compare(run, operator, left.get(i), right.get(i));
      }
    }
    return holds(operator, Integer.compare(left.size(), right.size()));
  }

  /** By code points, where Java compares surrogates. */
  private static int compare(String left, String right) {
    int length = Math.min(left.length(), right.length());
    for (int i = 0; i < length; i++) {
      if (left.charAt(i) != right.charAt(i)) {
        return Integer.compare(
            left.codePointAt(start(left, i)), right.codePointAt(start(right, i)));
      }
    }
    return Integer.compare(left.length(), right.length());
  }

  private static int start(String text, int i) {
    boolean second =
        i > 0
            && Character.isLowSurrogate(text.charAt(i))
            && Character.isHighSurrogate(text.charAt(i - 1));
    return second ? i - 1 : i;
  }

  static boolean contains(Run run, Value element, Value container) {
    if (container instanceof Value.Text text) {
      if (element instanceof Value.Text part) {
        run.budget().scan(text.value());
        return text.value().contains(part.value());
      }
      throw new ChatTemplateException(
          "'in <string>' requires string as left operand, not " + element.type());
    } else if (container instanceof Value.Dict dict) {
      run.budget().steps(Values.weight(element));
      return dict.map().containsKey(Values.key(element));
    } else if (!Values.isIterable(container)) {
      throw new ChatTemplateException(
          "argument of type '" + container.type() + "' is not iterable");
    }
    for (Iterator<Value> each = Values.iterate(container); each.hasNext(); ) {
      run.budget().step();
      if (isEqual(run, each.next(), element)) {
        return true;
      }
    }
    return false;
  }

  static Value binary(Run run, String operator, Value left, Value right) {
    if (operator.equals("%") && left instanceof Value.Text text) {
      return PercentFormat.format(run, text, right);
    }
    defined(left);
    defined(right);
    if (left instanceof Value.Numeric a && right instanceof Value.Numeric b) {
      return arithmetic(run, operator, a, b);
    } else if (operator.equals("+")) {
      return add(run, left, right);
    } else if (operator.equals("*")) {
      if (Numbers.isInteger(right)) {
        return repeat(run, left, right);
      } else if (Numbers.isInteger(left)) {
        return repeat(run, right, left);
      }
    }
    throw unsupported(operator, left, right);
  }

  private static Value arithmetic(
      Run run, String operator, Value.Numeric left, Value.Numeric right) {
    boolean real = left instanceof Value.Real || right instanceof Value.Real;
    return switch (operator) {
      case "+" ->
          real
              ? new Value.Real(left.real() + right.real())
              : new Value.Int(Numbers.integer(left).add(Numbers.integer(right)));
      case "-" ->
          real
              ? new Value.Real(left.real() - right.real())
              : new Value.Int(Numbers.integer(left).subtract(Numbers.integer(right)));
      case "*" ->
          real
              ? new Value.Real(left.real() * right.real())
              : multiply(run, Numbers.integer(left), Numbers.integer(right));
      case "/" -> Numbers.divide(left, right);
      case "//" -> Numbers.floorDivide(left, right);
      case "%" -> Numbers.modulo(left, right);
      default -> Numbers.power(run.budget(), left, right);
    };
  }

  private static Value multiply(Run run, BigInteger left, BigInteger right) {
    int bits = left.bitLength() + right.bitLength();
    if (bits > 1_000_000) {
      throw new ChatTemplateException("an integer of a million bits is too large for a template");
    }
    run.budget().steps(bits / 64);
    return new Value.Int(left.multiply(right));
  }

  private static Value add(Run run, Value left, Value right) {
    if (left instanceof Value.Text a && right instanceof Value.Text b) {
      boolean safe = a.safe() || b.safe();
      run.budget().characters((long) a.value().length() + b.value().length());
      return safe
          ? new Value.Text(Markup.escaped(run, a) + Markup.escaped(run, b), true)
          : Value.of(a.value() + b.value());
    } else if (left instanceof Value.Array a && right instanceof Value.Array b) {
      return Values.list(run.budget(), join(run, a.items(), b.items()));
    } else if (left instanceof Value.Tuple a && right instanceof Value.Tuple b) {
      return Values.tuple(run.budget(), join(run, a.items(), b.items()));
    } else if (left instanceof Value.Text text && !text.safe()) {
      throw new ChatTemplateException(
          "can only concatenate str (not \"" + right.type() + "\") to str");
    } else if (left instanceof Value.Array || left instanceof Value.Tuple) {
      throw new ChatTemplateException(
          "can only concatenate "
              + left.type()
              + " (not \""
              + right.type()
              + "\") to "
              + left.type());
    }
    throw unsupported("+", left, right);
  }

  private static List<Value> join(Run run, List<Value> left, List<Value> right) {
    run.budget().steps((left.size() + right.size()) / 8);
    List<Value> items = new ArrayList<>(left.size() + right.size());
    items.addAll(left);
    items.addAll(right);
    return items;
  }

  private static Value repeat(Run run, Value value, Value count) {
    int times = Math.max(0, Numbers.index(count));
    if (value instanceof Value.Text text) {
      run.budget().characters((long) text.value().length() * times);
      return text.with(text.value().repeat(times));
    } else if (value instanceof Value.Array || value instanceof Value.Tuple) {
      List<Value> once = ((Value.Items) value).items();
      run.budget().steps((long) once.size() * times);
      List<Value> items = new ArrayList<>(once.size() * times);
      for (int i = 0; i < times && !once.isEmpty(); i++) {
        items.addAll(once);
      }
      return value instanceof Value.Array
          ? Values.list(run.budget(), items)
          : Values.tuple(run.budget(), items);
    }
    throw unsupported("*", value, count);
  }

  static Value negative(Value value) {
    defined(value);
    if (value instanceof Value.Real real) {
      return new Value.Real(-real.value());
    } else if (Numbers.isInteger(value)) {
      return new Value.Int(Numbers.integer(value).negate());
    }
    throw new ChatTemplateException("bad operand type for unary -: '" + value.type() + "'");
  }

  static Value positive(Value value) {
    defined(value);
    if (value instanceof Value.Real) {
      return value;
    } else if (Numbers.isInteger(value)) {
      return new Value.Int(Numbers.integer(value));
    }
    throw new ChatTemplateException("bad operand type for unary +: '" + value.type() + "'");
  }

  static void defined(Value value) {
    if (value instanceof Value.Undefined undefined) {
      throw undefined.error();
    }
  }

  private static ChatTemplateException unsupported(String operator, Value left, Value right) {
    return new ChatTemplateException(
        "unsupported operand type(s) for "
            + operator
            + ": '"
            + left.type()
            + "' and '"
            + right.type()
            + "'");
  }
}
