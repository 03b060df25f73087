package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.testing.Programs;

/** The long runs in acceptance/ are not part of the build, but must go with it. */
class AcceptanceTest {

  private static final Path FOLDER = Path.of("..", "acceptance");

  /**
   * Those of Spark compile in its own module: the command line does not depend on it. Those that
   * use other libraries alone, as clients of what is written or served here, do not depend on this
   * build.
   */
  @Test
  void programsCompile(@TempDir Path classes) throws IOException {
    List<Path> programs = new ArrayList<>();
    try (Stream<Path> files = Files.list(FOLDER)) {
      for (Path file : files.filter(one -> one.toString().endsWith(".java")).toList()) {
        boolean ours = Files.readString(file).contains("import org.tokentune.");
        if (ours && !file.getFileName().toString().startsWith("Spark")) {
          programs.add(file);
        }
      }
    }
    assertFalse(programs.isEmpty());
    assertEquals("", Programs.compile(programs, classes));
    System.out.println("acceptance programs that compile: " + programs);
  }

  @Test
  void scriptsAreSound() throws Exception {
    try (Stream<Path> files = Files.list(FOLDER)) {
      for (Path script : files.filter(file -> file.toString().endsWith(".sh")).toList()) {
        Process check = new ProcessBuilder("bash", "-n", script.toString()).inheritIO().start();
        assertEquals(0, check.waitFor(), script.toString());
      }
    }
  }
}
