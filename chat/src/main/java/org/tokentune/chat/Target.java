package org.tokentune.chat;

import java.util.Iterator;
import java.util.List;

/** What a value is assigned to. */
sealed interface Target {

  void assign(Run run, Scope scope, Value value);

  /** A variable. */
  record Variable(String name) implements Target {
    @Override
    public void assign(Run run, Scope scope, Value value) {
      scope.set(name, value);
    }
  }

  /** An attribute of a namespace. */
  record OfNamespace(String namespace, String attribute) implements Target {
    @Override
    public void assign(Run run, Scope scope, Value value) {
      if (scope.get(namespace) instanceof Value.Namespace found) {
        found.set(attribute, value);
      } else {
        throw new ChatTemplateException("cannot assign attribute on non-namespace object");
      }
    }
  }

  /** Several targets for the elements of one value. */
  record Several(List<Target> targets) implements Target {
    @Override
    public void assign(Run run, Scope scope, Value value) {
      if (!Values.isIterable(value)) {
        throw new ChatTemplateException("cannot unpack non-iterable " + value.type() + " object");
      }
      List<Value> values = new java.util.ArrayList<>(targets.size());
      Iterator<Value> each = Values.iterate(value);
      while (each.hasNext() && values.size() <= targets.size()) {
        values.add(each.next());
      }
      if (values.size() > targets.size()) {
        throw new ChatTemplateException(
            "too many values to unpack (expected " + targets.size() + ")");
      } else if (values.size() < targets.size()) {
        throw new ChatTemplateException(
            "not enough values to unpack (expected "
                + targets.size()
                + ", got "
                + values.size()
                + ")");
      }
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).assign(run, scope, values.get(i));
      }
    }
  }
}
