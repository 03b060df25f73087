package org.tokentune.chat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Jinja2's filters over sequences; what Jinja2 generates lazily is generated lazily here. */
final class SequenceFilters {

  private SequenceFilters() {}

  /** Null if there is no such filter. */
  static Value apply(Run run, String name, Value value, CallArguments arguments) {
    switch (name) {
      case "length", "count" -> {
        arguments.bind(name, 0);
        run.budget().scan(value instanceof Value.Text text ? text.value() : "");
        int length = Values.length(value);
        if (length < 0) {
          throw new ChatTemplateException("object of type '" + value.type() + "' has no len()");
        }
        return Value.of(length);
      }
      case "list" -> {
        arguments.bind(name, 0);
        return Values.list(run.budget(), Values.all(run, value));
      }
      case "first" -> {
        arguments.bind(name, 0);
        Iterator<Value> each = Values.iterate(value);
        return each.hasNext()
            ? each.next()
            : new Value.Undefined("No first item, sequence was empty.");
      }
      case "last" -> {
        arguments.bind(name, 0);
        List<Value> items = reversible(run, value, false);
        return items.isEmpty()
            ? new Value.Undefined("No last item, sequence was empty.")
            : items.get(items.size() - 1);
      }
      case "reverse" -> {
        arguments.bind(name, 0);
        return reverse(run, value);
      }
      case "join" -> {
        return join(run, value, arguments);
      }
      case "items" -> {
        arguments.bind(name, 0);
        return items(run, value);
      }
      case "dictsort" -> {
        return dictsort(run, value, arguments);
      }
      case "map" -> {
        return map(run, value, arguments);
      }
      case "select", "reject" -> {
        return select(run, value, arguments, name.equals("select"), false);
      }
      case "selectattr", "rejectattr" -> {
        return select(run, value, arguments, name.equals("selectattr"), true);
      }
      case "sort" -> {
        Value[] sort = arguments.bind(name, 0, "reverse", "case_sensitive", "attribute");
        List<Value> sorted = Values.all(run, value);
        Sorting.sort(run, sorted, keys(run, sort[2], sort[1]), isTrue(sort[0]));
        return Values.list(run.budget(), sorted);
      }
      case "unique" -> {
        Value[] unique = arguments.bind(name, 0, "case_sensitive", "attribute");
        return unique(run, value, key(run, unique[1], null, unique[0]));
      }
      case "min", "max" -> {
        return extreme(run, value, arguments, name.equals("max"));
      }
      case "sum" -> {
        return sum(run, value, arguments);
      }
      case "groupby" -> {
        return groupby(run, value, arguments);
      }
      case "batch" -> {
        return batch(run, value, arguments);
      }
      case "slice" -> {
        return slice(run, value, arguments);
      }
      default -> {
        return null;
      }
    }
  }

  private static boolean isTrue(Value given) {
    return given != null && Values.isTrue(given);
  }

  private static List<Value> reversible(Run run, Value value, boolean iterators) {
    if (!iterators && value instanceof Value.Iter) {
      throw new ChatTemplateException("'" + value.type() + "' object is not reversible");
    }
    return Values.all(run, value);
  }

  private static Value reverse(Run run, Value value) {
    if (value instanceof Value.Text text) {
      run.budget().characters(text.value().length());
      return text.with(new StringBuilder(text.value()).reverse().toString());
    }
    List<Value> items = reversible(run, value, true);
    Collections.reverse(items);
    return value instanceof Value.Iter
        ? Values.list(run.budget(), items)
        : new Value.Iter("reversed", items.iterator());
  }

  private static Value join(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("join", 0, "d", "attribute");
    String separator = given[0] == null ? "" : Printing.str(run, given[0]);
    UnaryOperator<Value> attribute = attribute(run, given[1], null);
    StringBuilder to = new StringBuilder();
    String between = "";
    for (Iterator<Value> each = Values.iterate(value); each.hasNext(); between = separator) {
      run.budget().step();
      String part = Printing.str(run, attribute.apply(each.next()));
      run.budget().characters((long) between.length() + part.length());
      to.append(between).append(part);
    }
    return Value.of(to.toString());
  }

