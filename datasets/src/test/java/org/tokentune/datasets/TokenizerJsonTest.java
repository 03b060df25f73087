package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.Vocabulary;
import org.tokentune.formats.Vocabulary.PreTokenizer;
import org.tokentune.models.ModelConfig;

class TokenizerJsonTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf");
  private static final Path DATA = Path.of("../../shared/data");

  @TempDir private Path folder;

  private static List<String> strings(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
  }

  @Test
  void idsEqualThoseOfLlamaCpp() throws IOException {
    JsonNode golden = new ObjectMapper().readTree(GOLDEN.resolve("greedy.json").toFile());
    List<String> strings = strings(golden.path("strings"));
    for (String name : List.of("tiny-f32.gguf", "tiny-q8_0.gguf")) {
      try (ModelFiles files = ModelFiles.open(GOLDEN.resolve(name));
          TextTokenizer tokenizer = TextTokenizer.open(files, 256, false)) {
        assertEquals(1, tokenizer.begin().orElseThrow());
        assertEquals(List.of(2, 0), List.copyOf(tokenizer.ends()), "its own, <|endoftext|>");
        for (int i = 0; i < strings.size(); i++) {
          int[] expected =
              strings(golden.path(name).path(i).path("prompt_ids")).stream()
                  .mapToInt(Integer::parseInt)
                  .toArray();
          int[] actual = tokenizer.encodePiece(strings.get(i));
          assertArrayEquals(expected, actual, strings.get(i));
          assertArrayEquals(expected, tokenizer.encode(strings.get(i), null).ids());
          String plain = strings.get(i).replace("<|im_start|>", "").replace("<|im_end|>", "");
          assertEquals(plain, tokenizer.decode(actual));
        }
      }
    }
  }

  @Test
  void mergesByScoreLikeLlama2c() throws IOException {
    assumeTrue(Files.isDirectory(DATA), "skipped: ../shared/data is not here");
    try (ModelFiles files = ModelFiles.open(DATA.resolve("stories260K"));
        TextTokenizer tokenizer = TextTokenizer.open(files, 1 << 20, false)) {
      Vocabulary.SentencePiece vocabulary = (Vocabulary.SentencePiece) files.tokenizer();
      String plays = Files.readString(DATA.resolve("tinyshakespeare/input.txt"));
      Random random = new Random(7);
      List<String> texts =
          new ArrayList<>(
              List.of(
                  "Once upon a time, there was a little girl named Lily.",
                  " two  spaces   and three, at the end  ",
                  "caf\u00e9 \u20ac \ud83d\ude00 na\u00efve\n\ttabs\u2581",
                  "aaaaaaaa ......... \"\"\"\"",
                  "x",
                  " "));
      for (int i = 0; i < 300; i++) {
        int from = random.nextInt(plays.length() - 400);
        texts.add(plays.substring(from, from + 1 + random.nextInt(400)));
      }
      int tokens = 0;
      for (String text : texts) {
        int[] expected = scoreMerges(vocabulary, text);
        int[] actual = tokenizer.encode(text, null).ids();
        assertArrayEquals(expected, actual, text);
        assertArrayEquals(
            Arrays.copyOfRange(expected, 1, expected.length), tokenizer.encodePiece(text));
        String spaced = text.replace('\u2581', ' ');
        assertEquals(spaced, tokenizer.decode(actual));
        tokens += actual.length;
      }
      assertArrayEquals(new int[] {1}, tokenizer.encode("", null).ids());
      assertEquals(List.of(1, 2), List.copyOf(tokenizer.ends()), "its own, </s>");
      System.out.printf(
          "%d texts, %d tokens: ids as llama2.c's; the plays are %d tokens%n",
          texts.size(), tokens, tokenizer.encodePiece(plays).length);
    }
  }

  /**
   * llama2.c's {@code encode}: merges the neighbours with the best score, and the leftmost among
   * equals.
   */
  private static int[] scoreMerges(Vocabulary.SentencePiece vocabulary, String text) {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      ids.put(vocabulary.tokens().get(id), id);
    }
    List<Integer> tokens = new ArrayList<>();
    String spaced = Vocabulary.SentencePiece.SPACE + text.replace(" ", "\u2581");
    spaced
        .codePoints()
        .mapToObj(Character::toString)
        .forEach(
            character -> {
              if (ids.containsKey(character)) {
                tokens.add(ids.get(character));
              } else {
                for (byte one : character.getBytes(StandardCharsets.UTF_8)) {
                  tokens.add((one & 255) + 3);
                }
              }
            });
    while (true) {
      double best = Double.NEGATIVE_INFINITY;
      int at = -1;
      int merged = -1;
      for (int i = 0; i + 1 < tokens.size(); i++) {
        String pair =
            vocabulary.tokens().get(tokens.get(i)) + vocabulary.tokens().get(tokens.get(i + 1));
        Integer id = ids.get(pair);
        if (id != null && vocabulary.scores().get(id) > best) {
          best = vocabulary.scores().get(id);
          at = i;
          merged = id;
        }
      }
      if (at < 0) {
        break;
      }
      tokens.set(at, merged);
      tokens.remove(at + 1);
    }
    tokens.add(0, 1);
    return tokens.stream().mapToInt(id -> id).toArray();
  }

  @Test
  void savesGgufAsAHuggingFaceFolder() throws IOException {
    Path saved = folder.resolve("saved");
    String text = "<|im_start|>user\nint x = 42;<|im_end|>\n";
    try (ModelFiles files = ModelFiles.open(GOLDEN.resolve("tiny-f32.gguf"));
        TextTokenizer tokenizer = TextTokenizer.open(files, 256, false)) {
      Map<String, INDArray> weights = new LinkedHashMap<>();
      files.weights().names().forEach(name -> weights.put(name, files.weights().read(name)));
      ModelWriter.write(
          saved,
          files.config(),
          weights,
          TokenizerJson.of(files.tokenizer(), files.name()),
          List.of(staged -> TokenizerJson.writeCompanions(staged, files)));
      try (ModelFiles again = ModelFiles.open(saved);
          TextTokenizer same = TextTokenizer.open(again, 256, false)) {
        assertEquals(
            ModelConfig.read(files.config(), "file"), ModelConfig.read(again.config(), "folder"));
        weights.forEach((name, array) -> assertSameBits(array, again.weights().read(name)));
        assertArrayEquals(tokenizer.encodePiece(text), same.encodePiece(text));
        assertEquals(tokenizer.begin(), same.begin());
        assertEquals(tokenizer.ends(), same.ends());
        JsonNode special =
            new ObjectMapper().readTree(saved.resolve("tokenizer_config.json").toFile());
        assertEquals("<|im_start|>", special.path("bos_token").asText());
        JsonNode ends =
            new ObjectMapper().readTree(saved.resolve("generation_config.json").toFile());
        assertEquals(2, ends.path("eos_token_id").asInt());
      }
    }
  }

  /** Rules without golden files: digits in threes and one by one, contractions, spaces. */
  @Test
  void splitsTextsByTheRuleOfTheModel() {
    String text = "I'LL pay 12345  now";
    assertEquals("I|'|LL|\u0120pay|\u012012345|\u0120|\u0120now", pieces(PreTokenizer.GPT2, text));
    assertEquals(
        "I|'|LL|\u0120pay|\u0120|1|2|3|4|5|\u0120|\u0120now", pieces(PreTokenizer.SMOLLM, text));
    assertEquals(
        "I|'LL|\u0120pay|\u0120|123|45|\u0120|\u0120now", pieces(PreTokenizer.LLAMA3, text));
    assertEquals(
        "I|'LL|\u0120pay|\u0120|1|2|3|4|5|\u0120|\u0120now", pieces(PreTokenizer.QWEN2, text));
    assertEquals("I|'LL|\u0120pay|\u0120|123|45|\u0120|\u0120now", pieces(PreTokenizer.DBRX, text));
    assertEquals(
        "I|'|LL|\u0120pay|\u0120|123|45|\u0120|\u0120now", pieces(PreTokenizer.DEFAULT, text));
  }

  /** A vocabulary that merges everything that its rule does not split. */
  private static String pieces(PreTokenizer rule, String text) {
    String bytes = text.replace(' ', '\u0120');
    List<String> tokens =
        new ArrayList<>(bytes.chars().distinct().mapToObj(Character::toString).toList());
    List<String> merges = new ArrayList<>();
    for (int from = 0; from < bytes.length(); from++) {
      for (int length = 2; from + length <= bytes.length(); length++) {
        String token = bytes.substring(from, from + length);
        if (!tokens.contains(token)) {
          tokens.add(token);
          merges.add(token.substring(0, length - 1) + " " + token.substring(length - 1));
        }
      }
    }
    Vocabulary vocabulary =
        new Vocabulary.BytePair(
            tokens,
            tokens.stream().map(token -> Vocabulary.TokenType.NORMAL).toList(),
            new Vocabulary.SpecialTokens(null, null, null, false, false),
            merges,
            rule);
    byte[] json = TokenizerJson.of(vocabulary, "test");
    try (TextTokenizer tokenizer = TextTokenizer.open(json, "test", 100, false)) {
      return Arrays.stream(tokenizer.encodePiece(text))
          .mapToObj(tokens::get)
          .collect(Collectors.joining("|"));
    }
  }

  @Test
  void rejectsMergesWithoutTokens() {
    Vocabulary vocabulary =
        new Vocabulary.BytePair(
            List.of("a", "b"),
            List.of(Vocabulary.TokenType.NORMAL, Vocabulary.TokenType.NORMAL),
            new Vocabulary.SpecialTokens(null, null, null, false, false),
            List.of("a b"),
            PreTokenizer.GPT2);
    String message =
        assertThrows(BadInputException.class, () -> TokenizerJson.of(vocabulary, "x.gguf"))
            .getMessage();
    assertTrue(message.contains("x.gguf") && message.contains("'a b'"), message);
  }

  /** Ids by BERT's rule, written down by hand. */
  @Test
  void splitsWordsLikeBert() throws IOException {
    Files.copy(GOLDEN.resolveSibling("bert").resolve("config.json"), folder.resolve("config.json"));
    Files.writeString(
        folder.resolve("vocab.txt"),
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\ncafe\n,\n##s\nx\n");
    Files.copy(
        GOLDEN.resolveSibling("bert").resolve("model.safetensors"),
        folder.resolve("model.safetensors"));
    try (ModelFiles files = ModelFiles.open(folder);
        TextTokenizer tokenizer = TextTokenizer.open(files, 32, false)) {
      assertArrayEquals(
          new int[] {2, 5, 6, 7, 9, 8, 10, 3},
          tokenizer.encode("Unaffable,  CAF\u00c9s", null).ids());
      assertArrayEquals(new int[] {2, 1, 4, 3}, tokenizer.encode("unz [MASK]", null).ids());
      TextTokenizer.Tokens pair = tokenizer.encode("x", "un");
      assertArrayEquals(new int[] {2, 11, 3, 5, 3}, pair.ids());
      assertArrayEquals(new int[] {0, 0, 0, 1, 1}, pair.typeIds());
      assertEquals("unaffable", tokenizer.decode(5, 6, 7));
      TokenizerJson.writeCompanions(folder, files);
      JsonNode config =
          new ObjectMapper().readTree(folder.resolve("tokenizer_config.json").toFile());
      assertEquals("BertTokenizerFast", config.path("tokenizer_class").asText());
      assertTrue(config.path("do_lower_case").asBoolean());
    }
  }
}
