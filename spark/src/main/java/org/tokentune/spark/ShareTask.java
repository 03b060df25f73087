package org.tokentune.spark;

import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.tokentune.BadInputException;

/**
 * Runs a share on an executor.
 *
 * @param version of the driver's jar
 * @param run identifies the run
 * @param values of this attempt
 * @param place where the tasks of this attempt meet, to exchange gradients; null: they do not
 */
record ShareTask(
    String version,
    String run,
    Broadcast<ModelCopy> model,
    Broadcast<Values> values,
    Meeting.Place place)
    implements Function<Share, Share.Result> {

  @Override
  public Share.Result call(Share share) throws InterruptedException {
    try {
      JarVersion.check(version);
      Replica replica = Replica.of(run, model::value);
      return place == null
          ? replica.run(share, values.id(), values.value(), GradientExchange.NONE)
          : exchanging(share, replica);
    } catch (BadInputException e) {
      fail(share, e.getMessage());
      return Share.Result.failed(share, e.getMessage(), false);
    } catch (ExchangeException e) {
      return Share.Result.failed(share, e.getMessage(), true);
    } catch (RuntimeException | Error e) {
      fail(share, e.toString());
      throw e;
    }
  }

  /** Runs a share whose gradients are exchanged with other tasks. */
  private Share.Result exchanging(Share share, Replica replica)
      throws ExchangeException, InterruptedException {
    if (TaskContext.get().attemptNumber() > 0) { // the others may have gone on without it
      String why = "Spark has lost task " + share.part() + " and started it again";
      fail(share, why);
      throw new ExchangeException(why);
    }
    try (Peers peers = replica.meet(place, share.part())) {
      Share.Result result = replica.run(share, values.id(), values.value(), peers);
      peers.end();
      return result;
    }
  }

  /** Tells the other tasks, which would wait for this one. */
  private void fail(Share share, String why) throws InterruptedException {
    if (place != null) {
      Peers.fail(place, share.part(), why);
    }
  }
}
