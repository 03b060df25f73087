package org.tokentune.langchain4j;

import static org.tokentune.Arguments.required;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.output.Response;
import java.util.List;
import org.tokentune.text.SentenceEncoder;

/**
 * A {@link SentenceEncoder} as an embedding model of langchain4j, for its embedding stores,
 * retrievers and classifiers. It runs in this process.
 *
 * <pre>{@code
 * try (ModelFiles files = Zoo.load("all-minilm-l6-v2");
 *     SentenceEncoder encoder = SentenceEncoder.open(files, null)) {
 *   EmbeddingModel model = new TokenTuneEmbeddingModel("all-minilm-l6-v2", encoder);
 *   Embedding embedding = model.embed("How do I reset my password?").content();
 * }
 * }</pre>
 */
public final class TokenTuneEmbeddingModel extends DimensionAwareEmbeddingModel {

  private final String name;
  private final SentenceEncoder encoder;

  /**
   * Wraps an encoder, which the caller closes.
   *
   * @param name the model's name, which langchain4j reports
   */
  public TokenTuneEmbeddingModel(String name, SentenceEncoder encoder) {
    required(name, "name");
    required(encoder, "encoder");

    this.name = name;
    this.encoder = encoder;
  }

  @Override
  public String modelName() {
    return name;
  }

  /**
   * Embeds texts, in batches of similar lengths.
   *
   * @return one vector per text, in the order of the texts
   * @throws org.tokentune.BadInputException if a text is longer than the model supports and the
   *     model's configuration does not truncate
   */
  @Override
  public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
    required(segments, "segments");

    List<String> texts = segments.stream().map(TextSegment::text).toList();
    return Response.from(encoder.embed(texts).stream().map(Embedding::from).toList());
  }
}
