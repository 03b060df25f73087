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

  /** Methods of Python's values that are known, and refused by name. */
  static final Set<String> UNSUPPORTED =
      Set.of(
          "encode",
          "decode",
          "translate",
          "maketrans",
          "format_map",
          "isidentifier",
          "expandtabs",
          "bit_length",
          "bit_count",
          "to_bytes",
          "from_bytes",
          "conjugate",
          "as_integer_ratio",
          "hex",
          "fromhex",
          "fromkeys",
          "unescape",
          "striptags");

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
