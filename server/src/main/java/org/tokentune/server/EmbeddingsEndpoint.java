package org.tokentune.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import org.tokentune.text.SentenceEncoder;

/** Turns texts into vectors. */
final class EmbeddingsEndpoint implements Call.Endpoint {

  private final ServedModels models;

  EmbeddingsEndpoint(ServedModels models) {
    this.models = models;
  }

  @Override
  public void answer(Call call) throws IOException, InterruptedException {
    RequestFields fields = call.fields();
    ServedEncoder encoder =
        models.find(fields.text("model"), ServedEncoder.class, Paths.EMBEDDINGS);
    JsonNode input = fields.value("input");
    if (input != null && (input.path(0).isNumber() || input.path(0).isArray())) {
      throw ApiException.unsupported(
          "input", "input has token numbers, which are not supported; send texts.");
    }
    List<String> texts = Inputs.checked(fields, "input", fields.texts("input"));
    String format = fields.text("encoding_format");
    boolean base64 = "base64".equals(format);
    if (format != null && !base64 && !format.equals("float")) {
      throw ApiException.bad(
          "encoding_format", "encoding_format must be float or base64, got %.60s.", format);
    }
    Integer dimensions = fields.count("dimensions", 1, Integer.MAX_VALUE);
    fields.ignore(Set.of("user"));
    fields.finish();
    int own = encoder.model().dimension();
    if (dimensions != null && dimensions != own) {
      throw ApiException.unsupported(
          "dimensions",
          "The vectors of %s have %d dimensions, got %d; leave dimensions out.",
          encoder.name(),
          own,
          dimensions);
    }
    List<SentenceEncoder.Embedded> vectors = call.await(encoder.queue().submit(texts));
    ObjectNode answer = Answers.object().put("object", "list");
    ArrayNode data = answer.putArray("data");
    for (int i = 0; i < vectors.size(); i++) {
      ObjectNode one = data.addObject().put("object", "embedding").put("index", i);
      if (base64) {
        one.put("embedding", base64(vectors.get(i).vector()));
      } else {
        ArrayNode numbers = one.putArray("embedding");
        for (float number : vectors.get(i).vector()) {
          numbers.add(number);
        }
      }
    }
    answer.put("model", encoder.name());
    int tokens = vectors.stream().mapToInt(SentenceEncoder.Embedded::tokens).sum();
    answer.putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
    List<Integer> cut = vectors.stream().map(SentenceEncoder.Embedded::cut).toList();
    if (cut.stream().anyMatch(count -> count > 0)) {
      cut.forEach(answer.putArray("cut")::add);
    }
    call.json(answer);
  }

  /** The bytes of 32-bit floats, the lowest first, as numpy reads them. */
  private static String base64(float... vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
