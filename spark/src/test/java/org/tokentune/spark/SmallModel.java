package org.tokentune.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.sql.SparkSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.datasets.Example;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.text.TextModel;

/** A small random BERT (that of the golden numbers), texts for it, and Spark in this process. */
final class SmallModel {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");

  private SmallModel() {}

  static SparkSession spark() {
    return SparkSession.builder()
        .master("local[4]")
        .appName("tokentune")
        .config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.plugins", Faults.class.getName())
        .config("spark.sql.warehouse.dir", Path.of("target/warehouse").toUri().toString())
        .getOrCreate();
  }

  static Path folder(Path parent) throws IOException {
    Path folder = Files.createDirectories(parent.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), folder.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"),
        folder.resolve(ModelFolder.TOKENIZER));
    return folder;
  }

  /** Texts of about 8 or 16 words, one of which is good or bad. */
  static List<Example> rows(int count) {
    Random random = new Random(4);
    List<Example> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> words = new ArrayList<>();
      int length = List.of(7, 15).get(random.nextInt(2)) - random.nextInt(2); // few plans
      for (int word = 0; word < length; word++) {
        words.add(List.of("the", "cat", "dog", "bird", "red", "blue").get(random.nextInt(6)));
      }
      String mood = random.nextBoolean() ? "good" : "bad";
      words.add(random.nextInt(words.size()), mood);
      rows.add(new Example(String.join(" ", words), mood));
    }
    return rows;
  }

  /** All weights as they are saved. */
  static Map<String, INDArray> weights(TextModel model, Path folder) {
    model.save(folder);
    Map<String, INDArray> weights = new LinkedHashMap<>();
    try (SafeTensors file = SafeTensors.open(folder.resolve(ModelFolder.WEIGHTS))) {
      file.names().forEach(name -> weights.put(name, file.read(name)));
    }
    return weights;
  }
}
