package org.tokentune.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.WeightStorage;
import org.tokentune.testing.Misuses;

/** What makes no server. */
class MisuseTest {

  @TempDir private Path folder;

  private static ServerSettings settings(int port, int queue, int timeout) {
    return new ServerSettings("127.0.0.1", port, null, 1000, 10, queue, timeout, 4, 1, 100);
  }

  @Test
  void isRefused() throws IOException {
    ServerSettings any = ServerSettings.defaults().withAddress("127.0.0.1", 0);
    ServedFiles named = ServedFiles.named("small");
    Path encoder = SmallModels.copy("bert", folder);
    try (ModelFiles files = ModelFolder.open(encoder);
        ModelFiles answers = ModelFolder.open(SmallModels.copy("bert-qa", folder))) {
      new Misuses(BadInputException.class)
          .refuses("port 65536", "port", () -> settings(65_536, 4, 4))
          .refuses("no queue", "queue", () -> settings(1, 0, 4))
          .refuses("no time", "timeout", () -> settings(1, 4, 0))
          .refuses("an empty key", "apiKey", () -> any.withApiKey(""))
          .refuses("a key with a line break", "apiKey", () -> any.withApiKey("a\nb"))
          .refuses("no bytes", "maxBody", () -> any.withRequestLimits(0, 1, 1))
          .refuses("no tokens", "maxTokens", () -> any.withRequestLimits(1, 0, 1))
          .refuses("no texts at once", "batchSize", () -> any.withBatches(0, 1))
          .refuses("waiting before it began", "batchWait", () -> any.withBatches(1, -1))
          .refuses("no room for keys", "cacheTokens", () -> any.withCacheTokens(1))
          .refuses("a blank name", "name", () -> ServedFiles.named(" "))
          .refuses(
              "adapters of the model's name",
              "small",
              () -> named.withAdapters(Map.of("small", folder)))
          .refuses(
              "an unknown host",
              "host",
              () -> ModelServer.start(files, named, any.withAddress("nowhere.invalid", 0)))
          .refuses(
              "another machine's address",
              "192.0.2.1",
              () -> ModelServer.start(files, named, any.withAddress("192.0.2.1", 0)))
          .refuses(
              "no adapters there",
              "nowhere",
              () ->
                  ModelServer.start(
                      files, named.withAdapters(Map.of("tuned", folder.resolve("nowhere"))), any))
          .refuses(
              "chats with an encoder",
              "template",
              () ->
                  ModelServer.start(
                      files,
                      new ServedFiles("small", Map.of(), WeightStorage.FLOAT32, "chatml", null),
                      any))
          .refuses(
              "a model that answers questions",
              "answers questions",
              () -> ModelServer.start(answers, named, any))
          .check();
    }
  }
}
