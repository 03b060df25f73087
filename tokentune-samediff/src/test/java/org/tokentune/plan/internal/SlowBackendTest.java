package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SlowBackendTest {

  /** Paths as JavaCPP 1.5.7 reports them. */
  @Test
  void knowsThePlainBuildForX86ByItsPath() {
    String openBlas = "/home/a/.javacpp/cache/openblas-linux-x86_64.jar/libopenblas.so.0";
    for (String platform : List.of("linux-x86_64", "windows-x86_64", "macosx-x86_64")) {
      String plain = path(platform);
      assertEquals(Optional.of(plain), SlowBackend.plainBuild(List.of(openBlas, plain)), platform);
      String fast = path(platform + "-onednn-avx2");
      assertEquals(Optional.empty(), SlowBackend.plainBuild(List.of(openBlas, fast)), platform);
    }
    for (String platform : List.of("linux-arm64", "macosx-arm64")) {
      assertEquals(Optional.empty(), SlowBackend.plainBuild(List.of(path(platform))), platform);
    }
  }

  private static String path(String platform) {
    return "/home/a/.javacpp/cache/nd4j-native-"
        + platform
        + ".jar/"
        + platform
        + "/libjnind4jcpu.so";
  }
}
