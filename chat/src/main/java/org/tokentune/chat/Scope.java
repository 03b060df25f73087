package org.tokentune.chat;

import java.util.HashMap;
import java.util.Map;

/** Variables of a block, and the scope around it. */
final class Scope {

  private final Scope outer;
  private final Map<String, Value> variables;

  Scope(Scope outer) {
    this(outer, new HashMap<>());
  }

  Scope(Scope outer, Map<String, Value> variables) {
    this.outer = outer;
    this.variables = variables;
  }

  void set(String name, Value value) {
    variables.put(name, value);
  }

  Value get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Value value = scope.variables.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Value.Undefined(Printing.quoted(name) + " is undefined");
  }
}
