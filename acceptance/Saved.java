import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.formats.ModelFiles;
import org.tokentune.cli.TokenTune;
import org.tokentune.datasets.TextTokenizer;
import picocli.CommandLine;

/**
 * What saved.sh runs: {@code COMMANDS TOKENIZERS TEXTS IDS} runs tokentune's commands, an array of
 * arguments a line, and writes the ids of texts by the tokenizers of models, an object of folders.
 */
class Saved {

  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) throws IOException {
    int exit = 0;
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      if (new CommandLine(TokenTune.class).execute(JSON.readValue(line, String[].class)) != 0) {
        System.err.println("FAILED: " + line);
        exit = 1;
      }
    }
    JsonNode texts = read(arguments[2]);
    ObjectNode ids = JSON.createObjectNode();
    read(arguments[1])
        .properties()
        .forEach(
            model -> {
              Path folder = Path.of(model.getValue().asText());
              if (Files.exists(folder)) {
                ids.set(model.getKey(), ids(folder, texts));
              }
            });
    JSON.writeValue(Path.of(arguments[3]).toFile(), ids);
    System.exit(exit);
  }

  private static JsonNode read(String file) throws IOException {
    return JSON.readTree(Path.of(file).toFile());
  }

  private static ArrayNode ids(Path folder, JsonNode texts) {
    ArrayNode all = JSON.createArrayNode();
    try (ModelFiles files = ModelFiles.open(folder);
        TextTokenizer tokenizer = TextTokenizer.open(files, Integer.MAX_VALUE, false)) {
      for (JsonNode text : texts) {
        ArrayNode one = all.addArray();
        for (int id : tokenizer.encode(text.asText(), null).ids()) {
          one.add(id);
        }
      }
    }
    return all;
  }
}
