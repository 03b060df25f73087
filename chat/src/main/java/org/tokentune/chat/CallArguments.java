package org.tokentune.chat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a function, filter or test is called with.
 *
 * @param positional the arguments without a name
 * @param named the arguments with one, in order
 */
record CallArguments(List<Value> positional, Map<String, Value> named) {

  static final CallArguments NO_ARGUMENTS = new CallArguments(List.of(), Map.of());

  /**
   * The arguments in the order of the parameters, as Python binds them.
   *
   * @param function its name, for errors
   * @param required how many parameters must be given
   * @param parameters the names of all
   * @return null where a parameter is not given
   */
  Value[] bind(String function, int required, String... parameters) {
    if (positional.size() > parameters.length) {
      throw new ChatTemplateException(
          function
              + " takes at most "
              + parameters.length
              + " arguments, "
              + positional.size()
              + " given");
    }
    Value[] bound = new Value[parameters.length];
    for (int i = 0; i < positional.size(); i++) {
      bound[i] = positional.get(i);
    }
    for (Map.Entry<String, Value> entry : named.entrySet()) {
      int i = List.of(parameters).indexOf(entry.getKey());
      if (i < 0) {
        throw new ChatTemplateException(
            function + " got an unexpected keyword argument '" + entry.getKey() + "'");
      } else if (bound[i] != null) {
        throw new ChatTemplateException(
            function + " got multiple values for argument '" + entry.getKey() + "'");
      }
      bound[i] = entry.getValue();
    }
    for (int i = 0; i < required; i++) {
      if (bound[i] == null) {
        throw new ChatTemplateException(
            function + " is missing its argument '" + parameters[i] + "'");
      }
    }
    return bound;
  }

  /** For methods of Python that take no named arguments. */
  Value[] bindPositional(String function, int required, int most) {
    if (!named.isEmpty()) {
      throw new ChatTemplateException(function + "() takes no keyword arguments");
    }
    if (positional.size() < required || positional.size() > most) {
      throw new ChatTemplateException(
          function + "() got a wrong number of arguments: " + positional.size());
    }
    Value[] bound = new Value[most];
    for (int i = 0; i < positional.size(); i++) {
      bound[i] = positional.get(i);
    }
    return bound;
  }

  Value.Dict namedAsDict(Run run) {
    Map<Value, Value> map = new LinkedHashMap<>();
    named.forEach((name, value) -> map.put(Value.of(name), value));
    return Values.dict(run.budget(), map);
  }
}
