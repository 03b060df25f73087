package org.tokentune.chat;

import java.math.BigInteger;
import java.time.ZonedDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every chat template can call. */
final class Globals {

  private Globals() {}

  static Scope scope() {
    Map<String, Value> globals = new HashMap<>();
    put(globals, new Function("range", Globals::range));
    put(globals, new Function("dict", Globals::dict));
    put(globals, new Function("namespace", Globals::namespace));
    put(globals, new Function("joiner", Globals::joiner));
    put(globals, new Function("cycler", (run, arguments) -> new Cycler(arguments)));
    put(globals, new Function("raise_exception", Globals::raise));
    put(globals, new Function("strftime_now", Globals::now));
    return new Scope(null, globals);
  }

  private static void put(Map<String, Value> globals, Function function) {
    globals.put(function.name(), function);
  }

  private static Value range(Run run, CallArguments arguments) {
    Value[] given = arguments.bindPositional("range", 1, 3);
    BigInteger first = Numbers.integer(given[0]);
    BigInteger start = given[1] == null ? BigInteger.ZERO : first;
    BigInteger stop = given[1] == null ? first : Numbers.integer(given[1]);
    Value.Range range =
        Values.range(start, stop, given[2] == null ? BigInteger.ONE : Numbers.integer(given[2]));
    run.budget().steps(range.items().size() / 8);
    return range;
  }

  private static Map<Value, Value> entries(Run run, CallArguments arguments) {
    Map<Value, Value> map = new LinkedHashMap<>();
    if (arguments.positional().size() > 1) {
      throw new ChatTemplateException(
          "dict expected at most 1 argument, got " + arguments.positional().size());
    }
    for (Value given : arguments.positional()) {
      if (given instanceof Value.Dict dict) {
        map.putAll(dict.map());
      } else if (given instanceof Value.Namespace) {
        throw new ChatTemplateException("'Namespace' object is not iterable");
      } else {
        for (Value pair : Values.all(run, given)) {
          List<Value> both = Values.all(run, pair);
          if (both.size() != 2) {
            throw new ChatTemplateException(
                "dictionary update sequence element has length " + both.size() + "; 2 is required");
          }
          map.put(Values.key(both.get(0)), both.get(1));
        }
      }
    }
    arguments.named().forEach((name, value) -> map.put(Value.of(name), value));
    run.budget().steps(map.size());
    return map;
  }

  private static Value dict(Run run, CallArguments arguments) {
    return Values.dict(run.budget(), entries(run, arguments));
  }

  private static Value namespace(Run run, CallArguments arguments) {
    Value.Namespace namespace = new Value.Namespace();
    entries(run, arguments)
        .forEach(
            (name, value) -> {
              if (name instanceof Value.Text text) {
                namespace.set(text.value(), value);
              }
            });
    return namespace;
  }

  private static Value joiner(Run run, CallArguments arguments) {
    Value given = arguments.bind("joiner", 0, "sep")[0];
    Value separator = given == null ? Value.of(", ") : given;
    boolean[] used = new boolean[1];
    return new Function(
        "joiner",
        (inner, none) -> {
          none.bindPositional("joiner", 0, 0);
          Value text = used[0] ? separator : Value.EMPTY;
          used[0] = true;
          return text;
        });
  }

  private static Value raise(Run run, CallArguments arguments) {
    Value message = arguments.bind("raise_exception", 1, "message")[0];
    throw new ChatTemplateException(Printing.str(run, message));
  }

  private static Value now(Run run, CallArguments arguments) {
    Value format = arguments.bind("strftime_now", 1, "format")[0];
    if (!(format instanceof Value.Text text)) {
      throw new ChatTemplateException("strftime() argument 1 must be str, not " + format.type());
    }
    String time = Strftime.format(text.value(), ZonedDateTime.now(run.settings().clock()));
    run.budget().characters(time.length());
    return Value.of(time);
  }

  /** What {@code cycler()} gives. */
  private static final class Cycler implements Value.WithAttributes {

    private final List<Value> values;
    private int at;

    Cycler(CallArguments arguments) {
      values = arguments.positional();
      if (values.isEmpty()) {
        throw new ChatTemplateException("at least one item has to be provided");
      }
    }

    @Override
    public Value attribute(Run run, String name) {
      return switch (name) {
        case "current" -> values.get(at);
        case "next" -> new Function(name, (inner, none) -> next());
        case "reset" -> new Function(name, (inner, none) -> reset());
        default -> null;
      };
    }

    private Value next() {
      Value value = values.get(at);
      at = (at + 1) % values.size();
      return value;
    }

    private Value reset() {
      at = 0;
      return Value.NONE;
    }

    @Override
    public String type() {
      return "Cycler";
    }
  }
}
