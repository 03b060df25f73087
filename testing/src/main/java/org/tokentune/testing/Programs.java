package org.tokentune.testing;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Compiles programs that are not part of the build, but must go with it. */
public final class Programs {

  private Programs() {}

  /**
   * Compiles programs with the class path of the running tests.
   *
   * @param classes where the classes go
   * @return what the compiler says; empty if all compile
   */
  public static String compile(List<Path> programs, Path classes) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter errors = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options = List.of("-proc:none", "-d", classes.toString());
      boolean compiled =
          compiler
              .getTask(
                  errors, files, null, options, null, files.getJavaFileObjectsFromPaths(programs))
              .call();
      return compiled ? "" : errors.toString();
    }
  }
}
