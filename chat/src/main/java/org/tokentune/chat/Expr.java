package org.tokentune.chat;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An expression of a template. */
sealed interface Expr {

  Value eval(Run run, Scope scope);

  /** A number, text, True, False or None. */
  record Constant(Value value) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      return value;
    }
  }

  /** A variable. */
  record Name(String name) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      run.budget().step();
      return scope.get(name);
    }
  }

  /** [a, b]. */
  record ListOf(List<Expr> items) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      return Values.list(run.budget(), all(items, run, scope));
    }
  }

  /** (a, b). */
  record TupleOf(List<Expr> items) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      return Values.tuple(run.budget(), all(items, run, scope));
    }
  }

  /** {a: b}. */
  record DictOf(List<Expr> keys, List<Expr> values) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      run.budget().steps(1L + keys.size());
      Map<Value, Value> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        Value key = keys.get(i).eval(run, scope);
        Value value = values.get(i).eval(run, scope);
        map.put(Values.key(key), value);
      }
      return Values.dict(run.budget(), map);
    }
  }

  /** not a. */
  record Not(Expr operand) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      return Value.of(!Values.isTrue(operand.eval(run, scope)));
    }
  }

  /** -a or +a. */
  record Signed(boolean negative, Expr operand) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      run.budget().step();
      Value value = operand.eval(run, scope);
      return negative ? Operators.negative(value) : Operators.positive(value);
    }
  }

  /** a + b and the other operators of arithmetic. */
  record Binary(String operator, Expr left, Expr right) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      run.budget().step();
      Value first = left.eval(run, scope);
      return Operators.binary(run, operator, first, right.eval(run, scope));
    }
  }

  /** a ~ b: both as texts. */
  record Concatenation(List<Expr> parts) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      run.budget().step();
      StringBuilder text = new StringBuilder();
      for (Value part : all(parts, run, scope)) {
        text.append(Printing.str(run, part));
      }
      run.budget().characters(text.length());
      return Value.of(text.toString());
    }
  }

  /** a and b; a or b. */
  record Logical(boolean and, Expr left, Expr right) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      Value first = left.eval(run, scope);
      return Values.isTrue(first) == and ? right.eval(run, scope) : first;
    }
  }

  /** a < b <= c: each operand is evaluated once, and none after the first comparison that fails. */
  record Comparison(Expr first, List<String> operators, List<Expr> operands) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      Value left = first.eval(run, scope);
      for (int i = 0; i < operators.size(); i++) {
        run.budget().step();
        Value right = operands.get(i).eval(run, scope);
        if (!holds(run, operators.get(i), left, right)) {
          return Value.FALSE;
        }
        left = right;
      }
      return Value.TRUE;
    }

    private static boolean holds(Run run, String operator, Value left, Value right) {
      return switch (operator) {
        case "==" -> Operators.isEqual(run, left, right);
        case "!=" -> !Operators.isEqual(run, left, right);
        case "in" -> Operators.contains(run, left, right);
        case "not in" -> !Operators.contains(run, left, right);
        default -> Operators.compare(run, operator, left, right);
      };
    }
  }

  /**
   * a if b else c.
   *
   * @param otherwise null if there is no else
   */
  record Conditional(Expr test, Expr then, Expr otherwise, int line) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      if (Values.isTrue(test.eval(run, scope))) {
        return then.eval(run, scope);
      }
      return otherwise == null
          ? new Value.Undefined(
              "the inline if-expression on line "
                  + line
                  + " evaluated to false and no else section was defined.")
          : otherwise.eval(run, scope);
    }
  }

  /** a|name(...). */
  record Filter(Expr operand, String name, Arguments arguments) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      Value value = operand.eval(run, scope);
      return apply(run, scope, value);
    }

    /** For filters over blocks, which have no operand. */
    Value apply(Run run, Scope scope, Value value) {
      run.budget().step();
      return Filters.apply(run, name, value, arguments.eval(run, scope));
    }
  }

  /** a is name(...). */
  record Test(Expr operand, String name, Arguments arguments) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      run.budget().step();
      Value value = operand.eval(run, scope);
      return Value.of(Tests.apply(run, name, value, arguments.eval(run, scope)));
    }
  }

  /** a.name. */
  record Attribute(Expr owner, String name) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      run.budget().step();
      return Attributes.attribute(run, owner.eval(run, scope), name);
    }
  }

  /** a[key]. */
  record Item(Expr owner, Expr key) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      run.budget().step();
      Value value = owner.eval(run, scope);
      return Attributes.item(run, value, key.eval(run, scope));
    }
  }

  /**
   * start:stop:step.
   *
   * @param start null, as the others, if it is left out
   */
  record SliceOf(Expr start, Expr stop, Expr step) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      return new Value.Slice(
          start == null ? Value.NONE : start.eval(run, scope),
          stop == null ? Value.NONE : stop.eval(run, scope),
          step == null ? Value.NONE : step.eval(run, scope));
    }
  }

  /** a(...). */
  record Call(Expr callee, Arguments arguments) implements Expr {
    @Override
    public Value eval(Run run, Scope scope) {
      return call(run, scope, Map.of());
    }

    /** With named arguments that are not in the template: the caller of a call block. */
    Value call(Run run, Scope scope, Map<String, Value> more) {
      run.budget().step();
      Value function = callee.eval(run, scope);
      CallArguments given = arguments.eval(run, scope);
      if (!more.isEmpty()) {
        Map<String, Value> named = new LinkedHashMap<>(given.named());
        named.putAll(more);
        given = new CallArguments(given.positional(), named);
      }
      if (function instanceof Value.Callable callable) {
        return callable.call(run, given);
      }
      Operators.defined(function);
      throw new ChatTemplateException("'" + function.type() + "' object is not callable");
    }
  }

  /**
   * What stands between the parentheses of a call.
   *
   * @param star a sequence of more arguments after {@code *}, or null
   * @param doubleStar a dictionary of more arguments after {@code **}, or null
   */
  record Arguments(List<Expr> positional, Map<String, Expr> named, Expr star, Expr doubleStar) {

    static final Arguments NONE = new Arguments(List.of(), Map.of(), null, null);

    CallArguments eval(Run run, Scope scope) {
      if (positional.isEmpty() && named.isEmpty() && star == null && doubleStar == null) {
        return CallArguments.NO_ARGUMENTS;
      }
      List<Value> values = all(positional, run, scope);
      if (star != null) {
        for (Iterator<Value> each = Values.iterate(star.eval(run, scope)); each.hasNext(); ) {
          run.budget().step();
          values.add(each.next());
        }
      }
      Map<String, Value> names = new LinkedHashMap<>();
      named.forEach((name, value) -> names.put(name, value.eval(run, scope)));
      if (doubleStar != null) {
        Value more = doubleStar.eval(run, scope);
        if (!(more instanceof Value.Dict dict)) {
          throw new ChatTemplateException(
              "argument after ** must be a mapping, not " + more.type());
        }
        dict.map()
            .forEach(
                (name, value) -> {
                  if (!(name instanceof Value.Text text)) {
                    throw new ChatTemplateException("keywords must be strings");
                  }
                  if (names.put(text.value(), value) != null) {
                    throw new ChatTemplateException(
                        "got multiple values for keyword argument "
                            + Printing.quoted(text.value()));
                  }
                });
      }
      return new CallArguments(values, names);
    }
  }

  private static List<Value> all(List<Expr> items, Run run, Scope scope) {
    run.budget().step();
    List<Value> values = new ArrayList<>(items.size());
    for (Expr item : items) {
      values.add(item.eval(run, scope));
    }
    return values;
  }
}
