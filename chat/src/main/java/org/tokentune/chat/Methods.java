package org.tokentune.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The methods of Python's values; those of texts are in {@link TextMethods}. */
final class Methods {

  private static final Set<String> OF_DICTS = Set.of("get", "items", "keys", "values", "copy");

  private static final Set<String> OF_LISTS = Set.of("count", "index", "copy");
  private static final Set<String> OF_TUPLES = Set.of("count", "index");
  private static final Set<String> OF_NUMBERS = Set.of("is_integer");

  private static final Set<String> UNSUPPORTED_OF_TEXTS =
      Set.of(
          "encode",
          "expandtabs",
          "format_map",
          "isidentifier",
          "maketrans",
          "striptags",
          "translate",
          "unescape");

  private static final Set<String> UNSUPPORTED_OF_NUMBERS =
      Set.of(
          "as_integer_ratio",
          "bit_count",
          "bit_length",
          "conjugate",
          "denominator",
          "from_bytes",
          "fromhex",
          "hex",
          "imag",
          "numerator",
          "real",
          "to_bytes");

  private static final Set<String> UNSUPPORTED_OF_OTHERS =
      Set.of(
          "close", "fromkeys", "isdisjoint", "mapping", "send", "start", "step", "stop", "throw");

  private Methods() {}

  static boolean exists(Value value, String name) {
    if (value instanceof Value.Text) {
      return TextMethods.NAMES.contains(name);
    } else if (value instanceof Value.Dict) {
      return OF_DICTS.contains(name);
    } else if (value instanceof Value.Array) {
      return OF_LISTS.contains(name);
    } else if (value instanceof Value.Tuple || value instanceof Value.Range) {
      return OF_TUPLES.contains(name);
    }
    return value instanceof Value.Real && OF_NUMBERS.contains(name);
  }

  /** Whether Python's value has an attribute of this name that is missing here. */
  static boolean isUnsupported(Value value, String name) {
    if (value instanceof Value.Text) {
      return UNSUPPORTED_OF_TEXTS.contains(name);
    } else if (value instanceof Value.Numeric) {
      return UNSUPPORTED_OF_NUMBERS.contains(name);
    } else if (value instanceof Value.Dict) {
      return name.equals("fromkeys");
    }
    return (value instanceof Value.View
            || value instanceof Value.Iter
            || value instanceof Value.Range
            || value instanceof Value.Slice)
        && UNSUPPORTED_OF_OTHERS.contains(name);
  }

  /** Whether only values of Python have a method of this name, and it is missing here. */
  static boolean isUnsupported(String name) {
    return !name.equals("real")
        && !name.equals("hex")
        && (UNSUPPORTED_OF_TEXTS.contains(name) || UNSUPPORTED_OF_NUMBERS.contains(name));
  }

  static Value call(Run run, Value owner, String name, CallArguments arguments) {
    if (owner instanceof Value.Text text) {
      return TextMethods.call(run, text, name, arguments);
    } else if (owner instanceof Value.Dict dict) {
      return ofDict(run, dict, name, arguments);
    } else if (owner instanceof Value.Real real) {
      arguments.bindPositional(name, 0, 0);
      return Value.of(real.value() == Math.rint(real.value()) && !Double.isInfinite(real.value()));
    }
    return ofItems(run, (Value.Items) owner, name, arguments);
  }

  private static Value ofDict(Run run, Value.Dict dict, String name, CallArguments arguments) {
    if (name.equals("get")) {
      Value[] given = arguments.bindPositional(name, 1, 2);
      run.budget().steps(Values.weight(given[0]));
      Value value = dict.map().get(Values.key(given[0]));
      return value != null ? value : given[1] != null ? given[1] : Value.NONE;
    }
    arguments.bindPositional(name, 0, 0);
    return switch (name) {
      case "items" -> new Value.View(name, dict, Values.pairs(run.budget(), dict));
      case "keys" -> new Value.View(name, dict, dict.map().keySet());
      case "values" -> new Value.View(name, dict, dict.map().values());
      default -> dict; // copy: a dictionary never changes
    };
  }

  private static Value ofItems(Run run, Value.Items list, String name, CallArguments arguments) {
    if (name.equals("copy")) {
      arguments.bindPositional(name, 0, 0);
      return list;
    }
    Value[] given = arguments.bindPositional(name, 1, name.equals("index") ? 3 : 1);
    List<Integer> found = new ArrayList<>();
    for (int i = 0; i < list.items().size(); i++) {
      run.budget().step();
      if (Operators.isEqual(run, list.items().get(i), given[0])) {
        found.add(i);
      }
    }
    if (name.equals("count")) {
      return Value.of(found.size());
    }
    int size = list.items().size();
    int start = TextMethods.position(given[1], 0, size);
    int stop = TextMethods.position(given[2], size, size);
    for (int i : found) {
      if (i >= start && i < stop) {
        return Value.of(i);
      }
    }
    throw new ChatTemplateException(Printing.repr(run, given[0]) + " is not in the " + list.type());
  }
}
