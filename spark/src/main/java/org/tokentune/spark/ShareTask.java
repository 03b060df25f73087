package org.tokentune.spark;

import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.tokentune.BadInputException;

/**
 * Runs a share on an executor.
 *
 * @param version of the driver's jar
 * @param run identifies the run
 * @param values of this attempt
 */
record ShareTask(String version, String run, Broadcast<ModelCopy> model, Broadcast<Values> values)
    implements Function<Share, Share.Result> {

  @Override
  public Share.Result call(Share share) throws InterruptedException {
    try {
      JarVersion.check(version);
      return Replica.of(run, model::value).run(share, values.id(), values.value());
    } catch (BadInputException e) {
      return Share.Result.failed(share, e.getMessage());
    }
  }
}
