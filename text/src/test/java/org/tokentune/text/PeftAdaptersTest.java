package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.BadInputException;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.bench.Parity;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.SafeTensorsWriter;

/** Models with adapters that PEFT wrote, on texts: made by acceptance/peft_fixtures.py. */
class PeftAdaptersTest {

  private static final Path PEFT = Path.of("../tokentune-samediff/src/test/resources/peft");
  private static final int WORDS = 32;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path temp;

  /** A base with a tokenizer of the words w0, w1, ..., which adds nothing to a text. */
  private Path base(String name) throws IOException {
    Path folder = Files.createDirectory(temp.resolve(name));
    for (String file : List.of(ModelFolder.CONFIG, ModelFolder.WEIGHTS)) {
      Files.copy(PEFT.resolve(name).resolve(file), folder.resolve(file));
    }
    ObjectNode tokenizer = JSON.createObjectNode().put("version", "1.0");
    tokenizer.putArray("added_tokens");
    tokenizer.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
    ObjectNode model = tokenizer.putObject("model").put("type", "WordLevel").put("unk_token", "w0");
    ObjectNode vocabulary = model.putObject("vocab");
    for (int i = 0; i < WORDS; i++) {
      vocabulary.put("w" + i, i);
    }
    JSON.writeValue(folder.resolve(ModelFolder.TOKENIZER).toFile(), tokenizer);
    return folder;
  }

  /** The texts of a case. */
  private static List<String> texts(String adapters) {
    INDArray ids = read(adapters, "input_ids");
    List<String> texts = new ArrayList<>();
    for (int row = 0; row < ids.rows(); row++) {
      texts.add(
          Arrays.stream(ids.getRow(row).toIntVector())
              .mapToObj(id -> "w" + id)
              .collect(Collectors.joining(" ")));
    }
    return texts;
  }

  private static INDArray read(String adapters, String tensor) {
    try (SafeTensors file = SafeTensors.open(PEFT.resolve(adapters).resolve("case.safetensors"))) {
      return file.read(tensor);
    }
  }

