package org.tokentune.chat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What {@code a.b} and {@code a[b]} give, in the sandbox that chat templates run in. */
final class Attributes {

  private static final Set<String> CHANGE_LISTS =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");

  private static final Set<String> CHANGE_DICTS =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private Attributes() {}

  /** {@code value.name}: an attribute, else an element of this name. */
  static Value attribute(Run run, Value value, String name) {
    Value attribute = own(run, value, name);
    if (attribute == null && value instanceof Value.Dict dict) {
      attribute = dict.map().get(Value.of(name));
    }
    return attribute == null ? missing(value, name) : attribute;
  }

  /** {@code value[key]}: an element, else an attribute of this name. */
  static Value item(Run run, Value value, Value key) {
    Operators.defined(value);
    Value element = null;
    if (key instanceof Value.Slice slice) {
      return slice(run, value, slice);
    } else if (value instanceof Value.Dict dict) {
      run.budget().steps(Values.weight(key));
      element = Values.isHashable(key) ? dict.map().get(key) : null;
    } else if (Numbers.isInteger(key)) {
      run.budget().scan(value instanceof Value.Text text ? text.value() : "");
      element = element(value, Numbers.integer(key));
    }
    if (element == null && key instanceof Value.Text name) {
      element = own(run, value, name.value());
    }
    return element == null ? missing(run, value, key) : element;
  }

  private static Value element(Value value, BigInteger index) {
    boolean text = value instanceof Value.Text;
    if ((!text && !(value instanceof Value.Items)) || index.bitLength() > 31) {
      return null;
    }
    int length = Values.length(value);
    int at = index.intValue() < 0 ? index.intValue() + length : index.intValue();
    if (at < 0 || at >= length) {
      return null;
    }
    return text
        ? ((Value.Text) value).with(CodePoints.at(((Value.Text) value).value(), at))
        : ((Value.Items) value).items().get(at);
  }

  private static Value own(Run run, Value value, String name) {
    Operators.defined(value);
    boolean list = value instanceof Value.Array;
    if ((name.startsWith("__") && name.endsWith("__"))
        || (list && CHANGE_LISTS.contains(name))
        || (value instanceof Value.Dict && CHANGE_DICTS.contains(name))) {
      return new Value.Undefined(
          "access to attribute '" + name + "' of '" + value.type() + "' object is unsafe.");
    } else if (value instanceof Value.Namespace namespace) {
      return namespace.attributes().get(name);
    } else if (value instanceof Value.WithAttributes with) {
      return with.attribute(run, name);
    } else if (value instanceof Value.Tuple tuple && tuple.group()) {
      int index = List.of("grouper", "list").indexOf(name);
      if (index >= 0) {
        return tuple.items().get(index);
      }
    }
    if (Methods.isUnsupported(value, name)) {
      throw new ChatTemplateException(
          "the attribute "
              + Printing.quoted(name)
              + " of a '"
              + value.type()
              + "' object is not supported");
    }
    return Methods.exists(value, name) ? new Value.Method(value, name) : null;
  }

  private static Value missing(Run run, Value value, Value key) {
    return key instanceof Value.Text text
        ? missing(value, text.value())
        : new Value.Undefined(what(value) + " has no element " + Printing.repr(run, key));
  }

  private static Value missing(Value value, String name) {
    return new Value.Undefined(what(value) + " has no attribute " + Printing.quoted(name));
  }

  private static String what(Value value) {
    return value instanceof Value.None ? "'None'" : "'" + value.type() + " object'";
  }

  /** Unlike a missing element, what cannot be sliced is an error. */
  private static Value slice(Run run, Value value, Value.Slice slice) {
    boolean text = value instanceof Value.Text;
    if (value instanceof Value.Dict) {
      throw new ChatTemplateException("unhashable type: 'slice'");
    } else if (!text && !(value instanceof Value.Items)) {
      throw new ChatTemplateException("'" + value.type() + "' object is not subscriptable");
    } else if (!isBound(slice.start()) || !isBound(slice.stop()) || !isBound(slice.step())) {
      throw new ChatTemplateException(
          "slice indices must be integers or None or have an __index__ method");
    }
    int step = slice.step() instanceof Value.None ? 1 : Numbers.index(slice.step());
    if (step == 0) {
      throw new ChatTemplateException("slice step cannot be zero");
    }
    int length = Values.length(value);
    int lowest = step > 0 ? 0 : -1;
    int highest = step > 0 ? length : length - 1;
    int start = bound(slice.start(), step > 0 ? lowest : highest, length, lowest, highest);
    int stop = bound(slice.stop(), step > 0 ? highest : lowest, length, lowest, highest);
    if (text) {
      Value.Text from = (Value.Text) value;
      run.budget().scan(from.value());
      return from.with(slice(run, from.value(), start, stop, step));
    }
    List<Value> items = ((Value.Items) value).items();
    List<Value> taken = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      run.budget().step();
      taken.add(items.get((int) i));
    }
    if (value instanceof Value.Range range) {
      BigInteger first = range.start().add(range.step().multiply(BigInteger.valueOf(start)));
      BigInteger end = range.start().add(range.step().multiply(BigInteger.valueOf(stop)));
      return new Value.Range(
          first, end, range.step().multiply(BigInteger.valueOf(step)), List.copyOf(taken));
    }
    return value instanceof Value.Array
        ? Values.list(run.budget(), taken)
        : Values.tuple(run.budget(), taken);
  }

  private static boolean isBound(Value value) {
    return value instanceof Value.None || Numbers.isInteger(value);
  }

  private static int bound(Value bound, int standard, int length, int lowest, int highest) {
    if (bound instanceof Value.None) {
      return standard;
    }
    long index = Numbers.index(bound);
    index += index < 0 ? length : 0;
    return (int) Math.max(lowest, Math.min(highest, index));
  }

  private static String slice(Run run, String text, int start, int stop, int step) {
    if (step == 1) {
      if (start >= stop) {
        return "";
      }
      int from = CodePoints.offset(text, start);
      int to = text.offsetByCodePoints(from, stop - start);
      run.budget().characters(to - from);
      return text.substring(from, to);
    }
    run.budget().characters(text.length());
    int[] codePoints = text.codePoints().toArray();
    StringBuilder taken = new StringBuilder();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      taken.appendCodePoint(codePoints[(int) i]);
    }
    return taken.toString();
  }
}
