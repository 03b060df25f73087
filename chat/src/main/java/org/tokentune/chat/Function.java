package org.tokentune.chat;

import java.util.function.BiFunction;

/** A function that templates can call. */
record Function(String name, BiFunction<Run, CallArguments, Value> body) implements Value.Callable {

  @Override
  public Value call(Run run, CallArguments arguments) {
    return body.apply(run, arguments);
  }

  @Override
  public String type() {
    return "function";
  }
}
