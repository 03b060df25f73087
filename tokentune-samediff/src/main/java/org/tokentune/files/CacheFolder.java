package org.tokentune.files;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;

/** Where is kept what can be made again, such as tokens and rows of tables. */
public final class CacheFolder {

  private CacheFolder() {}

  /**
   * A folder, which need not exist, in the environment's {@code TOKENTUNE_CACHE}, or in {@code
   * ~/.cache/tokentune}.
   */
  public static Path named(String name) {
    required(name, "name");

    String cache = System.getenv("TOKENTUNE_CACHE");
    return (cache == null
            ? Path.of(System.getProperty("user.home"), ".cache", "tokentune")
            : Path.of(cache))
        .resolve(name);
  }
}
