package org.tokentune.chat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes values, and iterates over them. */
final class Values {

  private static final int SANDBOX_RANGE = 100_000;

  private Values() {}

  static Value.Array list(Budget budget, List<Value> items) {
    long weight = 1;
    int depth = 0;
    for (Value item : items) {
      weight += weight(item);
      depth = Math.max(depth, depth(item));
    }
    budget.weight(weight, depth + 1);
    return new Value.Array(items, weight, depth + 1);
  }

  static Value.Tuple tuple(Budget budget, List<Value> items) {
    return tuple(budget, items, false);
  }

  static Value.Tuple tuple(Budget budget, List<Value> items, boolean group) {
    long weight = 1;
    int depth = 0;
    int hash = 1;
    for (Value item : items) {
      weight += weight(item);
      depth = Math.max(depth, depth(item));
      hash = 31 * hash + (isHashable(item) ? item.hashCode() : 7);
    }
    budget.weight(weight, depth + 1);
    return new Value.Tuple(items, group, weight, depth + 1, hash);
  }

  static Value.Dict dict(Budget budget, Map<Value, Value> map) {
    long weight = 1;
    int depth = 0;
    for (Map.Entry<Value, Value> entry : map.entrySet()) {
      weight += weight(entry.getKey()) + weight(entry.getValue());
      depth = Math.max(depth, Math.max(depth(entry.getKey()), depth(entry.getValue())));
    }
    budget.weight(weight, depth + 1);
    return new Value.Dict(map, weight, depth + 1);
  }

  /** The number of elements in it, at all depths, and itself. */
  static long weight(Value value) {
    if (value instanceof Value.Array array) {
      return array.weight();
    } else if (value instanceof Value.Tuple tuple) {
      return tuple.weight();
    } else if (value instanceof Value.Dict dict) {
      return dict.weight();
    } else if (value instanceof Value.View view) {
      return view.dict().weight();
    } else if (value instanceof Value.Range range) {
      return 1L + range.items().size();
    } else if (value instanceof Value.Text text) {
      return 1L + text.value().length() / 64;
    }
    return 1;
  }

  private static int depth(Value value) {
    if (value instanceof Value.Array array) {
      return array.depth();
    } else if (value instanceof Value.Tuple tuple) {
      return tuple.depth();
    } else if (value instanceof Value.Dict dict) {
      return dict.depth();
    } else if (value instanceof Value.View view) {
      return view.dict().depth();
    }
    return 0;
  }

  /** A list, dictionary, text, number, boolean or null of Java. */
  static Value fromJava(Budget budget, Object value, int depth) {
    if (depth > budget.maximumDepth()) {
      throw new ChatTemplateException(
          "the conversation is nested more than " + budget.maximumDepth() + " deep");
    }
    if (value == null) {
      return Value.NONE;
    } else if (value instanceof String || value instanceof Character) {
      return Value.of(value.toString());
    } else if (value instanceof Boolean bool) {
      return Value.of((boolean) bool);
    } else if (value instanceof BigInteger number) {
      return new Value.Int(number);
    } else if (value instanceof Double || value instanceof Float || value instanceof BigDecimal) {
      return new Value.Real(((Number) value).doubleValue());
    } else if (value instanceof Number number) {
      return Value.of(number.longValue());
    } else if (value instanceof Map<?, ?> map) {
      Map<Value, Value> copy = new LinkedHashMap<>();
      map.forEach(
          (key, element) ->
              copy.put(fromJava(budget, key, depth + 1), fromJava(budget, element, depth + 1)));
      return dict(budget, copy);
    } else if (value instanceof Collection<?> list) {
      List<Value> copy = new ArrayList<>(list.size());
      for (Object element : list) {
        copy.add(fromJava(budget, element, depth + 1));
      }
      return list(budget, copy);
    }
    throw new ChatTemplateException(
        "a conversation holds maps, lists, texts, numbers, booleans and null, got "
            + value.getClass().getName());
  }

