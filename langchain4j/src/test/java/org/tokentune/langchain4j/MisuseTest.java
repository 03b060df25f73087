package org.tokentune.langchain4j;

import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.testing.Misuses;
import org.tokentune.text.SentenceEncoder;
import org.tokentune.zoo.Zoo;

/** What comes out of embeddings of nothing. */
class MisuseTest {

  @Test
  void isRefused() {
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2")) {
      SentenceEncoder encoder = SentenceEncoder.open(files, null);
      TokenTuneEmbeddingModel model = new TokenTuneEmbeddingModel("minilm", encoder);
      Misuses misuses =
          new Misuses(BadInputException.class)
              .refuses(
                  "new TokenTuneEmbeddingModel(null, ..)",
                  "name",
                  () -> new TokenTuneEmbeddingModel(null, encoder))
              .refuses(
                  "new TokenTuneEmbeddingModel(.., null)",
                  "encoder",
                  () -> new TokenTuneEmbeddingModel("minilm", null))
              .refuses("EmbeddingModel.embedAll(null)", "segments", () -> model.embedAll(null))
              .refuses(
                  "EmbeddingModel.embedAll([null])",
                  "segments",
                  () -> model.embedAll(Collections.singletonList(null)));
      encoder.close();
      misuses.refuses(
          "EmbeddingModel.embed after close()", "closed", () -> model.embed("a").content());
      misuses.check();
    }
  }
}
