package org.tokentune.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.inmemory.InMemoryEmbeddingStore;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tokentune.formats.ModelFiles;
import org.tokentune.text.SentenceEncoder;
import org.tokentune.zoo.Zoo;

class TokenTuneEmbeddingModelTest {

  private static final String MODEL = "all-minilm-l6-v2";

  private static final List<TextSegment> ANSWERS =
      List.of(
          TextSegment.from("Click on 'Forgot password' to choose a new one."),
          TextSegment.from("Parcels arrive within three working days."),
          TextSegment.from("We refund returned goods within two weeks."));

  @Test
  void storeFindsTheAnswer() {
    try (ModelFiles files = Zoo.load(MODEL);
        SentenceEncoder encoder = SentenceEncoder.open(files, null)) {
      EmbeddingModel model = new TokenTuneEmbeddingModel(MODEL, encoder);
      InMemoryEmbeddingStore<TextSegment> store = new InMemoryEmbeddingStore<>();
      store.addAll(model.embedAll(ANSWERS).content(), ANSWERS);
      assertEquals(MODEL, model.modelName());
      assertEquals(384, model.dimension());
      assertAnswer(0, "I cannot log in any more", model, store);
      assertAnswer(1, "When will my order be delivered?", model, store);
      assertAnswer(2, "How do I get my money back?", model, store);
      assertArrayEquals(
          encoder.embed(List.of("When will my order be delivered?")).get(0),
          model.embed("When will my order be delivered?").content().vector());
      assertTrue(model.embedAll(List.of()).content().isEmpty());
    }
  }

  private static void assertAnswer(
      int answer,
      String question,
      EmbeddingModel model,
      InMemoryEmbeddingStore<TextSegment> store) {
    EmbeddingMatch<TextSegment> match =
        store
            .search(
                EmbeddingSearchRequest.builder()
                    .queryEmbedding(model.embed(question).content())
                    .maxResults(1)
                    .build())
            .matches()
            .get(0);
    System.out.printf("%s -> %s (%.3f)%n", question, match.embedded().text(), match.score());
    assertEquals(ANSWERS.get(answer), match.embedded());
  }
}
