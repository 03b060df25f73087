package org.tokentune.chat;

import java.math.BigInteger;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A value as Python has it. Equal values are equal as in Python ({@code 1 == 1.0 == True}), so that
 * they can be keys of a dictionary. Nothing can be changed but a namespace and what is iterated.
 */
sealed interface Value {

  /** Python's name of its type. */
  String type();

  Value NONE = new None();
  Value TRUE = new Bool(true);
  Value FALSE = new Bool(false);
  Text EMPTY = new Text("", false);

  static Value of(boolean value) {
    return value ? TRUE : FALSE;
  }

  static Value of(long value) {
    return new Int(BigInteger.valueOf(value));
  }

  static Text of(String value) {
    return new Text(value, false);
  }

  /** Python's None. */
  record None() implements Value {
    @Override
    public String type() {
      return "NoneType";
    }
  }

  /** A number: bool, int or float. */
  sealed interface Numeric extends Value permits Bool, Int, Real {

    double real();

    /** Equal numbers of all types have the same. */
    static int hash(double value) {
      return Double.hashCode(value + 0.0);
    }
  }

  /** bool, which counts as 0 or 1. */
  record Bool(boolean value) implements Numeric {
    @Override
    public String type() {
      return "bool";
    }

    @Override
    public double real() {
      return value ? 1 : 0;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Numeric number && Numbers.compare(this, number) == 0;
    }

    @Override
    public int hashCode() {
      return Numeric.hash(real());
    }
  }

  /** int, of any size. */
  record Int(BigInteger value) implements Numeric {
    @Override
    public String type() {
      return "int";
    }

    @Override
    public double real() {
      return value.doubleValue();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Numeric number && Numbers.compare(this, number) == 0;
    }

    @Override
    public int hashCode() {
      return Numeric.hash(real());
    }
  }

  /** float. */
  record Real(double value) implements Numeric {
    @Override
    public String type() {
      return "float";
    }

    @Override
    public double real() {
      return value;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Numeric number && Numbers.compare(this, number) == 0;
    }

    @Override
    public int hashCode() {
      return Numeric.hash(value);
    }
  }

  /**
   * str.
   *
   * @param safe whether it is Markup: text that needs no escaping any more
   */
  record Text(String value, boolean safe) implements Value {
    @Override
    public String type() {
      return safe ? "Markup" : "str";
    }

    Text with(String other) {
      return new Text(other, safe);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Text text && text.value.equals(value);
    }

    @Override
    public int hashCode() {
      return value.hashCode();
    }
  }

  /**
   * What a name or attribute that does not exist gives.
   *
   * @param message why there is no value, for the error if it is used
   */
  record Undefined(String message) implements Value {
    @Override
    public String type() {
      return "Undefined";
    }

    ChatTemplateException error() {
      return new ChatTemplateException(message);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
      return 1;
    }
  }

  /** list, tuple, range, and what else has elements in order. */
  sealed interface Items extends Value permits Array, Tuple, Range {
    List<Value> items();
  }

  /**
   * list.
   *
   * @param weight itself and all elements within it
   * @param depth how deeply they are nested
   */
  record Array(List<Value> items, long weight, int depth) implements Items {
    @Override
    public String type() {
      return "list";
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Array array && array.items.equals(items);
    }

    @Override
    public int hashCode() {
      return items.hashCode();
    }
  }

  /**
   * tuple.
   *
   * @param group whether it is one of the filter {@code groupby}, whose elements have names
   * @param hash computed once: elements may be shared so often that it would never end
   */
  record Tuple(List<Value> items, boolean group, long weight, int depth, int hash)
      implements Items {
    @Override
    public String type() {
      return "tuple";
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Tuple tuple && tuple.hash == hash && tuple.items.equals(items);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /** range; its elements are made when they are asked for. */
  record Range(BigInteger start, BigInteger stop, BigInteger step, List<Value> items)
      implements Items {
    @Override
    public String type() {
      return "range";
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Range range && range.items.equals(items);
    }

    @Override
    public int hashCode() {
      return items.hashCode();
    }
  }

  /** dict, in the order in which keys were added. */
  record Dict(Map<Value, Value> map, long weight, int depth) implements Value {
    @Override
    public String type() {
      return "dict";
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Dict dict && dict.map.equals(map);
    }

    @Override
    public int hashCode() {
      return map.hashCode();
    }
  }

  /**
   * What {@code items}, {@code keys} and {@code values} of a dictionary give.
   *
   * @param what the name of the method
   */
  record View(String what, Dict dict, Collection<Value> elements) implements Value {
    @Override
    public String type() {
      return "dict_" + what;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof View view
          && !what.equals("values")
          && view.what.equals(what)
          && (what.equals("keys")
              ? view.dict.map().keySet().equals(dict.map().keySet())
              : view.dict.equals(dict));
    }

    @Override
    public int hashCode() {
      return dict.hashCode();
    }
  }

  /** A slice between brackets; bounds are None if they are left out. */
  record Slice(Value start, Value stop, Value step) implements Value {
    @Override
    public String type() {
      return "slice";
    }
  }

  /** A generator or another iterator: its elements can be had once. */
  final class Iter implements Value {

    private final String type;
    private final Iterator<Value> elements;

    Iter(String type, Iterator<Value> elements) {
      this.type = type;
      this.elements = elements;
    }

    Iterator<Value> elements() {
      return elements;
    }

    @Override
    public String type() {
      return type;
    }
  }

  /** What {@code namespace()} gives: its attributes can be set. */
  final class Namespace implements Value {

    private final Map<String, Value> attributes = new LinkedHashMap<>();

    Map<String, Value> attributes() {
      return attributes;
    }

    void set(String name, Value value) {
      if (name.startsWith("_")) {
        throw new ChatTemplateException(
            "templates cannot store attributes that begin with an underscore on a namespace, got "
                + Printing.quoted(name));
      }
      attributes.put(name, value);
    }

    @Override
    public String type() {
      return "Namespace";
    }
  }

  /** What can be called. */
  non-sealed interface Callable extends Value {
    Value call(Run run, CallArguments arguments);
  }

  /** The method of a value. */
  record Method(Value owner, String name) implements Callable {
    @Override
    public String type() {
      return "builtin_function_or_method";
    }

    @Override
    public Value call(Run run, CallArguments arguments) {
      return Methods.call(run, owner, name, arguments);
    }
  }

  /** A value with attributes of its own: loop, cycler. */
  non-sealed interface WithAttributes extends Value {
    /** The attribute; null if there is none of this name. */
    Value attribute(Run run, String name);
  }
}