  private static List<Prediction> predict(Path base, String adapters) {
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = TextModel.open(files, PEFT.resolve(adapters))) {
      return model.predict(texts(adapters));
    }
  }

  /** The base has no classifier, and the adapters no configuration of one. */
  @Test
  void predictsWithAClassifierOfTheAdapters() throws IOException {
    Path encoder = base("encoder");
    INDArray probabilities = Transforms.softmax(read("encoder-classes", "logits"));
    List<Prediction> classes = predict(encoder, "encoder-classes");
    for (int row = 0; row < classes.size(); row++) {
      assertEquals(3, classes.get(row).scores().size());
      for (int i = 0; i < 3; i++) {
        double score = classes.get(row).scores().get("LABEL_" + i);
        assertEquals(probabilities.getDouble(row, i), score, 1e-5);
      }
    }
    INDArray numbers = read("encoder-number", "logits");
    List<Prediction> values = predict(encoder, "encoder-number");
    for (int row = 0; row < values.size(); row++) {
      assertEquals(numbers.getDouble(row, 0), values.get(row).scores().get("LABEL_0"), 1e-5);
      assertEquals(List.of(), values.get(row).labels());
    }
    int[] best = read("encoder-tags", "logits").argMax(2).reshape(-1).toIntVector();
    List<String> tags = new ArrayList<>();
    predict(encoder, "encoder-tags").forEach(prediction -> tags.addAll(prediction.labels()));
    assertEquals(Arrays.stream(best).mapToObj(tag -> "LABEL_" + tag).toList(), tags);
  }

  @Test
  void takesTheLabelsOfTheBaseIfThereAreAsMany() throws IOException {
    Path encoder = base("encoder");
    ObjectNode config = (ObjectNode) ModelFolder.config(encoder);
    config.putObject("id2label").put("0", "no").put("1", "yes").put("2", "perhaps");
    JSON.writeValue(encoder.resolve(ModelFolder.CONFIG).toFile(), config);
    assertTrue(predict(encoder, "encoder-classes").get(0).scores().containsKey("perhaps"));
    assertTrue(predict(encoder, "encoder-tags").get(0).labels().get(0).startsWith("LABEL_"));
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path encoder = base("encoder");
    Path llama = base("llama");
    refuses("has a classifier to predict with", () -> predict(encoder, "encoder-words"));
    Path unlabelled = Files.createDirectory(temp.resolve("adapters"));
    Files.copy(
        PEFT.resolve("encoder-tags").resolve(AdapterFolder.WEIGHTS),
        unlabelled.resolve(AdapterFolder.WEIGHTS));
    ObjectNode config =
        (ObjectNode) ModelFolder.configFile(PEFT.resolve("encoder-tags/adapter_config.json"));
    JSON.writeValue(unlabelled.resolve(AdapterFolder.CONFIG).toFile(), config.putNull("task_type"));
    refuses(
        "does not say for which task it was trained",
        () -> {
          try (ModelFiles files = ModelFolder.open(encoder)) {
            TextModel.open(files, unlabelled);
          }
        });
    Map<String, INDArray> weights = new LinkedHashMap<>();
    try (SafeTensors file = SafeTensors.open(encoder.resolve(ModelFolder.WEIGHTS))) {
      file.names().stream()
          .filter(name -> !name.contains("pooler"))
          .forEach(name -> weights.put(name, file.read(name)));
    }
    Files.delete(encoder.resolve(ModelFolder.WEIGHTS));
    SafeTensorsWriter.write(encoder.resolve(ModelFolder.WEIGHTS), weights);
    refuses("has the tensor bert.pooler.dense.weight", () -> predict(encoder, "encoder-classes"));
    refuses("is a decoder, on which no classifier is supported", () -> predict(llama, "plain"));
    refuses(
        "was trained for another task than text",
        () -> {
          try (ModelFiles files = ModelFolder.open(llama);
              LanguageModel model = LanguageModel.open(files, null)) {
            model.openAdapter(PEFT.resolve("encoder-classes"));
          }
        });
  }

  private static void refuses(String sentence, Runnable what) {
    String message = assertThrows(BadInputException.class, what::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(sentence), message);
  }

  /** Adapters that part a tied head from its table: saved whole, it is not tied. */
  @Test
  void savesWhatIsNoLongerTied() throws IOException {
    Path base = base("llama-tied");
    for (String adapters : List.of("tied-table", "tied-head", "tied-both", "kept-tied-both")) {
      Path whole = temp.resolve(adapters + "-whole");
      Path again = temp.resolve(adapters + "-again");
      try (ModelFiles files = ModelFolder.open(base);
          LanguageModel model = LanguageModel.open(files, null)) {
        model.openAdapter(PEFT.resolve(adapters));
        model.save(whole);
        model.saveAdapter(again);
      }
      boolean tied = ModelFolder.config(whole).get("tie_word_embeddings").asBoolean();
      assertEquals(adapters.equals("kept-tied-both"), tied);
      for (Path saved : List.of(whole, again)) {
        Path file = saved.resolve("case.safetensors");
        Files.copy(PEFT.resolve(adapters).resolve("case.safetensors"), file);
        for (Parity.Row row : new Parity(saved).compare(file)) {
          assertTrue(row.within(1e-5), adapters + " " + row);
        }
      }
    }
  }

  /** PEFT's users have the tokenizer beside their adapters, and transformers no config.json. */
  @Test
  void writesTheTokenizerBesideAdapters() throws IOException {
    Path base = base("llama");
    Files.writeString(base.resolve("chat_template.jinja"), "{{ messages }}");
    Files.writeString(base.resolve("tokenizer_config.json"), "{\"pad_token\": \"w0\"}");
    Files.writeString(base.resolve("generation_config.json"), "{\"eos_token_id\": 2}");
    Path written = temp.resolve("written");
    for (int i = 0; i < 2; i++) { // the second replaces the first
      try (ModelFiles files = ModelFolder.open(base);
          LanguageModel model = LanguageModel.open(files, null)) {
        model.addAdapter(LoraConfig.on("q_proj"), 1);
        model.saveAdapter(written);
      }
    }
    try (var entries = Files.list(written)) {
      assertEquals(
          List.of(
              "adapter_config.json",
              "adapter_model.safetensors",
              "chat_template.jinja",
              "tokenizer.json",
              "tokenizer_config.json"),
          entries.map(file -> file.getFileName().toString()).sorted().toList());
    }
    JsonNode config = ModelFolder.configFile(written.resolve(AdapterFolder.CONFIG));
    assertEquals(base.toAbsolutePath().toString(), config.get("base_model_name_or_path").asText());
    assertEquals("{{ messages }}", Files.readString(written.resolve("chat_template.jinja")));
    assertFalse(config.has("use_rslora"));
  }
}
