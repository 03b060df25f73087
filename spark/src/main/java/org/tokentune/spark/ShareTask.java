package org.tokentune.spark;

import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;

/**
 * Runs a share on an executor.
 *
 * @param run identifies the run
 */
record ShareTask(String run, Broadcast<ModelCopy> model, Broadcast<Values> values)
    implements Function<Share, Share.Result> {

  @Override
  public Share.Result call(Share share) throws InterruptedException {
    return Replica.of(run, model::value).run(share, values.value());
  }
}