  private static Value items(Run run, Value value) {
    if (value instanceof Value.Dict dict) {
      return new Value.Iter("generator", Values.pairs(run.budget(), dict).iterator());
    } else if (value instanceof Value.Undefined) {
      return new Value.Iter("generator", Collections.emptyIterator());
    }
    // Jinja2's generator fails when it is first asked, which the text would show in one place only:
    // where nothing asks.
    return new Value.Iter(
        "generator",
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            throw new ChatTemplateException("Can only get item pairs from a mapping.");
          }

          @Override
          public Value next() {
            throw new NoSuchElementException();
          }
        });
  }

  private static Value dictsort(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
    String by = given[1] == null ? "key" : Printing.str(run, given[1]);
    int index = List.of("key", "value").indexOf(by);
    if (index < 0) {
      throw new ChatTemplateException("You can only sort by either 'key' or 'value'");
    }
    Operators.defined(value);
    if (!(value instanceof Value.Dict dict)) {
      throw new ChatTemplateException("'" + value.type() + "' object has no attribute 'items'");
    }
    List<Value> pairs = new ArrayList<>(Values.pairs(run.budget(), dict));
    boolean sensitive = isTrue(given[0]);
    Sorting.sort(
        run,
        pairs,
        pair -> folded(((Value.Tuple) pair).items().get(index), sensitive),
        isTrue(given[2]));
    return Values.list(run.budget(), pairs);
  }

  private static Value folded(Value value, boolean sensitive) {
    return !sensitive && value instanceof Value.Text text
        ? Value.of(text.value().toLowerCase(Locale.ROOT))
        : value;
  }

  /** The value of an attribute such as {@code a.0.b}; the element itself if there is none. */
  private static UnaryOperator<Value> attribute(Run run, Value attribute, Value standard) {
    if (attribute == null || attribute instanceof Value.None) {
      return value -> value;
    }
    List<Value> path = new ArrayList<>();
    if (attribute instanceof Value.Text text) {
      for (String part : TextMethods.split(text.value(), ".", Integer.MAX_VALUE, false)) {
        boolean number =
            !part.isEmpty() && part.length() < 10 && part.chars().allMatch(Character::isDigit);
        path.add(number ? new Value.Int(new BigInteger(part)) : Value.of(part));
      }
    } else {
      path.add(attribute);
    }
    return value -> {
      Value found = value;
      for (Value part : path) {
        run.budget().step();
        found = Attributes.item(run, found, part);
        if (standard != null && found instanceof Value.Undefined) {
          found = standard;
        }
      }
      return found;
    };
  }

  private static UnaryOperator<Value> key(
      Run run, Value attribute, Value standard, Value sensitive) {
    UnaryOperator<Value> plain = attribute(run, attribute, standard);
    boolean exact = isTrue(sensitive);
    return value -> folded(plain.apply(value), exact);
  }

  /** The keys of the filter {@code sort}: attributes may be several. */
  private static UnaryOperator<Value> keys(Run run, Value attributes, Value sensitive) {
    if (!(attributes instanceof Value.Text text) || text.value().indexOf(',') < 0) {
      UnaryOperator<Value> one = key(run, attributes, null, sensitive);
      return value -> one.apply(value);
    }
    List<UnaryOperator<Value>> keys = new ArrayList<>();
    for (String name : TextMethods.split(text.value(), ",", Integer.MAX_VALUE, false)) {
      keys.add(key(run, Value.of(name), null, sensitive));
    }
    return value -> {
      List<Value> all = new ArrayList<>(keys.size());
      keys.forEach(each -> all.add(each.apply(value)));
      return Values.list(run.budget(), all);
    };
  }

  private static Value map(Run run, Value value, CallArguments arguments) {
    Map<String, Value> named = arguments.named();
    UnaryOperator<Value> change;
    if (arguments.positional().isEmpty() && named.containsKey("attribute")) {
      Value standard = named.get("default");
      for (String name : named.keySet()) {
        if (!name.equals("attribute") && !name.equals("default")) {
          throw new ChatTemplateException("Unexpected keyword argument " + Printing.quoted(name));
        }
      }
      change =
          attribute(run, named.get("attribute"), standard instanceof Value.None ? null : standard);
    } else {
      if (arguments.positional().isEmpty()) {
        throw new ChatTemplateException("map requires a filter argument");
      }
      String filter = Printing.str(run, arguments.positional().get(0));
      checkFilter(filter);
      CallArguments rest = rest(arguments, 1);
      change = each -> Filters.apply(run, filter, each, rest);
    }
    if (!Values.isTrue(value)) {
      return generator(Collections.emptyIterator());
    }
    Iterator<Value> each = Values.iterate(value);
    return generator(
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return each.hasNext();
          }

          @Override
          public Value next() {
            run.budget().step();
            return change.apply(each.next());
          }
        });
  }

  private static void checkFilter(String name) {
    if (Filters.UNSUPPORTED.contains(name)) {
      throw new ChatTemplateException("the filter " + Printing.quoted(name) + " is not supported");
    } else if (!Filters.exists(name)) {
      throw Filters.unknown(name);
    }
  }

  private static CallArguments rest(CallArguments arguments, int from) {
    return new CallArguments(
        arguments.positional().subList(from, arguments.positional().size()), arguments.named());
  }

  private static Value generator(Iterator<Value> elements) {
    return new Value.Iter("generator", elements);
  }

  private static Value select(
      Run run, Value value, CallArguments arguments, boolean wanted, boolean byAttribute) {
    int from = byAttribute ? 1 : 0;
    List<Value> positional = arguments.positional();
    if (positional.size() < from) {
      throw new ChatTemplateException("Missing parameter for attribute name");
    }
    UnaryOperator<Value> attribute =
        byAttribute ? attribute(run, positional.get(0), null) : each -> each;
    String test = positional.size() > from ? Printing.str(run, positional.get(from)) : null;
    if (test != null && !Tests.exists(test)) {
      throw Tests.unknown(test);
    }
    CallArguments rest = test == null ? null : rest(arguments, from + 1);
    if (!Values.isTrue(value)) {
      return generator(Collections.emptyIterator());
    }
    Iterator<Value> each = Values.iterate(value);
    return generator(
        new Iterator<>() {
          private Value next;

          @Override
          public boolean hasNext() {
            while (next == null && each.hasNext()) {
              run.budget().step();
              Value candidate = each.next();
              Value tested = attribute.apply(candidate);
              boolean holds =
                  test == null ? Values.isTrue(tested) : Tests.apply(run, test, tested, rest);
              next = holds == wanted ? candidate : null;
            }
            return next != null;
          }

          @Override
          public Value next() {
            if (!hasNext()) {
              throw new NoSuchElementException();
            }
            Value found = next;
            next = null;
            return found;
          }
        });
  }

  private static Value unique(Run run, Value value, UnaryOperator<Value> key) {
    Set<Value> seen = new HashSet<>();
    List<Value> kept = new ArrayList<>();
    for (Value item : Values.all(run, value)) {
      Value folded = Values.key(key.apply(item));
      run.budget().steps(Values.weight(folded));
      if (seen.add(folded)) {
        kept.add(item);
      }
    }
    return generator(kept.iterator());
  }

  private static Value extreme(Run run, Value value, CallArguments arguments, boolean largest) {
    Value[] given = arguments.bind(largest ? "max" : "min", 0, "case_sensitive", "attribute");
    UnaryOperator<Value> key = key(run, given[1], null, given[0]);
    Value best = null;
    for (Value item : Values.all(run, value)) {
      if (best == null
          || (largest
              ? Operators.compare(run, ">", key.apply(item), key.apply(best))
              : Operators.compare(run, "<", key.apply(item), key.apply(best)))) {
        best = item;
      }
    }
    return best == null ? new Value.Undefined("No aggregated item, sequence was empty.") : best;
  }

  private static Value sum(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("sum", 0, "attribute", "start");
    UnaryOperator<Value> attribute = attribute(run, given[0], null);
    Value total = given[1] == null ? Value.of(0) : given[1];
    if (total instanceof Value.Text) {
      throw new ChatTemplateException("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for (Value item : Values.all(run, value)) {
      total = Operators.binary(run, "+", total, attribute.apply(item));
    }
    return total;
  }

  private static Value groupby(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("groupby", 1, "attribute", "default", "case_sensitive");
    Value standard = given[1] instanceof Value.None ? null : given[1];
    UnaryOperator<Value> exact = attribute(run, given[0], standard);
    UnaryOperator<Value> key = key(run, given[0], standard, given[2]);
    List<Value> sorted = Values.all(run, value);
    Sorting.sort(run, sorted, key, false);
    List<Value> groups = new ArrayList<>();
    for (int start = 0; start < sorted.size(); ) {
      Value first = key.apply(sorted.get(start));
      int end = start + 1;
      while (end < sorted.size() && Operators.isEqual(run, first, key.apply(sorted.get(end)))) {
        end++;
      }
      groups.add(
          Values.tuple(
              run.budget(),
              List.of(
                  exact.apply(sorted.get(start)),
                  Values.list(run.budget(), new ArrayList<>(sorted.subList(start, end)))),
              true));
      start = end;
    }
    return Values.list(run.budget(), groups);
  }

  private static Value batch(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("batch", 1, "linecount", "fill_with");
    int size = Numbers.index(given[0]);
    List<Value> batches = new ArrayList<>();
    List<Value> batch = new ArrayList<>();
    for (Value item : Values.all(run, value)) {
      if (batch.size() == size) {
        batches.add(Values.list(run.budget(), batch));
        batch = new ArrayList<>();
      }
      batch.add(item);
    }
    if (!batch.isEmpty()) {
      boolean fill = given[1] != null && !(given[1] instanceof Value.None);
      run.budget().steps(fill ? Math.max(0, size) : 0);
      while (fill && batch.size() < size) {
        batch.add(given[1]);
      }
      batches.add(Values.list(run.budget(), batch));
    }
    return generator(batches.iterator());
  }

  private static Value slice(Run run, Value value, CallArguments arguments) {
    Value[] given = arguments.bind("slice", 1, "slices", "fill_with");
    int slices = Numbers.index(given[0]);
    List<Value> items = Values.all(run, value);
    if (slices == 0) {
      throw new ChatTemplateException("integer division or modulo by zero");
    }
    run.budget().steps(Math.max(0, slices));
    int each = Math.floorDiv(items.size(), slices);
    int larger = Math.floorMod(items.size(), slices);
    boolean fill = given[1] != null && !(given[1] instanceof Value.None);
    List<Value> parts = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < slices; i++) {
      int end = start + each + (i < larger ? 1 : 0);
      List<Value> part = new ArrayList<>(items.subList(start, end));
      if (fill && i >= larger) {
        part.add(given[1]);
      }
      parts.add(Values.list(run.budget(), part));
      start = end;
    }
    return generator(parts.iterator());
  }
}
