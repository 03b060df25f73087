package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;

class NativeTokenizersTest {

  private static final String CACHE = "DJL_CACHE_DIR";

  @TempDir private Path folder;

  @Test
  void namesACacheThatIsNotWritable() throws IOException {
    assumeTrue(System.getenv(CACHE) == null, "skipped: the environment comes first");
    Path file = Files.writeString(folder.resolve("file"), "");
    String before = System.getProperty(CACHE);
    System.setProperty(CACHE, file.resolve("cache").toString());
    try {
      String message =
          assertThrows(BadInputException.class, NativeTokenizers::require).getMessage();
      assertTrue(message.contains("cannot be unpacked to " + file.resolve("cache")), message);
      assertTrue(message.contains(CACHE), message);
    } finally {
      if (before == null) {
        System.clearProperty(CACHE);
      } else {
        System.setProperty(CACHE, before);
      }
    }
    NativeTokenizers.require();
  }
}
