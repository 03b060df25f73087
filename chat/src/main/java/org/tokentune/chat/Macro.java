package org.tokentune.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A macro, or the body of a {@code {% call %}} block.
 *
 * @param definition what the template says
 * @param scope where it was defined, whose variables it sees
 */
record Macro(Stmt.Definition definition, Scope scope)
    implements Value.Callable, Value.WithAttributes {

  String name() {
    return definition.name();
  }

  @Override
  public Value call(Run run, CallArguments arguments) {
    List<String> parameters = definition.parameters();
    Map<String, Value> named = new LinkedHashMap<>(arguments.named());
    List<Value> positional = arguments.positional();
    Scope inner = new Scope(scope);
    int defaults = parameters.size() - definition.defaults().size();
    List<Value> given = new ArrayList<>();
    boolean callerGiven = false;
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      given.add(i < positional.size() ? positional.get(i) : named.remove(parameter));
      callerGiven |= parameter.equals("caller");
    }
    if (definition.catchesCaller() && !callerGiven) {
      Value caller = named.remove("caller");
      inner.set(
          "caller",
          caller == null || caller instanceof Value.None
              ? new Value.Undefined("No caller defined")
              : caller);
    }
    if (definition.catchesNamed()) {
      inner.set("kwargs", new CallArguments(List.of(), named).namedAsDict(run));
    } else if (!named.isEmpty()) {
      throw new ChatTemplateException(
          "macro "
              + Printing.quoted(name())
              + " takes no keyword argument "
              + Printing.quoted(named.keySet().iterator().next()));
    }
    if (definition.catchesPositional()) {
      int from = Math.min(parameters.size(), positional.size());
      inner.set(
          "varargs",
          Values.tuple(run.budget(), List.copyOf(positional.subList(from, positional.size()))));
    } else if (positional.size() > parameters.size()) {
      throw new ChatTemplateException(
          "macro "
              + Printing.quoted(name())
              + " takes not more than "
              + parameters.size()
              + " argument(s)");
    }
    run.budget().enter();
    for (int i = 0; i < parameters.size(); i++) {
      Value value = given.get(i);
      if (value == null) {
        value =
            i < defaults
                ? new Value.Undefined(
                    "parameter " + Printing.quoted(parameters.get(i)) + " was not provided")
                : definition.defaults().get(i - defaults).eval(run, inner);
      }
      inner.set(parameters.get(i), value);
    }
    StringBuilder before = run.capture();
    definition.body().run(run, inner);
    run.budget().leave();
    return Value.of(run.release(before));
  }

  @Override
  public Value attribute(Run run, String name) {
    return switch (name) {
      case "name" -> definition.name() == null ? Value.NONE : Value.of(definition.name());
      case "arguments" ->
          Values.tuple(
              run.budget(),
              definition.parameters().stream().map(each -> (Value) Value.of(each)).toList());
      case "catch_kwargs" -> Value.of(definition.catchesNamed());
      case "catch_varargs" -> Value.of(definition.catchesPositional());
      case "caller" -> Value.of(definition.catchesCaller());
      default -> null;
    };
  }

  @Override
  public String type() {
    return "Macro";
  }
}
