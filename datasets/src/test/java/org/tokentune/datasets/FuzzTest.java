package org.tokentune.datasets;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.testing.Fuzz;
import org.tokentune.testing.Mutation;

/** Damages tokenizers and rows; acceptance/fuzz.sh has more cases. */
class FuzzTest {

  private static final Path RESOURCES = Path.of("src/test/resources");
  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");
  private static final List<String> TEXTS =
      List.of("The good cat sat on it.", " two  spaces\n\ttab", "na\u00efve \u20ac", "");
  private static final List<Mutation.Maker> TEXT = List.of(Mutation::bytes);

  @TempDir private Path temp;

  private Fuzz fuzz() {
    return new Fuzz(temp.resolve("fuzzed"), BadInputException.class);
  }

  private static Object tokens(TextTokenizer tokenizer) {
    List<String> tokens = new ArrayList<>();
    for (String text : TEXTS) {
      TextTokenizer.Tokens encoded = tokenizer.encode(text, "a pair");
      tokens.add(Arrays.toString(encoded.ids()) + Arrays.toString(encoded.typeIds()));
      tokens.add(tokenizer.decode(encoded.ids()));
      tokens.add(Arrays.toString(tokenizer.encodeWords(new String[] {"good", "cat"}).words()));
    }
    return tokens;
  }

  @Test
  void tokenizers() throws Exception {
    for (String kind : List.of("bert", "roberta", "gpt2", "llama")) {
      fuzz()
          .with("tokenizer.json", RESOURCES.resolve("tokenizers/" + kind + ".json"))
          .run(
              "tokenizer.json",
              folder -> {
                byte[] json = Files.readAllBytes(folder.resolve("tokenizer.json"));
                try (TextTokenizer tokenizer =
                    TextTokenizer.open(json, "tokenizer.json", 512, true)) {
                  return tokens(tokenizer);
                }
              },
              List.of(Mutation::json));
    }
  }

  private static Object opened(Path folder) {
    try (ModelFiles files = ModelFolder.open(folder);
        TextTokenizer tokenizer = TextTokenizer.open(files, 64, true)) {
      return tokens(tokenizer);
    }
  }

  private Fuzz model() throws IOException {
    return fuzz()
        .with("config.json", GOLDEN.resolve("bert/config.json"))
        .with("model.safetensors", GOLDEN.resolve("bert/model.safetensors"));
  }

  @Test
  void settingsOfTokenizers() throws Exception {
    String settings =
        "{\"tokenizer_class\":\"BertTokenizer\",\"do_lower_case\":true,\"strip_accents\":null,"
            + "\"tokenize_chinese_chars\":true,\"model_max_length\":64,\"cls_token\":\"[CLS]\","
            + "\"added_tokens_decoder\":{\"1\":{\"content\":\"[UNK]\",\"lstrip\":false,"
            + "\"normalized\":false,\"rstrip\":false,\"single_word\":false,\"special\":true}}}";
    Fuzz fuzz =
        model()
            .with("tokenizer.json", RESOURCES.resolve("tokenizer.json"))
            .with("tokenizer_config.json", settings.getBytes(StandardCharsets.UTF_8));
    fuzz.run("tokenizer_config.json", FuzzTest::opened, List.of(Mutation::json));
  }

  @Test
  void vocabularies() throws Exception {
    String words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ngood\ncat\n##s\nsat\n.\na\npair\n";
    model()
        .with("vocab.txt", words.getBytes(StandardCharsets.UTF_8))
        .run("vocab.txt", FuzzTest::opened, TEXT);
  }

  /** GGUF has SentencePiece vocabularies; the bytes before them are damaged, too. */
  @Test
  void ggufVocabularies() throws Exception {
    fuzz()
        .with("x.gguf", GOLDEN.resolve("gguf/tiny-f32.gguf"))
        .run(
            "x.gguf",
            folder -> {
              try (ModelFiles files = ModelFiles.open(folder.resolve("x.gguf"));
                  TextTokenizer tokenizer = TextTokenizer.open(files, 64, true)) {
                return tokens(tokenizer);
              }
            },
            TEXT);
  }

  @Test
  void rows() throws Exception {
    String csv = "text,label\n\"a \"\"good\"\" cat, there\",good\nthe bad dog,bad\n";
    String tsv = "text\tlabel\na \"good\" cat, there\tgood\nthe bad dog\tbad\n";
    String json =
        "{\"text\":\"a cat\",\"label\":\"good\"}\n{\"text\":\"a dog\",\"label\":[\"bad\"]}\n";
    for (String name : List.of("rows.csv", "rows.tsv", "rows.jsonl")) {
      String text = name.endsWith("jsonl") ? json : name.endsWith("tsv") ? tsv : csv;
      fuzz()
          .with(name, text.getBytes(StandardCharsets.UTF_8))
          .run(
              name,
              folder -> TextFiles.read(folder.resolve(name), Columns.DEFAULT, true),
              name.endsWith("jsonl") ? List.of(Mutation::bytes, Mutation::jsonLines) : TEXT);
    }
  }

  @Test
  void questionsAndInstructions() throws Exception {
    String squad =
        "{\"data\":[{\"paragraphs\":[{\"context\":\"The cat sat.\",\"qas\":[{\"id\":\"1\","
            + "\"question\":\"Who sat?\",\"answers\":[{\"text\":\"The cat\",\"answer_start\":0}]}]}]}]}";
    fuzz()
        .with("squad.json", squad.getBytes(StandardCharsets.UTF_8))
        .run(
            "squad.json",
            folder -> // ids may be numbers, too
            SquadQuestion.read(folder.resolve("squad.json")).stream()
                    .map(question -> question.question() + question.answers())
                    .toList(),
            List.of(Mutation::json));
    String tasks = "{\"instruction\":\"Sing.\",\"input\":\"\",\"output\":\"La.\"}\n";
    fuzz()
        .with("tasks.jsonl", tasks.getBytes(StandardCharsets.UTF_8))
        .run(
            "tasks.jsonl",
            folder -> Instructions.read(folder.resolve("tasks.jsonl")).toString(),
            List.of(Mutation::jsonLines));
    String choices = "{\"question\":\"A cat\",\"choices\":[\"sat\",\"sang\"],\"answer\":0}\n";
    fuzz()
        .with("choices.jsonl", choices.getBytes(StandardCharsets.UTF_8))
        .run(
            "choices.jsonl",
            folder -> ChoiceQuestion.read(folder.resolve("choices.jsonl")).toString(),
            List.of(Mutation::jsonLines));
  }
}