  /** Python's range, which the sandbox that chat templates run in limits. */
  static Value.Range range(BigInteger start, BigInteger stop, BigInteger step) {
    if (step.signum() == 0) {
      throw new ChatTemplateException("range() arg 3 must not be zero");
    }
    BigInteger distance = step.signum() > 0 ? stop.subtract(start) : start.subtract(stop);
    BigInteger size =
        distance.signum() <= 0
            ? BigInteger.ZERO
            : distance.subtract(BigInteger.ONE).divide(step.abs()).add(BigInteger.ONE);
    if (size.compareTo(BigInteger.valueOf(SANDBOX_RANGE)) > 0) {
      throw new ChatTemplateException(
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
    }
    List<Value> items = new ArrayList<>();
    BigInteger next = start;
    for (int i = size.intValue(); i > 0; i--) {
      items.add(new Value.Int(next));
      next = next.add(step);
    }
    return new Value.Range(start, stop, step, items);
  }

  static boolean isHashable(Value value) {
    if (value instanceof Value.Tuple tuple) {
      for (Value item : tuple.items()) {
        if (!isHashable(item)) {
          return false;
        }
      }
      return true;
    }
    return !(value instanceof Value.Array
        || value instanceof Value.Dict
        || value instanceof Value.Slice
        || value instanceof Value.View);
  }

  /** Rejects what cannot be the key of a dictionary. */
  static Value key(Value value) {
    if (!isHashable(value)) {
      throw new ChatTemplateException("unhashable type: '" + value.type() + "'");
    }
    return value;
  }

  static boolean isIterable(Value value) {
    return value instanceof Value.Items
        || value instanceof Value.Text
        || value instanceof Value.Dict
        || value instanceof Value.View
        || value instanceof Value.Iter
        || value instanceof Value.Undefined;
  }

  /** Its elements: of a text the characters, of a dictionary the keys, of Undefined none. */
  static Iterator<Value> iterate(Value value) {
    if (value instanceof Value.Items items) {
      return items.items().iterator();
    } else if (value instanceof Value.Text text) {
      return CodePoints.each(text.value());
    } else if (value instanceof Value.Dict dict) {
      return dict.map().keySet().iterator();
    } else if (value instanceof Value.View view) {
      return view.elements().iterator();
    } else if (value instanceof Value.Iter iter) {
      return iter.elements();
    } else if (value instanceof Value.Undefined) {
      return Collections.emptyIterator();
    }
    throw new ChatTemplateException("'" + value.type() + "' object is not iterable");
  }

  /** All its elements, each of which counts as a step. */
  static List<Value> all(Run run, Value value) {
    List<Value> items = new ArrayList<>();
    for (Iterator<Value> each = iterate(value); each.hasNext(); ) {
      run.budget().step();
      items.add(each.next());
    }
    return items;
  }

  /** Python's len, or -1 if there is none. */
  static int length(Value value) {
    if (value instanceof Value.Items items) {
      return items.items().size();
    } else if (value instanceof Value.Text text) {
      return CodePoints.count(text.value());
    } else if (value instanceof Value.Dict dict) {
      return dict.map().size();
    } else if (value instanceof Value.View view) {
      return view.elements().size();
    } else if (value instanceof Value.Undefined) {
      return 0;
    } else if (value instanceof Loop loop) {
      return loop.length();
    }
    return -1;
  }

  static boolean isTrue(Value value) {
    if (value instanceof Value.Bool bool) {
      return bool.value();
    } else if (value instanceof Value.None || value instanceof Value.Undefined) {
      return false;
    } else if (value instanceof Value.Int number) {
      return number.value().signum() != 0;
    } else if (value instanceof Value.Real number) {
      return number.value() != 0;
    } else if (value instanceof Value.Text text) {
      return !text.value().isEmpty();
    }
    return length(value) != 0;
  }

  /** The elements of a dictionary as pairs. */
  static List<Value> pairs(Budget budget, Value.Dict dict) {
    List<Value> pairs = new ArrayList<>(dict.map().size());
    for (Map.Entry<Value, Value> entry : dict.map().entrySet()) {
      pairs.add(tuple(budget, List.of(entry.getKey(), entry.getValue())));
    }
    return pairs;
  }
}
