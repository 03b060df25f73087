package org.tokentune.plan.internal;

import java.util.Collection;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.tokentune.Warnings;

/**
 * Warns where ND4J runs its plain build for x86 processors: without oneDNN, matrix products take
 * about four times as long.
 */
final class SlowBackend {

  private SlowBackend() {}

  /** Logs once per process; ND4J must have been loaded. */
  static void warn() {
    plainBuild(Loader.getLoadedLibraries().values())
        .ifPresent(
            library ->
                Warnings.warn(
                    "ND4J runs its build without oneDNN (%s), which multiplies matrices four times"
                        + " slower; depend on org.tokentune:tokentune-cpu instead of nd4j-native.",
                    library));
  }

  /** The path of ND4J's plain build for x86 among loaded libraries. */
  static Optional<String> plainBuild(Collection<String> libraries) {
    return libraries.stream()
        .filter(path -> path != null && path.contains("nd4jcpu") && path.contains("x86_64"))
        .findFirst()
        .filter(path -> !path.contains("onednn"));
  }
}
