package org.tokentune.cli;

import java.util.Iterator;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.tokentune.BadSettingsException;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.TrainingCluster;
import picocli.CommandLine.Option;

/** Options for training on Spark. */
final class ClusterOptions {

  @Option(
      names = "--spark",
      paramLabel = "MASTER",
      description = {
        "Make the steps on Spark, in several tasks: local[2], spark://HOST:7077, or any other master",
        "of Spark; submit: that of spark-submit. Default: in this process."
      })
  private String master;

  @Option(
      names = "--spark-tasks",
      paramLabel = "N",
      description = {
        "Tasks that divide the texts of a step among them; the same number gives the same model on any",
        "number of machines. Default with local[N]: as many as run at a time; otherwise it must be given."
      })
  private int tasks;

  @Option(
      names = "--sync-every",
      paramLabel = "STEPS",
      description = {
        "For slow networks: average parameters and the optimizer's state every so many steps, between",
        "which every task makes its own. Default: 1, gradients are added up in every step."
      })
  private int syncEvery = 1;

  @Option(
      names = "--gradient-bits",
      paramLabel = "16|32",
      description =
          "Bits of gradients on their way: 16 (bfloat16) halve them. Default ${DEFAULT-VALUE}.")
  private int gradientBits = 32;

  @Option(
      names = "--exchange",
      paramLabel = "spark|direct",
      description = {
        "How gradients travel: spark, through the driver, or direct, from task to task, for large ones. Same",
        "result. Default: spark."
      })
  private TrainingCluster.Exchange exchange = TrainingCluster.Exchange.SPARK;

  /**
   * Reports early what would fail later.
   *
   * @param limited whether there is a limit to memory
   */
  void check(Task task, boolean folds, boolean limited) {
    if (master == null) {
      if (tasks != 0
          || syncEvery != 1
          || gradientBits != 32
          || exchange != TrainingCluster.Exchange.SPARK) {
        throw new BadSettingsException(
            "--spark-tasks, --sync-every, --gradient-bits and --exchange are for trainings on Spark; give"
                + " --spark, or leave them out.");
      }
      return;
    }
    if (tasks < 0 || syncEvery < 1) {
      throw new BadSettingsException(
          "--spark-tasks must be at least 0 and --sync-every at least 1, got %d and %d.",
          tasks, syncEvery);
    }
    if (folds) {
      throw new BadSettingsException("--folds is not there on Spark yet; leave one of them out.");
    }
    if (limited) {
      throw new BadSettingsException(
          "--memory and --memory-limit are for one machine, as they plan whole batches and tasks run parts"
              + " of them; leave them out with --spark, and see tokentune memory --executors.");
    }
    if (task.objective() == Objectives.EMBED || task.data() == Task.Data.PREFERENCES) {
      throw new BadSettingsException(
          "--task %s is not there on Spark yet, only tasks whose loss is a mean over texts; leave"
              + " --spark out.",
          task.name());
    }
  }

  /** Connects to Spark; null: steps are made in this process. */
  TrainingCluster.Connection connect() {
    if (master == null) {
      return null;
    }
    try {
      Iterator<TrainingCluster> clusters = ServiceLoader.load(TrainingCluster.class).iterator();
      if (clusters.hasNext()) {
        return clusters
            .next()
            .connect(
                new TrainingCluster.Settings(master, tasks, syncEvery, gradientBits, exchange));
      }
    } catch (ServiceConfigurationError | NoClassDefFoundError e) {
      throw noSpark(e);
    }
    throw noSpark(null);
  }

  private static BadSettingsException noSpark(Throwable cause) {
    return new BadSettingsException(
        cause,
        "--spark needs tokentune-spark and Spark's jars on the class path; give it on the command line of"
            + " the script tokentune, which puts them there, or start with spark-submit.");
  }
}
