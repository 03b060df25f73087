package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.Locale;
import org.tokentune.BadSettingsException;

/** Machines that make the steps of trainings, found by {@link java.util.ServiceLoader}. */
public interface TrainingCluster {

  /** The way of gradients from task to task. */
  enum Exchange {
    /** Through the driver, by Spark's own means: it adds them up and makes the updates. */
    SPARK,
    /** From task to task: each adds up a slice of all, and all of them make the same updates. */
    DIRECT;

    /**
     * The exchange that is called so.
     *
     * @throws BadSettingsException if there is none
     */
    public static Exchange of(String word) {
      required(word, "word");

      return Arrays.stream(values())
          .filter(exchange -> exchange.toString().equals(word))
          .findFirst()
          .orElseThrow(
              () -> BadSettingsException.of("exchange", "must be spark or direct, got %s.", word));
    }

    /** The word for it on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What is asked of a cluster.
   *
   * @param master its address, in its own terms, such as {@code local[2]}
   * @param tasks in a step; 0: as many as run at a time in this process, and for machines of their
   *     own it must be given
   * @param syncEvery steps between averages of what tasks update themselves; 1: gradients are added
   *     up in every step, as on one machine
   * @param gradientBits 32, or 16 for gradients that are rounded on their way
   * @param exchange of gradients
   */
  record Settings(String master, int tasks, int syncEvery, int gradientBits, Exchange exchange) {

    public Settings {
      required(master, "master");
      required(exchange, "exchange");
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
