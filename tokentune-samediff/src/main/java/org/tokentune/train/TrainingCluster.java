package org.tokentune.train;

import static org.tokentune.Arguments.required;

/** Machines that make the steps of trainings, found by {@link java.util.ServiceLoader}. */
public interface TrainingCluster {

  /**
   * What is asked of a cluster.
   *
   * @param master its address, in its own terms, such as {@code local[2]}
   * @param tasks in a step; 0: as many as run at a time in this process, and for machines of their
   *     own it must be given
   * @param syncEvery steps between averages of what tasks update themselves; 1: gradients are added
   *     up in every step, as on one machine
   * @param gradientBits 32, or 16 for gradients that are rounded on their way
   */
  record Settings(String master, int tasks, int syncEvery, int gradientBits) {

    public Settings {
      required(master, "master");
    }
  }

  /** A connection. */
  interface Connection extends TrainingStep.Factory, AutoCloseable {

    /** What runs, and what the last training has sent, in a sentence each. */
    String report();

    @Override
    void close();
  }

  /** Connects to a cluster, or starts one in this process. */
  Connection connect(Settings settings);
}
