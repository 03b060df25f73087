package org.tokentune.chat;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The variable {@code loop}. Elements are fetched as late as possible, as Jinja2 does. */
final class Loop implements Value.Callable, Value.WithAttributes {

  /** What a recursive loop does when {@code loop} is called with other elements. */
  interface Recursion {
    Value call(Value elements, int depth);
  }

  private static final Value FIRST = new Value.Undefined("there is no previous item");
  private static final Value LAST = new Value.Undefined("there is no next item");

  private final Recursion recursion;
  private final int depth;
  private final int known;
  private Iterator<Value> rest;
  private Value previous = FIRST;
  private Value current;
  private List<Value> changed;
  private int index0 = -1;
  private int length = -1;

  /**
   * @param elements what is iterated
   * @param length their number; negative if it is not known before they are fetched
   * @param recursion null for a loop that is not recursive
   */
  Loop(Iterator<Value> elements, int length, Recursion recursion, int depth) {
    this.rest = elements;
    this.known = length;
    this.recursion = recursion;
    this.depth = depth;
  }

  boolean hasNext() {
    return rest.hasNext();
  }

  Value next() {
    Value next = rest.next();
    previous = current == null ? FIRST : current;
    current = next;
    index0++;
    return next;
  }

  private List<Value> fetched() {
    List<Value> all = new ArrayList<>();
    rest.forEachRemaining(all::add);
    rest = all.iterator();
    return all;
  }

  int index0() {
    return index0;
  }

  int length() {
    if (known >= 0) {
      return known;
    }
    if (length < 0) {
      length = index0 + 1 + fetched().size();
    }
    return length;
  }

  private Value following() {
    if (!rest.hasNext()) {
      return LAST;
    }
    Value next = rest.next();
    Iterator<Value> after = rest;
    rest =
        new Iterator<>() {
          private boolean fresh = true;

          @Override
          public boolean hasNext() {
            return fresh || after.hasNext();
          }

          @Override
          public Value next() {
            if (fresh) {
              fresh = false;
              return next;
            }
            return after.next();
          }
        };
    return next;
  }

  @Override
  public Value attribute(Run run, String name) {
    return switch (name) {
      case "index" -> Value.of(index0 + 1L);
      case "index0" -> Value.of(index0);
      case "first" -> Value.of(index0 == 0);
      case "last" -> Value.of(!rest.hasNext());
      case "length" -> Value.of(length());
      case "revindex" -> Value.of((long) length() - index0);
      case "revindex0" -> Value.of(length() - index0 - 1L);
      case "previtem" -> previous;
      case "nextitem" -> following();
      case "depth" -> Value.of(depth + 1L);
      case "depth0" -> Value.of(depth);
      case "cycle" -> new Function("cycle", (each, arguments) -> cycle(arguments));
      case "changed" -> new Function("changed", this::changed);
      default -> null;
    };
  }

  private Value cycle(CallArguments arguments) {
    List<Value> values = arguments.positional();
    if (values.isEmpty()) {
      throw new ChatTemplateException("no items for cycling given");
    }
    return values.get(index0 % values.size());
  }

  private Value changed(Run run, CallArguments arguments) {
    List<Value> values = arguments.positional();
    boolean same = changed != null && changed.size() == values.size();
    for (int i = 0; same && i < values.size(); i++) {
      same = Operators.isEqual(run, changed.get(i), values.get(i));
    }
    changed = values;
    return Value.of(!same);
  }

  @Override
  public Value call(Run run, CallArguments arguments) {
    if (recursion == null) {
      throw new ChatTemplateException(
          "The loop must have the 'recursive' marker to be called recursively.");
    }
    return recursion.call(arguments.bindPositional("loop", 1, 1)[0], depth + 1);
  }

  @Override
  public String type() {
    return "LoopContext";
  }
}
