package org.tokentune.spark;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
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

  /** Nanoseconds between two looks at a job that runs. */
  private static final long LOOKS = 1_000_000_000L;

  /** Nanoseconds after which it is said that tasks are missing. */
  private static final long WARNS = 15 * LOOKS;

  /** Nanoseconds in which tasks end after one of them has failed. */
  private static final long ENDS = 60 * LOOKS;

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
    report(new Traffic(0, copy.bytes(), 0, 0, 0, 0, 0));
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
      ExecutionException cause = null;
      String reason;
      try {
        Answer answer = answer(attempted, values, attempt);
        if (answer.failure() == null) {
          check(attempted, answer.results());
          report(
              new Traffic(
                  traffic.steps() + count,
                  traffic.model(),
                  traffic.values() + values.bytes(),
                  traffic.inputs() + shares.stream().mapToLong(Share::bytes).sum(),
                  traffic.gradients()
                      + answer.results().stream().mapToLong(Share.Result::bytes).sum(),
                  traffic.exchanged()
                      + answer.results().stream()
                          .map(Share.Result::exchanged)
                          .filter(Objects::nonNull)
                          .mapToLong(Share.Exchanged::received)
                          .sum(),
                  traffic.repeated() + number - 1));
          return answer.results();
        }
        reason = answer.failure();
      } catch (ExecutionException e) {
        if (NO_JAR.matcher(String.valueOf(e.getMessage())).find()) {
          throw new BadInputException(
              e,
              "The executors do not have the driver's jar of tokentune-spark (%s); give it to them with"
                  + " spark.jars, or start with spark-submit.",
              reason(e));
        }
        cause = e;
        reason = reason(e);
      }
      if (number >= steps.options().attempts() || context.sc().isStopped()) {
        throw new BadInputException(
            cause,
            "Step %d failed %d times on Spark (%s); look into the executors' logs, and resume from the"
                + " last training checkpoint.",
            first + 1,
            number,
            reason);
      }
      Warnings.warn("Step %d failed on Spark and is made again (%s).", first + 1, reason);
    }
  }

  /**
   * What a job has come to.
   *
   * @param failure why it must be made again; null if all tasks have done their work
   */
  private record Answer(List<Share.Result> results, String failure) {}

  private Answer answer(List<Share> shares, Values values, Share.Attempt attempt)
      throws ExecutionException {
    Broadcast<Values> sent = context.broadcast(values);
    long seconds = steps.options().timeout().toSeconds();
    try (Meeting meeting =
        steps.options().direct() ? new Meeting(attempt, shares.size(), seconds) : null) {
      JavaFutureAction<List<Share.Result>> job =
          context
              .parallelize(shares, shares.size())
              .map(
                  new ShareTask(
                      version, run, model, sent, meeting == null ? null : meeting.place()))
              .collectAsync();
      try {
        List<Share.Result> results = results(job, meeting, attempt.step());
        return new Answer(results, failure(results, meeting));
      } catch (InterruptedException e) {
        job.cancel(true);
        Thread.currentThread().interrupt();
        throw new BadInputException(
            e, "The training was interrupted at step %d.", attempt.step() + 1);
      }
    } finally {
      destroy(sent);
    }
  }

  /**
   * Why tasks that exchange gradients have failed, which may go well another time; null if they
   * have not, or if another time it would be the same.
   */
  private static String failure(List<Share.Result> results, Meeting meeting) {
    boolean inVain =
        results.stream().anyMatch(result -> result.problem() != null && !result.again());
    if (meeting == null || inVain) {
      return null;
    }
    Optional<String> ofTask =
        results.stream().filter(Share.Result::again).map(Share.Result::problem).findFirst();
    return meeting.failure() == null ? ofTask.orElse(null) : meeting.failure();
  }

  /**
   * Waits for the results of a job.
   *
   * @param meeting of its tasks; null if they do not meet
   * @return nothing if the tasks have failed, and the job does not end
   */
  private List<Share.Result> results(
      JavaFutureAction<List<Share.Result>> job, Meeting meeting, int step)
      throws ExecutionException, InterruptedException {
    long start = System.nanoTime();
    long most = steps.options().timeout().toNanos();
    while (true) {
      try {
        return job.get(Math.min(most, LOOKS), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        long silent = System.nanoTime() - (meeting == null ? start : meeting.lastSign());
        if (meeting != null && meeting.failure() != null && silent > ENDS) {
          job.cancel(true);
          return List.of();
        }
        if (silent > most) {
          job.cancel(true);
          throw late(e, meeting, step);
        }
        if (meeting != null && meeting.arrived() < meeting.place().tasks() && silent > WARNS) {
          Warnings.warn("Still waiting: %s.", meeting.missing());
        }
      }
    }
  }

  private BadInputException late(TimeoutException cause, Meeting meeting, int step) {
    long seconds = steps.options().timeout().toSeconds();
    return meeting == null
        ? new BadInputException(
            cause,
            "Spark has not made step %d in %d seconds; look for executors that are missing or hang, and"
                + " resume from the last training checkpoint, or give steps more time.",
            step + 1,
            seconds)
        : new BadInputException(
            cause,
            "Spark has not gone on in %d seconds: %s. Resume from the last training checkpoint, or give"
                + " steps more time.",
            seconds,
            meeting.missing());
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
