package org.tokentune.cli;

import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import picocli.CommandLine.ITypeConverter;

/**
 * A task on the command line: an objective, by its short name, {@code instruct}, {@code chat} or
 * {@code dpo}.
 *
 * @param data what its rows are
 */
record Task(String name, Objective objective, Data data) {

  /** What rows are. */
  enum Data {
    /** What the objective says. */
    OWN,
    INSTRUCTIONS,
    CHATS,
    PREFERENCES
  }

  private static final List<Task> ALL =
      Stream.concat(
              Objectives.TASKS.stream().map(Task::of),
              Stream.of(
                  new Task("instruct", Objectives.CAUSAL_LM, Data.INSTRUCTIONS),
                  new Task("chat", Objectives.CAUSAL_LM, Data.CHATS),
                  new Task("dpo", Objectives.DPO, Data.PREFERENCES)))
          .toList();

  /** The task that has this objective and no data of its own. */
  static Task of(Objective objective) {
    return new Task(objective.shortName(), objective, Data.OWN);
  }

  @Override
  public String toString() {
    return name;
  }

  /** Finds a task by its name. */
  static final class Converter implements ITypeConverter<Task> {

    @Override
    public Task convert(String value) {
      return Words.find(ALL, value);
    }
  }

  /** The names of all tasks. */
  static final class Names implements Iterable<String> {

    @Override
    public Iterator<String> iterator() {
      return ALL.stream().map(Task::name).iterator();
    }
  }
}
