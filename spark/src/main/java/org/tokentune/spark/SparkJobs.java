package org.tokentune.spark;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/** Spark's jobs of a run: each takes values and a share for every task, and returns results. */
final class SparkJobs implements AutoCloseable {

  /** What Spark puts before the message of a task's exception. */
  private static final Pattern TASK = Pattern.compile("^.*Lost task .*?\\): (?:[\\w.$]+: )?");

  /** How an exception begins if an executor does not have the classes of this library. */
  private static final Pattern NO_JAR =
      Pattern.compile(
          "(ClassNotFoundException|NoClassDefFoundError|InvalidClassException): org[./]tokentune");

  private final SparkSteps steps;
  private final JavaSparkContext context;
  private final String run;
  private final Broadcast<ModelCopy> model;
  private final String version = JarVersion.own();
  private Traffic traffic;

  SparkJobs(SparkSteps steps, ModelCopy copy) {
    this.steps = steps;
    context = steps.context();
    run = copy.run();
    model = context.broadcast(copy);
    report(new Traffic(0, copy.bytes(), 0, 0, 0, 0));
  }

  /**
   * What the tasks return, in their order. An attempt that fails is made again, from the same
   * values.
   *
   * @param shares without an attempt yet, in the order of the tasks
   * @param first number of the first step, from 0
   * @param count of steps
   */
  List<Share.Result> run(List<Share> shares, Values values, int first, int count) {
    try {
      return attempts(shares, values, first, count);
    } catch (BadInputException e) {
      throw e;
    } catch (Exception e) { // Scala declares none of those that it throws
      if (context.sc().isStopped()) {
        throw new BadInputException(
            e,
            "Spark was stopped at step %d; start it again, and resume from the last training checkpoint.",
            first + 1);
      }
      throw e;
    }
  }

  private List<Share.Result> attempts(List<Share> shares, Values values, int first, int count) {
    for (int number = 1; ; number++) {
      Share.Attempt attempt = new Share.Attempt(run, first, number);
      List<Share> attempted =
          shares.stream().map(share -> new Share(attempt, share.part(), share.steps())).toList();
      try {
        List<Share.Result> results = results(attempted, values, first);
        check(attempted, results);
        report(
            new Traffic(
                traffic.steps() + count,
                traffic.model(),
                traffic.values() + values.bytes(),
                traffic.inputs() + shares.stream().mapToLong(Share::bytes).sum(),
                traffic.gradients() + results.stream().mapToLong(Share.Result::bytes).sum(),
                traffic.repeated() + number - 1));
        return results;
      } catch (ExecutionException e) {
        if (NO_JAR.matcher(String.valueOf(e.getMessage())).find()) {
          throw new BadInputException(
              e,
              "The executors do not have the driver's jar of tokentune-spark (%s); give it to them with"
                  + " spark.jars, or start with spark-submit.",
              reason(e));
        }
        if (number >= steps.options().attempts() || context.sc().isStopped()) {
          throw new BadInputException(
              e,
              "Step %d failed %d times on Spark (%s); look into the executors' logs, and resume from the"
                  + " last training checkpoint.",
              first + 1,
              number,
              reason(e));
        }
        Warnings.warn("Step %d failed on Spark and is made again (%s).", first + 1, reason(e));
      }
    }
  }

  private List<Share.Result> results(List<Share> shares, Values values, int step)
      throws ExecutionException {
    Broadcast<Values> sent = context.broadcast(values);
    try {
      JavaFutureAction<List<Share.Result>> job =
          context
              .parallelize(shares, shares.size())
              .map(new ShareTask(version, run, model, sent))
              .collectAsync();
      try {
        return job.get(steps.options().timeout().toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        job.cancel(true);
        throw new BadInputException(
            e,
            "Spark has not made step %d in %d seconds; look for executors that are missing or hang, and"
                + " resume from the last training checkpoint, or give steps more time.",
            step + 1,
            steps.options().timeout().toSeconds());
      } catch (InterruptedException e) {
        job.cancel(true);
        Thread.currentThread().interrupt();
        throw new BadInputException(e, "The training was interrupted at step %d.", step + 1);
      }
    } finally {
      destroy(sent);
    }
  }

  /** Each share must be answered once, by this attempt. */
  private static void check(List<Share> shares, List<Share.Result> results) {
    for (Share.Result result : results) {
      if (result.problem() != null) {
        throw new BadInputException("%s", result.problem());
      }
    }
    boolean complete = results.size() == shares.size();
    for (int i = 0; complete && i < shares.size(); i++) {
      complete =
          results.get(i).attempt().equals(shares.get(i).attempt())
              && results.get(i).part() == shares.get(i).part();
    }
    if (!complete) {
      throw new IllegalStateException("Spark returned other results than those asked for");
    }
  }

  /**
   * The innermost cause in what Spark says: its first line ends with the exception of the task, its
   * class before the message.
   */
  private static String reason(ExecutionException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    String line = String.valueOf(cause.getMessage()).lines().findFirst().orElse("no message");
    return TASK.matcher(line).replaceFirst("");
  }

  private void report(Traffic sent) {
    traffic = sent;
    steps.report(sent);
  }

  @Override
  public void close() {
    destroy(model);
    Replica.forget(run);
  }

  /** Frees what executors hold, unless Spark is stopped, even meanwhile. */
  private void destroy(Broadcast<?> sent) {
    try {
      if (!context.sc().isStopped()) {
        sent.destroy();
      }
    } catch (Exception e) { // Scala declares none of those that it throws
      if (!context.sc().isStopped()) {
        throw e;
      }
    }
  }
}
