package org.tokentune.chat;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** A statement of a template, or text between statements. */
sealed interface Stmt {

  /** How a statement ended. */
  enum End {
    NORMAL,
    BREAK,
    CONTINUE
  }

  End run(Run run, Scope scope);

  /** Statements in order. */
  record Block(List<Stmt> statements) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      for (Stmt statement : statements) {
        End end = statement.run(run, scope);
        if (end != End.NORMAL) {
          return end;
        }
      }
      return End.NORMAL;
    }
  }

  /** Text as it is. */
  record Data(String text) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.budget().step();
      run.write(text);
      return End.NORMAL;
    }
  }

  /** {{ value }} and {% print value, value %}. */
  record Output(List<Expr> values, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      for (Expr value : values) {
        run.write(Printing.str(run, value.eval(run, scope)));
      }
      return End.NORMAL;
    }
  }

  /** {% if %}, with {% elif %} as an if in the else. */
  record If(Expr test, Block then, Block otherwise, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      return Values.isTrue(test.eval(run, scope))
          ? then.run(run, scope)
          : otherwise.run(run, scope);
    }
  }

  /** {% break %} and {% continue %}. */
  record Jump(End end) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      return end;
    }
  }

  /** {% set target = value %}. */
  record Set(Target target, Expr value, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      target.assign(run, scope, value.eval(run, scope));
      return End.NORMAL;
    }
  }

  /**
   * {% set target %}...{% endset %}.
   *
   * @param filter what changes the text, on the operand null; null if nothing does
   */
  record SetBlock(Target target, Expr filter, Block body, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      Scope inner = new Scope(scope);
      StringBuilder before = run.capture();
      End end = body.run(run, inner);
      Value text = Value.of(run.release(before));
      if (end == End.NORMAL) {
        target.assign(run, scope, filter == null ? text : filtered(run, inner, filter, text));
      }
      return end;
    }
  }

  private static Value filtered(Run run, Scope scope, Expr filter, Value text) {
    Expr.Filter last = (Expr.Filter) filter;
    return last.apply(
        run, scope, last.operand() == null ? text : filtered(run, scope, last.operand(), text));
  }

  /** {% filter name %}...{% endfilter %}. */
  record FilterBlock(Expr filter, Block body, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      Scope inner = new Scope(scope);
      StringBuilder before = run.capture();
      End end = body.run(run, inner);
      Value text = Value.of(run.release(before));
      if (end == End.NORMAL) {
        Value changed = filtered(run, inner, filter, text);
        if (!(changed instanceof Value.Text written)) {
          throw new ChatTemplateException(
              "a filter block gives " + changed.type() + " where a text is expected");
        }
        run.write(written.value());
      }
      return end;
    }
  }

  /** {% with a = b %}...{% endwith %}. */
  record With(List<Target> targets, List<Expr> values, Block body, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      Scope inner = new Scope(scope);
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).assign(run, inner, values.get(i).eval(run, scope));
      }
      return body.run(run, inner);
    }
  }

  /** {% generation %}...{% endgeneration %}: text that is noted as the model's own. */
  record Generation(Block body, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      int start = run.position();
      body.run(run, new Scope(scope));
      run.generated(start);
      return End.NORMAL;
    }
  }

  /**
   * What a macro or call block says.
   *
   * @param name null for a call block
   * @param defaults of the last parameters
   * @param catchesCaller whether the body uses {@code caller}
   * @param catchesNamed whether it uses {@code kwargs}
   * @param catchesPositional whether it uses {@code varargs}
   */
  record Definition(
      String name,
      List<String> parameters,
      List<Expr> defaults,
      Block body,
      boolean catchesCaller,
      boolean catchesNamed,
      boolean catchesPositional) {}

  /** {% macro name() %}...{% endmacro %}. */
  record MacroBlock(Definition definition, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      scope.set(definition.name(), new Macro(definition, scope));
      return End.NORMAL;
    }
  }

  /** {% call macro() %}...{% endcall %}. */
  record CallBlock(Expr.Call call, Definition caller, int line) implements Stmt {
    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      Value text = call.call(run, scope, Map.of("caller", new Macro(caller, scope)));
      run.write(Printing.str(run, text));
      return End.NORMAL;
    }
  }

  /** {% for target in elements if test %}...{% else %}...{% endfor %}; the test may be null. */
  record For(
      Target target,
      Expr elements,
      Expr test,
      boolean recursive,
      Block body,
      Block otherwise,
      int line)
      implements Stmt {

    @Override
    public End run(Run run, Scope scope) {
      run.at(line);
      Value values = elements.eval(run, scope);
      if (recursive) {
        run.write(Printing.str(run, recurse(run, scope, values, 0)));
      } else {
        loop(run, scope, values, 0);
      }
      return End.NORMAL;
    }

    private Value recurse(Run run, Scope scope, Value values, int depth) {
      run.budget().enter();
      StringBuilder before = run.capture();
      loop(run, scope, values, depth);
      run.budget().leave();
      return Value.of(run.release(before));
    }

    private void loop(Run run, Scope scope, Value values, int depth) {
      Iterator<Value> each = Values.iterate(values);
      Loop loop =
          new Loop(
              test == null ? each : new Filtered(run, scope, each),
              test == null ? Values.length(values) : -1,
              recursive ? (more, deeper) -> recurse(run, scope, more, deeper) : null,
              depth);
      boolean none = true;
      while (loop.hasNext()) {
        run.budget().step();
        Scope inner = new Scope(scope);
        inner.set("loop", loop);
        target.assign(run, inner, loop.next());
        End end = body.run(run, inner);
        if (end == End.BREAK) {
          break;
        }
        // As in Jinja2, a round that `continue` ended does not count for `else`.
        none &= end == End.CONTINUE;
      }
      if (none) {
        otherwise.run(run, new Scope(scope));
      }
    }

    /** The elements for which the test holds, each tested when it is fetched. */
    private final class Filtered implements Iterator<Value> {

      private final Run run;
      private final Scope scope;
      private final Iterator<Value> each;
      private Value next;

      Filtered(Run run, Scope scope, Iterator<Value> each) {
        this.run = run;
        this.scope = scope;
        this.each = each;
      }

      @Override
      public boolean hasNext() {
        while (next == null && each.hasNext()) {
          run.budget().step();
          Value candidate = each.next();
          Scope inner = new Scope(scope);
          target.assign(run, inner, candidate);
          if (Values.isTrue(test.eval(run, inner))) {
            next = candidate;
          }
        }
        return next != null;
      }

      @Override
      public Value next() {
        if (!hasNext()) {
          throw new java.util.NoSuchElementException();
        }
        Value value = next;
        next = null;
        return value;
      }
    }
  }
}
