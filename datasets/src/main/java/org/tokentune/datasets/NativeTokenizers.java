package org.tokentune.datasets;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.util.Utils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.BadFileException;

/** Loads the native library of Hugging Face's tokenizers, which DJL unpacks once into a cache. */
final class NativeTokenizers {

  private NativeTokenizers() {}

  /**
   * Checks that the library can be used, because a failure to load it would look like a damaged
   * file.
   *
   * @throws BadFileException that names the folder, if it cannot be used
   */
  static void require() {
    Path cache = Utils.getEngineCacheDir("tokenizers");
    try {
      Files.createDirectories(cache);
      LibUtils.checkStatus();
    } catch (IOException | EngineException | LinkageError e) {
      throw new BadFileException(
          e,
          "The native library of the tokenizers cannot be unpacked to %s, or loaded from there (%s);"
              + " check space and permissions, or set DJL_CACHE_DIR to another folder.",
          cache,
          cause(e));
    }
  }

  private static Throwable cause(Throwable failure) {
    return failure.getCause() == null ? failure : cause(failure.getCause());
  }
}
