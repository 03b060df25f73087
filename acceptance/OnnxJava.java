import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ai.djl.inference.Predictor;
import ai.djl.translate.NoopTranslator;
import dev.langchain4j.model.embedding.onnx.OnnxEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * Vectors of an ONNX folder in langchain4j and DJL against those of ./tokentune embed --json; see
 * onnx-java.sh. Usage: OnnxJava FOLDER EMBEDDED.json
 */
final class OnnxJava {

  private static final double MOST = 1e-5;

  private OnnxJava() {}

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    JsonNode wanted = new ObjectMapper().readTree(Path.of(arguments[1]).toFile()).path("embeddings");
    Criteria<NDList, NDList> criteria =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optModelPath(folder)
            .optModelName("model")
            .optEngine("OnnxRuntime")
            .optTranslator(new NoopTranslator())
            .build();
    double ofLangchain = 0;
    double ofDjl = 0;
    try (HuggingFaceTokenizer tokenizer =
            HuggingFaceTokenizer.newInstance(
                folder.resolve("tokenizer.json"), Map.of("truncation", "false", "padding", "false"));
        ZooModel<NDList, NDList> model = criteria.loadModel();
        Predictor<NDList, NDList> predictor = model.newPredictor()) {
      // DJL's engine must be the first: it does not start where onnxruntime runs already.
      OnnxEmbeddingModel langchain =
          new OnnxEmbeddingModel(
              folder.resolve("model.onnx"), folder.resolve("tokenizer.json"), PoolingMode.MEAN);
      for (JsonNode one : wanted) {
        String text = one.path("text").asText();
        ofLangchain = Math.max(ofLangchain, difference(one, langchain.embed(text).content().vector()));
        Encoding encoding = tokenizer.encode(text);
        NDList inputs = new NDList();
        for (Map.Entry<String, long[]> input :
            Map.of(
                    "input_ids", encoding.getIds(),
                    "attention_mask", encoding.getAttentionMask(),
                    "token_type_ids", encoding.getTypeIds())
                .entrySet()) {
          NDArray array = model.getNDManager().create(new long[][] {input.getValue()});
          array.setName(input.getKey());
          inputs.add(array);
        }
        NDArray vector = predictor.predict(inputs).get(1);
        if (!vector.getName().equals("sentence_embedding")) {
          throw new IllegalStateException("output 1 is " + vector.getName());
        }
        ofDjl = Math.max(ofDjl, difference(one, vector.toFloatArray()));
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%s: vectors of %d texts differ by %.1e in langchain4j's OnnxEmbeddingModel and by %.1e in DJL%n",
        folder.getFileName(),
        wanted.size(),
        ofLangchain,
        ofDjl);
    System.exit(wanted.isEmpty() || ofLangchain > MOST || ofDjl > MOST ? 1 : 0);
  }

  private static double difference(JsonNode wanted, float[] found) {
    double worst = wanted.path("vector").size() == found.length ? 0 : Double.POSITIVE_INFINITY;
    for (int i = 0; i < found.length; i++) {
      worst = Math.max(worst, Math.abs(found[i] - wanted.path("vector").path(i).asDouble()));
    }
    return worst;
  }
}
