import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.inmemory.InMemoryEmbeddingStore;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.TextFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.langchain4j.TokenTuneEmbeddingModel;
import org.tokentune.text.SentenceEncoder;
import org.tokentune.zoo.Zoo;

/** A sentence encoder behind langchain4j's in-memory store. */
public final class EmbeddingSearch {

  private EmbeddingSearch() {}

  public static void main(String[] args) {
    List<TextSegment> messages =
        TextFiles.read(Path.of("messages.csv"), new Columns(List.of("message"), "team"), true)
            .stream()
            .map(row -> TextSegment.from(row.text()))
            .toList();
    try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
        SentenceEncoder encoder = SentenceEncoder.open(files, null)) {
      EmbeddingModel model = new TokenTuneEmbeddingModel("all-minilm-l6-v2", encoder);
      InMemoryEmbeddingStore<TextSegment> store = new InMemoryEmbeddingStore<>();
      store.addAll(model.embedAll(messages).content(), messages);
      EmbeddingSearchRequest request =
          EmbeddingSearchRequest.builder()
              .queryEmbedding(model.embed("I paid two times").content())
              .maxResults(2)
              .build();
      List<EmbeddingMatch<TextSegment>> found = store.search(request).matches();
      found.forEach(match -> System.out.printf("%.3f %s%n", match.score(), match.embedded().text()));
      if (!found.get(0).embedded().text().contains("charged twice")) {
        throw new IllegalStateException("it should have found the order that was charged twice");
      }
    }
  }
}
