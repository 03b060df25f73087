package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.testing.Fuzz;
import org.tokentune.testing.Mutation;
import org.tokentune.testing.Said;

/**
 * Unigram models of SentencePiece without a {@code tokenizer.json}. The expected ids were recorded
 * with transformers' AutoTokenizer by {@code acceptance/sentencepiece_fixtures.py}.
 */
class SentencePieceModelTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path FIXTURES = Path.of("src/test/resources/tokenizers");
  private static final Path WEIGHTS =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert/model.safetensors");
  private static final List<String> KINDS = List.of("xlm-roberta", "deberta-v2");

  @TempDir private Path temp;

  private static String file(String kind) {
    return kind.equals("deberta-v2") ? "spm.model" : "sentencepiece.bpe.model";
  }

  private static Path folder(Path folder, String type, String file, byte[] model)
      throws IOException {
    Files.createDirectories(folder);
    ObjectNode config = JSON.createObjectNode().put("model_type", type).put("vocab_size", 500);
    config.put("hidden_size", 8).put("num_hidden_layers", 1).put("num_attention_heads", 2);
    config.put("intermediate_size", 8).put("max_position_embeddings", 1000);
    config.put("type_vocab_size", type.equals("deberta-v2") ? 0 : 1);
    if (type.equals("deberta-v2")) {
      config.put("relative_attention", true).put("share_att_key", true);
      config.put("norm_rel_ebd", "layer_norm").putArray("pos_att_type").add("p2c").add("c2p");
    }
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    Files.write(folder.resolve(file), model);
    Files.copy(WEIGHTS, folder.resolve("model.safetensors"));
    return folder;
  }

  private Path folder(String name, String kind) throws IOException {
    byte[] model = Files.readAllBytes(FIXTURES.resolve(kind + ".model"));
    return folder(temp.resolve(name), kind, file(kind), model);
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  /** Of the model file, and of the {@code tokenizer.json} that is saved. */
  @Test
  void idsAreAutoTokenizers() throws IOException {
    JsonNode all = JSON.readTree(FIXTURES.resolve("sentencepiece-cases.json").toFile());
    assertEquals(3, all.size());
    for (JsonNode one : all) {
      String kind = one.path("model_type").asText();
      Path at = folder(kind + one.path("settings"), kind);
      JSON.writeValue(at.resolve("tokenizer_config.json").toFile(), one.path("settings"));
      String said = Said.by(() -> check(at, one));
      Files.delete(at.resolve(file(kind)));
      said += Said.by(() -> check(at, one));
      assertEquals("", said);
    }
  }

  private static void check(Path at, JsonNode one) {
    try (ModelFiles files = ModelFiles.open(at);
        TextTokenizer tokenizer = TextTokenizer.open(files, 1000, false)) {
      assertTrue(one.path("cases").size() >= 300);
      for (JsonNode text : one.path("cases")) {
        assertArrayEquals(
            ints(text.path("ids")),
            tokenizer.encode(text.path("text").asText(), null).ids(),
            text.toString());
      }
      assertArrayEquals(ints(one.path("pair")), tokenizer.encode("To be", "or not").ids());
      String mask = at.toString().contains("deberta") ? "[MASK]" : "<mask>";
      assertEquals(one.path("mask").asInt(), tokenizer.encodePiece(mask)[0]);
      Files.write(at.resolve("tokenizer.json"), TokenizerJson.saved(files));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void refused(Path folder, String message) {
    String said =
        assertThrows(
                BadInputException.class,
                () -> {
                  try (ModelFiles files = ModelFiles.open(folder)) {
                    TokenizerJson.of(files);
                  }
                })
            .getMessage();
    System.out.println(said);
    assertTrue(said.contains(message), said);
  }

  /** Fields of the trainer, after those of the file: the last one counts. */
  private static byte[] with(byte[] model, int section, int... field) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(model);
    out.write(section << 3 | 2);
    out.write(field.length);
    for (int one : field) {
      out.write(one);
    }
    return out.toByteArray();
  }

  @Test
  void refusesOtherKinds() throws IOException {
    byte[] model = Files.readAllBytes(FIXTURES.resolve("xlm-roberta.model"));
    String file = file("xlm-roberta");
    byte[] bytePair = with(model, 2, 3 << 3, 2);
    refused(folder(temp.resolve("bpe"), "xlm-roberta", file, bytePair), "only unigram (1) is read");
    refused(
        folder(temp.resolve("llama"), "llama", "tokenizer.model", model),
        "has its tokenizer in tokenizer.model, which is read only as");
    refused(folder(temp.resolve("roberta"), "roberta", file, model), "writes a tokenizer.json");
    refused(
        folder(temp.resolve("deberta"), "deberta-v2", "spm.model", model), "has no piece [CLS]");
    refused(folder(temp.resolve("none"), "xlm-roberta", file, new byte[0]), "has 0 pieces");
    byte[] unknown =
        with(Files.readAllBytes(FIXTURES.resolve("deberta-v2.model")), 1, 1 << 3 | 2, 0);
    refused(folder(temp.resolve("piece"), "deberta-v2", "spm.model", unknown), "for piece 400");
  }

  /** What transformers' classes ignore is named. */
  @Test
  void namesWhatIsIgnored() throws IOException {
    byte[] model = Files.readAllBytes(FIXTURES.resolve("xlm-roberta.model"));
    byte[] bytes = with(with(model, 2, 0x98, 2, 1), 3, 3 << 3, 0);
    Path at = folder(temp.resolve("bytes"), "xlm-roberta", file("xlm-roberta"), bytes);
    String said = Said.by(() -> ModelFiles.open(at).close());
    System.out.println(said);
    assertTrue(said.contains("has byte_fallback true, add_dummy_prefix false, which"), said);
  }

  @Test
  void damagedFiles() throws Exception {
    for (String kind : KINDS) {
      Path at = folder("of-" + kind, kind);
      new Fuzz(temp.resolve("fuzzed-" + kind), BadInputException.class)
          .with(file(kind), at.resolve(file(kind)))
          .with("config.json", at.resolve("config.json"))
          .with("model.safetensors", at.resolve("model.safetensors"))
          .run(
              file(kind),
              folder -> {
                try (ModelFiles files = ModelFiles.open(folder);
                    TextTokenizer tokenizer = TextTokenizer.open(files, 100, false)) {
                  return Arrays.toString(tokenizer.encode("What, noble  sir", "a pair").ids());
                }
              },
              List.of(Mutation::bytes));
    }
  }
}
