package org.tokentune.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.Vocabulary;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;
import org.tokentune.formats.WeightSource;
import org.tokentune.generate.CachedDecoder;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;

/** Files that are written are read as the same model; {@code acceptance/gguf.sh} runs llama.cpp. */
class GgufExportTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");

  @TempDir private Path folder;

  /** llama.cpp ends the process on a table of places or of token types in fewer bits. */
  @Test
  void tablesThatAreAddedStayFloats() throws IOException {
    Path model = Files.createDirectories(folder.resolve("model"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve("bert/" + file), model.resolve(file));
    }
    Path tokenizer = Path.of("../datasets/src/test/resources/tokenizer.json");
    Files.copy(tokenizer, model.resolve("tokenizer.json"));
    try (ModelFiles encoder = ModelFiles.open(model)) {
      int layers = encoder.config().path("num_hidden_layers").asInt();
      String line = GgufExport.model(encoder, GgufType.F16, folder.resolve("x.gguf")).get(0);
      System.out.println(line);
      String counts =
          String.format(Locale.ROOT, "(%d in f32, %d in f16)", 4 + 10 * layers, 1 + 6 * layers);
      assertTrue(line.contains(counts), line);
    }
  }

  /** The files are of llama.cpp's own converter, and of the gguf package. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "tiny-f32",
        "qwen3",
        "qwen3-yarn",
        "smollm3",
        "olmo2",
        "phi3",
        "phi3-longrope",
        "gemma2",
        "gemma3",
        "granite"
      })
  void filesOfLlamaCppsConverterStayWhatTheyAre(String name) {
    Path file = folder.resolve(name + ".gguf");
    try (ModelFiles original = ModelFiles.open(GOLDEN.resolve("gguf/" + name + ".gguf"))) {
      GgufExport.model(original, GgufType.F32, file).forEach(System.out::println);
      try (ModelFiles written = ModelFiles.open(file)) {
        assertEquals(original.config(), written.config());
        assertEquals(original.tokenizer(), written.tokenizer());
        assertEquals(original.weights().names(), written.weights().names());
        boolean gains = name.startsWith("gemma"); // 1 is subtracted and added again
        for (String tensor : original.weights().names()) {
          float[] wanted = values(original.weights(), tensor);
          float[] found = values(written.weights(), tensor);
          assertArrayEquals(wanted, found, gains ? 1e-6f : 0, tensor);
        }
      }
    }
  }

  private record Without(WeightSource source, String tensor) implements WeightSource {

    @Override
    public Set<String> names() {
      Set<String> names = new HashSet<>(source.names());
      names.remove(tensor);
      return names;
    }

    @Override
    public long[] shape(String name) {
      return source.shape(name);
    }

    @Override
    public INDArray read(String name) {
      return source.read(name);
    }

    @Override
    public String origin() {
      return source.origin();
    }

    @Override
    public void close() {
      source.close();
    }
  }

  private static float[] values(WeightSource source, String tensor) {
    try (INDArray array = source.read(tensor)) {
      return array.dup('c').data().asFloat();
    }
  }

  /** A model of the golden files, which have no tokenizer, with one token for every word. */
  private static ModelFiles model(String name, Consumer<ObjectNode> change) {
    Path golden = GOLDEN.resolve(name);
    ObjectNode config = (ObjectNode) ModelFolder.config(golden);
    change.accept(config);
    int words = config.path("vocab_size").intValue();
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    List<TokenType> types =
        new ArrayList<>(List.of(TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL));
    for (int id = tokens.size(); id < words - 1; id++) { // one row more than tokens
      tokens.add(String.valueOf((char) (' ' + 1 + id)));
      types.add(TokenType.NORMAL);
    }
    List<Double> scores = new ArrayList<>(Collections.nCopies(tokens.size(), 0.0));
    Vocabulary vocabulary =
        new Vocabulary.SentencePiece(
            tokens, types, new SpecialTokens(1, 2, 0, true, false), scores, false);
    CompanionFiles companions =
        CompanionFiles.of(
            name,
            Map.of(
                CompanionFiles.TOKENIZER_CONFIG,
                JsonNodeFactory.instance.objectNode().put("chat_template", "{{ messages }}"),
                CompanionFiles.GENERATION_CONFIG,
                JsonNodeFactory.instance.objectNode().put("pad_token_id", 0)));
    return new ModelFiles(name, config, ModelFolder.weights(golden), vocabulary, companions, null);
  }

  private static float[] logits(ModelFiles files) {
    ModelConfig config = ModelConfig.read(files.config(), files.name());
    TransformerModel model =
        config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
    int[] ids = IntStream.range(0, 11).map(i -> 3 + i * 7 % (config.vocabulary() - 3)).toArray();
    try (CachedDecoder decoder =
        new CachedDecoder(
            model, ParameterLoader.load(model, files.weights()), KernelMode.preferred())) {
      decoder.begin(ids.length);
      return decoder.next(ids, 0);
    }
  }

  private static double greatestDifference(float[] one, float[] other) {
    assertEquals(one.length, other.length);
    return IntStream.range(0, one.length)
        .mapToDouble(i -> Math.abs(one[i] - other[i]))
        .max()
        .orElseThrow();
  }

  /** Gemma's gains and queries are rounded when 1 is added, or a factor is multiplied in. */
  @ParameterizedTest
  @CsvSource({
    "llama, 0",
    "qwen2, 0",
    "qwen3, 0",
    "phi3, 0",
    "phi3-partial, 0",
    "olmo2, 0",
    "granite, 0",
    "gpt2, 0",
    "stablelm, 0",
    "gemma2, 1e-5",
    "gemma3, 1e-5"
  })
  void modelsGiveTheSameLogits(String name, double most) {
    Path file = folder.resolve(name + ".gguf");
    try (ModelFiles files = model(name, config -> {})) {
      GgufExport.model(files, GgufType.F32, file);
      try (ModelFiles written = ModelFiles.open(file)) {
        double off = greatestDifference(logits(files), logits(written));
        System.out.printf("%s: logits differ by %.1e%n", name, off);
        assertTrue(off <= most, name + " " + off);
        assertEquals(
            "{{ messages }}",
            new String(
                written.companions().bytes(CompanionFiles.CHAT_TEMPLATE).orElseThrow(),
                java.nio.charset.StandardCharsets.UTF_8));
        assertEquals(
            0,
            written.companions().object(CompanionFiles.GENERATION_CONFIG).index("pad_token_id", 1));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(GgufType.class)
  void typesAreRead(GgufType type) throws IOException {
    Path file = folder.resolve("tiny.gguf");
    try (ModelFiles files = ModelFiles.open(GOLDEN.resolve("gguf/tiny-f32.gguf"))) {
      List<String> lines = GgufExport.model(files, type, file);
      lines.forEach(System.out::println);
      assertEquals(type == GgufType.Q4_K ? 2 : 1, lines.size(), "64 is no multiple of 256");
      try (ModelFiles written = ModelFiles.open(file)) {
        double off = greatestDifference(logits(files), logits(written));
        System.out.printf("%s: logits differ by %.1e, %,d bytes%n", type, off, Files.size(file));
        double most = type == GgufType.F32 ? 0 : type == GgufType.Q4_K ? 2 : 0.3;
        assertTrue(off <= most, type + " " + off);
      }
    }
  }

  /** llama.cpp's stablelm has no head but one of its own. */
  @Test
  void aTiedHeadIsStoredTwiceWhereItMustBe() {
    Path file = folder.resolve("tied.gguf");
    try (ModelFiles files = model("stablelm", config -> config.put("tie_word_embeddings", true))) {
      ModelFiles tied =
          new ModelFiles(
              files.name(),
              files.config(),
              new Without(files.weights(), "lm_head.weight"),
              files.tokenizer(),
              files.companions(),
              null);
      GgufExport.model(tied, GgufType.F32, file);
      try (ModelFiles written = ModelFiles.open(file)) {
        assertTrue(written.weights().names().contains("lm_head.weight"));
        assertEquals(0, greatestDifference(logits(tied), logits(written)));
      }
    }
  }

  /** llama.cpp has no windows in a llama, so the file is for texts that are no longer than one. */
  @Test
  void mistralsWindowBecomesTheContext() {
    Path file = folder.resolve("mistral.gguf");
    try (ModelFiles files = model("mistral", config -> {})) {
      GgufExport.model(files, GgufType.F32, file);
    }
    try (ModelFiles written = ModelFiles.open(file)) {
      assertEquals(4, written.config().path("max_position_embeddings").intValue());
      assertEquals("llama", written.config().path("model_type").asText());
    }
  }

  @Test
  void whatAFileCannotSayIsRefused() {
    refuses(
        "gpt2",
        config -> config.put("activation_function", "gelu"),
        "no other mlp.activation than GELU_TANH, and the model has GELU.");
    refuses(
        "stablelm",
        config -> scaled(config, "llama3"),
        "llama.cpp's stablelm has no rotary positions");
    refuses("qwen2", config -> scaled(config, "llama3"), "of the type llama3");
    refuses("qwen3", config -> scaled(config, "longrope"), "of the type longrope");
    refuses("llama", config -> config.put("hidden_act", "gelu"), "mlp.activation");
    refuses("smollm3", config -> {}, "layers[1].rope than some, and the model has none.");
    refuses(
        "gemma3",
        config ->
            config
                .withArray("/layer_types")
                .removeAll()
                .add("full_attention")
                .add("sliding_attention")
                .add("sliding_attention"),
        "layer_types");
  }

  private static void scaled(ObjectNode config, String type) {
    config.remove("rope_parameters");
    ObjectNode scaling =
        config
            .putObject("rope_scaling")
            .put("rope_type", type)
            .put("factor", 8)
            .put("low_freq_factor", 1)
            .put("high_freq_factor", 4)
            .put("original_max_position_embeddings", 8192);
    int heads = config.path("num_attention_heads").intValue();
    int size = config.path("head_dim").asInt(config.path("hidden_size").intValue() / heads);
    for (int i = 0; i < size / 2; i++) {
      scaling.withArray("/short_factor").add(1);
      scaling.withArray("/long_factor").add(2);
    }
  }

  /** llama.cpp wants as many rows as tokens. */
  @Test
  void moreTokensThanWordsAreRefused() {
    Path file = folder.resolve("more.gguf");
    try (ModelFiles files = model("gpt2", config -> {})) {
      Vocabulary.SentencePiece own = (Vocabulary.SentencePiece) files.tokenizer();
      List<String> tokens = new ArrayList<>(own.tokens());
      List<TokenType> types = new ArrayList<>(own.types());
      for (String added : List.of("<pad>", "<sep>")) { // of 96 words one is free
        tokens.add(added);
        types.add(TokenType.CONTROL);
      }
      Vocabulary more =
          new Vocabulary.SentencePiece(
              tokens, types, own.special(), Collections.nCopies(tokens.size(), 0.0), false);
      ModelFiles larger = new ModelFiles(files.name(), files.config(), files.weights(), more);
      String said =
          assertThrows(BadInputException.class, () -> GgufExport.model(larger, GgufType.F32, file))
              .getMessage();
      System.out.println(said);
      assertTrue(said.contains("97 tokens and a table of 96 words"), said);
    }
    assertFalse(Files.exists(file));
  }

  private void refuses(String name, Consumer<ObjectNode> change, String part) {
    Path file = folder.resolve("refused.gguf");
    try (ModelFiles files = model(name, change)) {
      BadInputException thrown =
          assertThrows(BadInputException.class, () -> GgufExport.model(files, GgufType.F32, file));
      System.out.println(thrown.getMessage());
      assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
    }
    assertFalse(Files.exists(file));
    assertEquals(0, folder.toFile().list().length, "nothing half-written");
  }
}
