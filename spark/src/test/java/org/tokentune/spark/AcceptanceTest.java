package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.testing.Programs;

/** The program of acceptance/spark.sh, which no other module can compile. */
class AcceptanceTest {

  @Test
  void programCompiles(@TempDir Path classes) throws IOException {
    Path program = Path.of("..", "acceptance", "SparkRuns.java");
    assertEquals("", Programs.compile(List.of(program), classes));
    System.out.println("compiles: " + program);
  }
}
