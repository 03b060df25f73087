package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.StepReport;

/** Trainings whose Spark is stopped, as Spark itself does at Ctrl-C. */
class StoppedTest {

  @TempDir private Path folder;

  /** Stops Spark after step 2. */
  private static int train(Path base, boolean stopsToo) throws IOException {
    SparkSession spark = SmallModel.spark();
    List<Example> rows = SmallModel.rows(64);
    int[] steps = new int[1];
    FineTuningListener listener =
        new FineTuningListener() {
          private int asked;

          @Override
          public void onStep(StepReport step) {
            steps[0] = step.step();
            if (step.step() == 2) {
              spark.stop();
            }
          }

          /** The signal comes when step 3 has begun. */
          @Override
          public boolean stops() {
            return stopsToo && steps[0] == 2 && asked++ > 0;
          }
        };
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = TextModel.forClasses(files, rows)) {
      model.trainBy(SparkSteps.on(spark, 2));
      model.fineTune(
          new DataSplit(rows, List.of(), List.of()),
          TuningSettings.defaults().withBatchSize(8),
          listener);
    } finally {
      spark.stop();
    }
    return steps[0];
  }

  @Test
  void saysSoInASentence() throws IOException {
    Path base = SmallModel.folder(folder);
    BadInputException e = assertThrows(BadInputException.class, () -> train(base, false));
    System.out.println(e.getMessage());
    assertEquals(
        "Spark was stopped at step 3; start it again, and resume from the last training checkpoint.",
        e.getMessage());
    assertEquals(2, train(base, true), "a training that is being stopped ends with what it has");
  }
}
