package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.files.Folders;
import org.tokentune.files.RunFolder;
import org.tokentune.objectives.Metric;

/**
 * Trainings of several methods, kept in a folder as they end: {@code results.json}, and for each
 * its log and result.
 */
final class MethodRuns {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final StateFile state;
  private final Budget budget;
  private final List<MethodRun> done = new ArrayList<>();

  /** The folder that keeps two comparisons from writing into one. */
  private static final String LOCK = ".reproduce";

  /**
   * A score of a training.
   *
   * @param task name
   * @param metric what the score is
   * @param evaluation arguments of evaluate; empty: the score is the training's own
   */
  record Scoring(String task, Metric metric, List<String> evaluation) {}

  /**
   * A training to do.
   *
   * @param training arguments of train, without seed and output; empty: the model stays as it is
   * @param base the model that is trained
   */
  record Planned(
      FineTuning method, long seed, List<String> training, String base, List<Scoring> scorings) {

    private String name(Scoring scoring) {
      return scoring.task() + "-" + method.toString().replace('+', '-') + "-" + seed;
    }
  }

  /**
   * @param setup what all trainings have in common; those of another setup are not mixed with them
   * @param budget no training begins that would not end in this time
   */
  MethodRuns(Path folder, ObjectNode setup, Budget budget) {
    this.folder = folder;
    state = new StateFile(folder.resolve("results.json"), setup, "runs");
    this.budget = budget;
  }

  /** Reads what was done before. */
  private void resume(PrintWriter out) {
    done.addAll(state.read(MethodRun.class));
    if (!done.isEmpty()) {
      out.printf(Locale.ROOT, "Going on after %d trainings.%n", done.size());
      out.flush();
    }
  }

  /** What was done, in this order. */
  List<MethodRun> done() {
    return List.copyOf(done);
  }

  /** The setup and what was done. */
  ObjectNode state() {
    return state.state(done);
  }

  /** Trains what is not done; returns false if it was interrupted. */
  boolean run(List<Planned> planned, PrintWriter out) {
    RunFolder lock = RunFolder.lock(folder.resolve(LOCK));
    try {
      resume(out);
      for (Planned next : planned) {
        if (next.scorings().stream().allMatch(scoring -> isDone(next, scoring))) {
          continue;
        }
        if (!fits(next)) {
          out.println("The budget is used up.");
          return true;
        }
        List<MethodRun> runs = train(next);
        if (runs.isEmpty()) {
          return false;
        }
        if (done.isEmpty() && !runs.get(0).ended()) {
          throw new BadInputException("The first training failed: %s", runs.get(0).message());
        }
        add(next, runs, out);
      }
      return true;
    } finally {
      lock.close();
    }
  }

  private void add(Planned planned, List<MethodRun> runs, PrintWriter out) {
    for (MethodRun run : runs) {
      done.removeIf(old -> isOf(old, planned, run.task()));
      done.add(run);
      out.printf(
          Locale.ROOT,
          "%s, %s, seed %d: %s, %.0f s%n",
          run.task(),
          run.method(),
          run.seed(),
          run.ended() ? String.format(Locale.ROOT, "%.4f", run.score()) : run.message(),
          run.seconds());
    }
    out.flush();
    state.write(done);
  }

  private boolean isDone(Planned planned, Scoring scoring) {
    return done.stream().anyMatch(run -> isOf(run, planned, scoring.task()));
  }

  private static boolean isOf(MethodRun run, Planned planned, String task) {
    return run.task().equals(task)
        && run.method().equals(planned.method().toString())
        && run.seed() == planned.seed();
  }

  /** Whether a training would end in time, judging by the longest so far of its tasks. */
  private boolean fits(Planned next) {
    List<String> tasks = next.scorings().stream().map(Scoring::task).toList();
    double used = done.stream().mapToDouble(MethodRun::seconds).sum();
    double longest =
        done.stream()
            .filter(run -> tasks.contains(run.task()))
            .mapToDouble(MethodRun::seconds)
            .max()
            .orElse(0);
    return budget.fits(used, longest);
  }

  /** Trains and scores; returns nothing if it was interrupted. */
  private List<MethodRun> train(Planned planned) {
    Path model = folder.resolve("model");
    String name = planned.name(planned.scorings().get(0));
    Path result = folder.resolve(name + ".json");
    LoggedCommand training = new LoggedCommand(0, 0, "");
    try {
      Folders.delete(model);
      JsonNode trained = JSON.missingNode();
      if (!planned.training().isEmpty()) {
        List<String> arguments = new ArrayList<>(List.of("train"));
        arguments.addAll(planned.training());
        arguments.addAll(List.of("--seed=" + planned.seed(), "--output=" + model, json(result)));
        training = LoggedCommand.run(folder.resolve(name + ".log"), arguments);
        trained = training.code() == 0 ? JSON.readTree(result.toFile()) : trained;
      }
      List<MethodRun> runs = new ArrayList<>();
      for (Scoring scoring : planned.scorings()) {
        LoggedCommand scored = training;
        double seconds = training.seconds();
        JsonNode scores = trained;
        if (training.code() == 0 && !scoring.evaluation().isEmpty()) {
          String own = planned.name(scoring) + "-scores";
          Path file = folder.resolve(own + ".json");
          List<String> arguments = evaluation(planned, scoring, model);
          arguments.add(json(file));
          scored = LoggedCommand.run(folder.resolve(own + ".log"), arguments);
          seconds += scored.seconds();
          scores = scored.code() == 0 ? JSON.readTree(file.toFile()) : JSON.missingNode();
        }
        if (scored.interrupted()) {
          return List.of();
        }
        runs.add(run(planned, scoring, scores, seconds, MethodRun.megabytes(trained), scored));
      }
      Folders.delete(model);
      return runs;
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be used: %s.", folder, e.getMessage());
    }
  }

  private static MethodRun run(
      Planned planned,
      Scoring scoring,
      JsonNode scores,
      double seconds,
      double megabytes,
      LoggedCommand command) {
    String field = ScoresReport.field(scoring.metric());
    JsonNode score = scores.path(field);
    String message = command.code() != 0 ? command.message() : missing(field, score);
    return new MethodRun(
        scoring.task(),
        planned.method().toString(),
        planned.seed(),
        scoring.metric(),
        message.isEmpty() ? score.asDouble() : null,
        seconds,
        megabytes,
        message);
  }

  /** Why a result has no score; empty if it has one. */
  private static String missing(String field, JsonNode score) {
    if (score.isNumber()) {
      return "";
    }
    return score.isNull()
        ? field + " is undefined: labels or predictions do not vary"
        : "its result has no " + field;
  }

  private static String json(Path file) {
    return "--json=" + file;
  }

  private static List<String> evaluation(Planned planned, Scoring scoring, Path model) {
    List<String> arguments = new ArrayList<>(List.of("evaluate"));
    arguments.addAll(scoring.evaluation());
    boolean whole = !planned.training().isEmpty() && !planned.method().adapters();
    arguments.add("--model=" + (whole ? model : planned.base()));
    if (planned.method().adapters()) {
      arguments.add("--adapter=" + model);
    }
    if (planned.method().quantised()) {
      arguments.add("--weights=nf4");
    }
    return arguments;
  }
}
