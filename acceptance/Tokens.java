import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.datasets.TextTokenizer;

/** What tokenizer_roundtrip.sh runs: {@code TEXTS IDS FOLDER...} writes the ids of texts. */
class Tokens {

  public static void main(String[] arguments) throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode texts = json.readTree(new File(arguments[0]));
    ObjectNode all = json.createObjectNode();
    for (int i = 2; i < arguments.length; i++) {
      Path folder = Path.of(arguments[i]);
      try (ModelFiles files = ModelFiles.open(folder);
          TextTokenizer tokenizer = TextTokenizer.open(files, Integer.MAX_VALUE, false)) {
        ArrayNode ids = all.putArray(folder.getFileName().toString());
        for (JsonNode text : texts) {
          ArrayNode one = ids.addArray();
          for (int id : tokenizer.encode(text.asText(), null).ids()) {
            one.add(id);
          }
        }
      }
    }
    json.writeValue(new File(arguments[1]), all);
  }
}
