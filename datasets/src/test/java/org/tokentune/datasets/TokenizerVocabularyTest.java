package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tokentune.BadInputException;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.TokenizerSource;
import org.tokentune.formats.Vocabulary;
import org.tokentune.formats.Vocabulary.PreTokenizer;
import org.tokentune.formats.Vocabulary.SpecialTokens;
import org.tokentune.formats.Vocabulary.TokenType;

/** A vocabulary that becomes a {@code tokenizer.json} comes back from it. */
class TokenizerVocabularyTest {

  private static final Path TINY =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  /** The same model with a tokenizer.json in place of the vocabulary. */
  private static ModelFiles withJson(ModelFiles files, JsonNode json) {
    byte[] bytes = TokenizerJson.bytes((ObjectNode) json);
    JsonNode config = JsonNodeFactory.instance.objectNode().put("unk_token", "<|endoftext|>");
    return new ModelFiles(
        "a model",
        files.config(),
        files.weights(),
        new TokenizerSource.Json(bytes),
        CompanionFiles.of("a model", Map.of(CompanionFiles.TOKENIZER_CONFIG, config)),
        null);
  }

  @ParameterizedTest
  @EnumSource(PreTokenizer.class)
  void byteLevelVocabulariesComeBack(PreTokenizer rule) {
    try (ModelFiles files = ModelFiles.open(TINY)) {
      Vocabulary.BytePair read = (Vocabulary.BytePair) files.tokenizer();
      for (boolean begins : new boolean[] {false, true}) {
        SpecialTokens special = new SpecialTokens(1, 2, 0, begins, false);
        Vocabulary wanted =
            new Vocabulary.BytePair(read.tokens(), read.types(), special, read.merges(), rule);
        assertEquals(
            wanted, TokenizerVocabulary.of(withJson(files, TokenizerJson.tree(wanted, "it"))));
      }
    }
  }

  /** Tokens of single characters, bytes, and some that are merged of them. */
  private static Vocabulary.SentencePiece pieces(boolean prefix) {
    List<String> tokens = new ArrayList<>(List.of("<|endoftext|>", "<s>", "</s>"));
    List<TokenType> types =
        new ArrayList<>(List.of(TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL));
    for (int i = 0; i < 256; i++) {
      tokens.add(String.format(Locale.ROOT, "<0x%02X>", i));
      types.add(TokenType.BYTE);
    }
    for (String word : List.of("th", "\u2581th", "the", "\u2581the", "\u2581", "t", "h", "e")) {
      tokens.add(word);
      types.add(TokenType.NORMAL);
    }
    List<Double> scores = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      scores.add((double) -Math.max(0, id - 259));
    }
    return new Vocabulary.SentencePiece(
        tokens, types, new SpecialTokens(1, 2, 0, true, false), scores, prefix);
  }

  @Test
  void scoresFollowFromMerges() {
    try (ModelFiles files = ModelFiles.open(TINY)) {
      for (boolean prefix : new boolean[] {false, true}) {
        Vocabulary.SentencePiece wanted = pieces(prefix);
        JsonNode json = TokenizerJson.tree(wanted, "it");
        Vocabulary.SentencePiece found =
            (Vocabulary.SentencePiece) TokenizerVocabulary.of(withJson(files, json));
        assertEquals(wanted.tokens(), found.tokens());
        assertEquals(wanted.types(), found.types());
        assertEquals(wanted.special(), found.special());
        assertEquals(prefix, found.spacePrefix());
        assertEquals(json.path("model"), TokenizerJson.tree(found, "it").path("model"));
      }
    }
  }

  @Test
  void whatLlamaCppDoesNotDoIsRefused() {
    refuses("WordPiece", json -> ((ObjectNode) json.get("model")).put("type", "WordPiece"));
    refuses(
        "space before a text",
        json -> json.withObject("/pre_tokenizer").put("add_prefix_space", true));
    refuses("Lowercase", json -> json.set("normalizer", TokenizerJson.typed("Lowercase")));
    refuses(
        "rules that are none of",
        json ->
            ((ObjectNode) json.get("model"))
                .put("ignore_merges", true)); // only Llama 3's rule goes with it
    refuses(
        "end_of_word_suffix",
        json -> ((ObjectNode) json.get("model")).put("end_of_word_suffix", "</w>"));
    refuses(
        "more than one token",
        json -> {
          ObjectNode text = JsonNodeFactory.instance.objectNode();
          text.putObject("Sequence").put("id", "A").put("type_id", 0);
          ((ObjectNode) json.get("post_processor"))
              .putArray("single")
              .add(text)
              .add(text)
              .add(text)
              .add(text);
        });
  }

  private static void refuses(String part, Consumer<ObjectNode> change) {
    try (ModelFiles files = ModelFiles.open(TINY)) {
      Vocabulary.BytePair read = (Vocabulary.BytePair) files.tokenizer();
      Vocabulary vocabulary =
          new Vocabulary.BytePair(
              read.tokens(), read.types(), read.special(), read.merges(), PreTokenizer.GPT2);
      ObjectNode json = TokenizerJson.tree(vocabulary, "it");
      change.accept(json);
      BadInputException thrown =
          assertThrows(
              BadInputException.class, () -> TokenizerVocabulary.of(withJson(files, json)));
      System.out.println(thrown.getMessage());
      assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
    }
  }
}
