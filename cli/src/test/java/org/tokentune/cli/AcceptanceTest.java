package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The long runs in acceptance/ are not part of the build, but must go with it. */
class AcceptanceTest {

  private static final Path FOLDER = Path.of("..", "acceptance");

  @Test
  void programsCompile(@TempDir Path classes) throws Exception {
    List<Path> programs;
    try (Stream<Path> files = Files.list(FOLDER)) {
      programs = files.filter(file -> file.toString().endsWith(".java")).toList();
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter errors = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options = List.of("-proc:none", "-d", classes.toString());
      boolean compiled =
          compiler
              .getTask(
                  errors, files, null, options, null, files.getJavaFileObjectsFromPaths(programs))
              .call();
      assertEquals("", compiled ? "" : errors.toString());
    }
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
