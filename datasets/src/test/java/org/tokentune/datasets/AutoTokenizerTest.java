package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.testing.Said;

/** The expected ids were recorded with transformers' AutoTokenizer. */
class AutoTokenizerTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path FIXTURES = Path.of("src/test/resources/tokenizers");
  private static final Path WEIGHTS =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert/model.safetensors");

  @TempDir private Path folder;

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  private static ObjectNode tokenizer(String name) throws IOException {
    return (ObjectNode) JSON.readTree(FIXTURES.resolve(name + ".json").toFile());
  }

  /** Writes a model's folder; the weights are never read. */
  private static Path model(Path folder, String type, JsonNode tokenizer, JsonNode files)
      throws IOException {
    Files.createDirectories(folder);
    ObjectNode config =
        JSON.createObjectNode()
            .put("model_type", type)
            .put("vocab_size", 1000)
            .put("max_position_embeddings", 66)
            .put("type_vocab_size", type.equals("roberta") ? 1 : 2);
    for (String size : List.of("hidden_size", "intermediate_size", "n_embd")) {
      config.put(size, 64);
    }
    for (String count :
        List.of("num_attention_heads", "num_key_value_heads", "num_hidden_layers")) {
      config.put(count, 2);
    }
    config.put("n_head", 2).put("n_layer", 2).put("n_positions", 66);
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    JSON.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer);
    for (Map.Entry<String, JsonNode> file : files.properties()) {
      JSON.writeValue(folder.resolve(file.getKey()).toFile(), file.getValue());
    }
    Files.copy(WEIGHTS, folder.resolve("model.safetensors"));
    return folder;
  }

  @TestFactory
  List<DynamicTest> idsAreAutoTokenizers() throws IOException {
    List<DynamicTest> tests = tests("cases");
    assertTrue(tests.size() > 130);
    return tests;
  }

  /** Of XLM-RoBERTa and DeBERTa-v2, with a map of characters as SentencePiece compiles it. */
  @TestFactory
  List<DynamicTest> idsOfUnigramsAreAutoTokenizers() throws IOException {
    List<DynamicTest> tests = tests("unigram-cases");
    assertEquals(9, tests.size());
    return tests;
  }

  private List<DynamicTest> tests(String cases) throws IOException {
    JsonNode all = JSON.readTree(FIXTURES.resolve(cases + ".json").toFile());
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode one : all.path("cases")) {
      String name =
          "%d %s of a %s, %s%s %s"
              .formatted(
                  tests.size(),
                  one.path("base").asText(),
                  one.path("model_type").asText(),
                  one.path("vocab").asBoolean() ? "vocab.txt, " : "",
                  one.path("patch"),
                  one.path("files"));
      Path at = folder.resolve(cases + tests.size());
      tests.add(DynamicTest.dynamicTest(name, () -> check(all, one, at)));
    }
    return tests;
  }

  private static void check(JsonNode all, JsonNode one, Path at) throws IOException {
    ObjectNode json = tokenizer(one.path("base").asText());
    for (Map.Entry<String, JsonNode> patch : one.path("patch").properties()) {
      ObjectNode object = json;
      String field = patch.getKey();
      if (field.contains(".")) {
        object = (ObjectNode) json.get(field.substring(0, field.indexOf('.')));
        field = field.substring(field.indexOf('.') + 1);
      }
      object.set(field, patch.getValue());
    }
    model(at, one.path("model_type").asText(), json, one.path("files"));
    if (one.path("vocab").asBoolean()) {
      Files.delete(at.resolve("tokenizer.json"));
      String tokens =
          json.at("/model/vocab").properties().stream()
              .sorted(Comparator.comparingInt(token -> token.getValue().asInt()))
              .map(Map.Entry::getKey)
              .collect(Collectors.joining("\n"));
      Files.writeString(at.resolve("vocab.txt"), tokens + "\n");
    }
    try (ModelFiles files = ModelFiles.open(at);
        TextTokenizer tokenizer = TextTokenizer.open(files, 1000, false)) {
      for (int i = 0; i < all.path("texts").size(); i++) {
        String text = all.path("texts").path(i).asText();
        assertArrayEquals(
            ints(one.path("ids").path(i)), tokenizer.encode(text, null).ids(), '"' + text + '"');
      }
      for (int i = 0; i < all.path("pairs").size(); i++) {
        JsonNode pair = all.path("pairs").path(i);
        TextTokenizer.Tokens tokens =
            tokenizer.encode(pair.path(0).asText(), pair.path(1).asText());
        assertArrayEquals(ints(one.path("pairs").path(i)), tokens.ids());
        assertArrayEquals(ints(one.path("types").path(i)), tokens.typeIds());
      }
    }
  }

  /** The library numbers added tokens by their order. */
  @Test
  void numbersAddedTokensLikeTheLibrary() throws IOException {
    ObjectNode json = tokenizer("llama");
    int size = json.at("/model/vocab").size();
    ArrayNode added = (ArrayNode) json.get("added_tokens");
    for (String text : List.of("<new>", "<newer>")) {
      added.addObject().put("id", size + 7).put("content", text).put("special", true);
      for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
        ((ObjectNode) added.get(added.size() - 1)).put(flag, false);
      }
    }
    Path at = model(folder.resolve("n"), "llama", json, JSON.createObjectNode());
    String said =
        Said.by(
            () -> {
              try (ModelFiles files = ModelFiles.open(at);
                  TextTokenizer tokenizer = TextTokenizer.open(files, 1000, false)) {
                assertEquals(size, tokenizer.encodePiece("<new>")[0]);
                assertEquals(size + 1, tokenizer.encodePiece("<newer>")[0]);
              }
            });
    System.out.println(said);
    assertTrue(said.contains("'<new>' the number " + (size + 7) + ", but"), said);
  }

  @Test
  void savesChangesByTheClass() throws IOException {
    ObjectNode json = tokenizer("gpt2");
    Path plain = model(folder.resolve("p"), "gpt2", json, JSON.createObjectNode());
    try (ModelFiles files = ModelFiles.open(plain)) {
      assertArrayEquals(
          Files.readAllBytes(plain.resolve("tokenizer.json")), TokenizerJson.saved(files));
    }
    json.putObject("pre_tokenizer").put("type", "Digits").put("individual_digits", true);
    json.putObject("normalizer").put("type", "Lowercase");
    Path other = model(folder.resolve("o"), "qwen2", json, JSON.createObjectNode());
    try (ModelFiles files = ModelFiles.open(other)) {
      JsonNode saved = JSON.readTree(TokenizerJson.saved(files));
      assertEquals("NFC", saved.at("/normalizer/type").asText());
      assertEquals("Split", saved.at("/pre_tokenizer/pretokenizers/0/type").asText());
      assertEquals("ByteLevel", saved.at("/pre_tokenizer/pretokenizers/1/type").asText());
      TokenizerJson.write(folder, files); // as next to adapters, which have no config.json
      JsonNode config = JSON.readTree(folder.resolve("tokenizer_config.json").toFile());
      assertEquals("Qwen2Tokenizer", config.path("tokenizer_class").asText());
    }
  }

  @Test
  void truncatesTextsLikeTokenizers() throws IOException {
    JsonNode cases = JSON.readTree(FIXTURES.resolve("truncation.json").toFile());
    for (JsonNode one : cases) {
      int first = one.path(0).asInt();
      int second = one.path(1).asInt();
      long[] sequences = new long[second < 0 ? first + 2 : first + second + 4];
      Arrays.fill(sequences, -1);
      for (int i = 0; i < first; i++) {
        sequences[1 + i] = 0;
      }
      for (int i = 0; i < second; i++) {
        sequences[3 + first + i] = 1;
      }
      for (boolean left : new boolean[] {false, true}) {
        int[] kept = Truncation.kept(sequences, one.path(2).asInt(), left);
        List<Integer> texts = new ArrayList<>();
        for (int place : kept) {
          texts.add((int) sequences[place]);
        }
        assertEquals(one.path(3).asInt(), texts.stream().filter(t -> t == 0).count(), one + "");
        assertEquals(one.path(4).asInt(), texts.stream().filter(t -> t == 1).count(), one + "");
        if (one.path(3).asInt() > 0) {
          assertEquals(left ? 1 + first - one.path(3).asInt() : 1, kept[1], "which side stays");
        }
      }
    }
    assertTrue(cases.size() > 50);
  }

  private String assertRejected(Path model, String text, String pair) throws IOException {
    try (ModelFiles files = ModelFiles.open(model);
        TextTokenizer tokenizer = TextTokenizer.open(files, 1000, false)) {
      return assertThrows(BadInputException.class, () -> tokenizer.encode(text, pair)).getMessage();
    }
  }

  @Test
  void namesTokensOutsideTheTable() throws IOException {
    ObjectNode json = tokenizer("bert");
    json.withArray("added_tokens")
        .addObject()
        .put("id", 1000)
        .put("content", "[NEW]")
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", true);
    // Consecutive numbers: the vocabulary has as many tokens as the model.
    ObjectNode vocabulary = (ObjectNode) json.at("/model/vocab");
    for (int id = vocabulary.size(); id < 1000; id++) {
      vocabulary.put("unused" + id, id);
    }
    Path model = model(folder.resolve("m"), "bert", json, JSON.createObjectNode());
    String message = assertRejected(model, "the [NEW] king", null);
    assertTrue(message.contains("'[NEW]', which is number 1000"), message);
    assertTrue(message.contains("has 1000 words"), message);
    try (ModelFiles files = ModelFiles.open(model);
        TextTokenizer tokenizer = TextTokenizer.open(files, 1000, false)) {
      assertTrue(tokenizer.encode("the king", null).ids().length > 3, "others are taken");
      assertThrows(BadInputException.class, () -> tokenizer.encodePiece("[NEW]"));
      assertThrows(BadInputException.class, () -> tokenizer.encodeWords(new String[] {"[NEW]"}));
    }
  }

  /** Settings that leave the {@code tokenizer.json} unchanged. */
  private static ObjectNode asItIs() {
    ObjectNode files = JSON.createObjectNode();
    files.putObject("tokenizer_config.json").put("tokenizer_class", "PreTrainedTokenizerFast");
    return files;
  }

  @Test
  void namesTokenTypesOutsideTheTable() throws IOException {
    ObjectNode json = tokenizer("bert");
    for (JsonNode part : json.at("/post_processor/pair")) {
      ObjectNode inner = (ObjectNode) part.elements().next();
      inner.put("type_id", inner.path("type_id").asInt() * 7);
    }
    ObjectNode settings = asItIs();
    ((ObjectNode) settings.get("tokenizer_config.json"))
        .putArray("model_input_names")
        .add("token_type_ids");
    Path model = model(folder.resolve("b"), "bert", json, settings);
    String message = assertRejected(model, "the king", "hi");
    assertTrue(message.contains("token type 7, but the model has 2 types"), message);
    // A RoBERTa has one type, whatever the tokenizer says.
    Path roberta = model(folder.resolve("r"), "roberta", json, JSON.createObjectNode());
    try (ModelFiles files = ModelFiles.open(roberta);
        TextTokenizer tokenizer = TextTokenizer.open(files, 1000, false)) {
      int[] types = tokenizer.encode("the king", "hi").typeIds();
      assertArrayEquals(new int[types.length], types);
    }
  }

  @Test
  void reportsTextWithoutTokens() throws IOException {
    ObjectNode json = tokenizer("bert");
    ((ObjectNode) json.get("model")).put("unk_token", "<none>");
    Path model = model(folder.resolve("m"), "bert", json, asItIs());
    String message = assertRejected(model, "the # king", null);
    assertTrue(message.contains("cannot tokenise the text \"the # king\""), message);
  }

  @Test
  void rejectsHalfACharacter() throws IOException {
    Path model = model(folder.resolve("m"), "bert", tokenizer("bert"), JSON.createObjectNode());
    String message = assertRejected(model, "the \ud83d king", null);
    assertTrue(message.contains("half a character"), message);
    try (ModelFiles files = ModelFiles.open(model);
        TextTokenizer tokenizer = TextTokenizer.open(files, 1000, false)) {
      assertTrue(tokenizer.encode("the \ud83d\ude00 king", null).ids().length > 4, "a whole one");
    }
  }

  @Test
  void wordsKeepTheirSpaces() throws IOException {
    for (boolean prefix : new boolean[] {false, true}) {
      ObjectNode files = JSON.createObjectNode();
      files.putObject("tokenizer_config.json").put("add_prefix_space", prefix);
      Path model = model(folder.resolve("" + prefix), "roberta", tokenizer("roberta"), files);
      try (ModelFiles opened = ModelFiles.open(model);
          TextTokenizer tokenizer = TextTokenizer.open(opened, 1000, false)) {
        TextTokenizer.Tokens words = tokenizer.encodeWords(new String[] {"hi", "hi", "king"});
        assertArrayEquals(tokenizer.encode("hi hi king", null).ids(), words.ids());
        assertEquals(2, words.words()[words.words().length - 2]);
      }
    }
  }

  @Test
  void collectsAllKnownEndTokens() throws IOException {
    ObjectNode files = JSON.createObjectNode();
    files.putObject("generation_config.json").putArray("eos_token_id").add(7).add(5000);
    files.putObject("tokenizer_config.json").put("eos_token", "hi");
    Path model = model(folder.resolve("m"), "llama", tokenizer("llama"), files);
    ObjectNode config = (ObjectNode) JSON.readTree(model.resolve("config.json").toFile());
    JSON.writeValue(model.resolve("config.json").toFile(), config.put("eos_token_id", 9));
    int hi;
    try (ModelFiles opened = ModelFiles.open(model);
        TextTokenizer tokenizer = TextTokenizer.open(opened, 1000, false)) {
      List<Integer> ends = List.copyOf(tokenizer.ends());
      assertEquals(List.of(9, 7), ends.subList(0, 2), "the configuration's first");
      assertEquals("", tokenizer.decode(ends.get(2)), "the tokenizer's own, a special token");
      assertEquals(2, ends.get(3), "</s>");
      assertEquals(4, ends.size(), "5000 is past the table");
      hi = ends.get(2);
    }
    assertTrue(hi > 2);
  }

  @Test
  void promptsBeginWithTheTokensOfTheTokenizer() throws IOException {
    Path llama = model(folder.resolve("l"), "llama", tokenizer("llama"), JSON.createObjectNode());
    Path gpt2 = model(folder.resolve("g"), "gpt2", tokenizer("gpt2"), JSON.createObjectNode());
    try (ModelFiles one = ModelFiles.open(llama);
        ModelFiles other = ModelFiles.open(gpt2);
        TextTokenizer with = TextTokenizer.open(one, 1000, false);
        TextTokenizer without = TextTokenizer.open(other, 1000, false)) {
      assertEquals(1, with.encodePrompt("hi")[0]);
      assertArrayEquals(new int[] {1}, with.encodePrompt(""));
      assertArrayEquals(with.encode("hi", null).ids(), with.encodePrompt("hi"));
      assertArrayEquals(without.encodePiece("hi"), without.encodePrompt("hi"));
    }
  }

  @Test
  void rejectsClassesThatSplitWordsThemselves() throws IOException {
    ObjectNode files = JSON.createObjectNode();
    files.putObject("tokenizer_config.json").put("tokenizer_class", "BertJapaneseTokenizer");
    Path model = model(folder.resolve("m"), "bert", tokenizer("bert"), files);
    try (ModelFiles opened = ModelFiles.open(model)) {
      BadInputException e =
          assertThrows(BadInputException.class, () -> TextTokenizer.open(opened, 1000, false));
      assertTrue(e.getMessage().contains("tokenizer_class BertJapaneseTokenizer"), e.getMessage());
    }
  }

  @Test
  void theTokenizerMayDecideTheTruncatedSide() throws IOException {
    ObjectNode json = tokenizer("bert");
    json.putObject("truncation")
        .put("direction", "Left")
        .put("max_length", 8)
        .put("strategy", "LongestFirst")
        .put("stride", 0);
    for (String side : List.of("", "right", "left")) {
      ObjectNode files = JSON.createObjectNode();
      if (!side.isEmpty()) {
        files.putObject("tokenizer_config.json").put("truncation_side", side);
      }
      Path model = model(folder.resolve("m" + side), "bert", json, files);
      try (ModelFiles opened = ModelFiles.open(model);
          TextTokenizer whole = TextTokenizer.open(opened, 1000, false);
          TextTokenizer cut = TextTokenizer.open(opened, 5, true)) {
        int[] all = whole.encode("the king and hi", null).ids();
        int from = side.equals("right") ? 1 : all.length - 4;
        int[] expected = Arrays.copyOfRange(all, from - 1, from + 4);
        expected[0] = all[0];
        expected[4] = all[all.length - 1];
        assertArrayEquals(expected, cut.encode("the king and hi", null).ids(), side);
      }
    }
  }
}
