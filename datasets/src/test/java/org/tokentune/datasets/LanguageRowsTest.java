package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;

/** Rows of decoders: blocks of plain text, and instructions with their answers. */
class LanguageRowsTest {

  private static final Path MODEL =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  @TempDir private Path folder;

  static TextTokenizer tokenizer() {
    try (ModelFiles files = ModelFiles.open(MODEL)) {
      return TextTokenizer.open(files, Integer.MAX_VALUE, false);
    }
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static void assertRejected(String part, Runnable body) {
    String message = assertThrows(BadInputException.class, body::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(part), message);
  }

  @Test
  void cutsTextIntoBlocks() throws IOException {
    String text = "One day a dog ran out. ".repeat(20);
    try (TextTokenizer tokenizer = tokenizer()) {
      int[] tokens = TextBlocks.tokens(file("text.txt", text), tokenizer);
      List<TokenBatches.Row> rows = TextBlocks.cut(tokens, 16);
      int[] joined = rows.stream().flatMapToInt(row -> IntStream.of(row.ids())).toArray();
      assertArrayEquals(tokens, joined);
      assertEquals(text, tokenizer.decode(joined));
      for (TokenBatches.Row row : rows) {
        for (int i = 0; i < row.ids().length; i++) {
          assertEquals(row.ids()[i], row.labels()[i]);
        }
      }
      System.out.printf("%d tokens in %d blocks of at most 16%n", tokens.length, rows.size());
      assertRejected("1 tokens have nothing to predict", () -> TextBlocks.cut(tokens, 1));
      assertRejected("no file", () -> TextBlocks.tokens(folder.resolve("none.txt"), tokenizer));
      Path empty = file("empty.txt", "");
      assertRejected("hardly any text", () -> TextBlocks.tokens(empty, tokenizer));
      Path binary = Files.write(folder.resolve("x.bin"), new byte[] {(byte) 0xff, (byte) 0xfe, 1});
      assertRejected("is not text in UTF-8", () -> TextBlocks.tokens(binary, tokenizer));
    }
  }

  @Test
  void onlyAnswersHaveLabels() throws IOException {
    Path both =
        file(
            "tasks.jsonl",
            """
            {"instruction": "Say it", "input": "red {instruction}", "output": "It is red."}

            {"instruction": "Count", "instances": [{"input": "", "output": "1"}, {"output": "2"}]}
            """);
    List<Instructions.Instruction> read = Instructions.read(both);
    assertEquals(3, read.size());
    try (TextTokenizer tokenizer = tokenizer()) {
      List<TokenBatches.Row> rows = Instructions.rows(read, PromptTemplate.PLAIN, tokenizer, 200);
      List<String> answers = List.of("It is red.", "1", "2");
      List<String> prompts = List.of("Say it\nred {instruction}\n", "Count\n", "Count\n");
      for (int i = 0; i < 3; i++) {
        int[] ids = rows.get(i).ids();
        float[] labels = rows.get(i).labels();
        int prompt = (int) IntStream.range(0, ids.length).filter(t -> labels[t] < 0).count();
        int[] before = IntStream.range(0, prompt).map(t -> ids[t]).toArray();
        int[] after = IntStream.range(prompt, ids.length).map(t -> ids[t]).toArray();
        assertEquals(prompts.get(i), tokenizer.decode(before));
        assertEquals(answers.get(i), tokenizer.decode(after));
        assertEquals(prompts.get(i).charAt(0), tokenizer.decode(ids[0]).charAt(0), "no BOS");
        assertTrue(tokenizer.ends().contains(ids[ids.length - 1]), "a text ends");
        assertArrayEquals(
            IntStream.of(after).asDoubleStream().toArray(),
            IntStream.range(prompt, ids.length).mapToDouble(t -> labels[t]).toArray());
      }
      assertEquals(2, Instructions.rows(read, PromptTemplate.PLAIN, tokenizer, 12).size());
      assertRejected("3 of 3 instructions are left out", () -> truncatedTo3(read, tokenizer));
    }
    Path broken = file("broken.jsonl", "{\"instruction\": \"x\"}\n");
    assertRejected("line 1 has no text output", () -> Instructions.read(broken));
    Path none = file("none.jsonl", "[1");
    assertRejected("element 1 (line 1) of the array is a number", () -> Instructions.read(none));
    Path other = file("other.jsonl", "{\"prompt\": \"x\", \"completion\": \"y\"}\n");
    assertRejected(
        "line 1 has no text instruction; an instruction has the texts instruction, input (which may be"
            + " missing) and output. Its fields are [prompt, completion].",
        () -> Instructions.read(other));
    Path chat = file("chat.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}\n");
    assertRejected(
        "line 1 is a chat (messages), not an instruction", () -> Instructions.read(chat));
    Path share =
        file("share.json", "[{\"conversations\": [{\"from\": \"human\", \"value\": \"hi\"}]}]");
    assertRejected("object 1 (line 1) is a chat (conversations)", () -> Instructions.read(share));
    Path list =
        file("list.jsonl", "{\"instruction\": \"x\", \"input\": [\"y\"], \"output\": \"z\"}\n");
    assertRejected("has no text input", () -> Instructions.read(list));
  }

  @Test
  void readsInstructionsFromOneArray() throws IOException {
    Path alpaca =
        file(
            "alpaca.json",
            """
            [
                {
                    "instruction": "Say it",
                    "input": "",
                    "output": "It is red."
                },
                {"instruction": "Count", "input": null, "output": "1"}
            ]
            """);
    assertEquals(
        List.of(
            new Instructions.Instruction("Say it", "", "It is red."),
            new Instructions.Instruction("Count", "", "1")),
        Instructions.read(alpaca));
  }

  private static void truncatedTo3(List<Instructions.Instruction> read, TextTokenizer tokenizer) {
    Instructions.rows(read, PromptTemplate.ALPACA, tokenizer, 3);
  }

  @Test
  void templatesFormatInstructions() {
    assertEquals(
        "<|im_start|>user\nDo\n\nthis<|im_end|>\n<|im_start|>assistant\n",
        PromptTemplate.named("chatml").prompt("Do", "this"));
    String alpaca = PromptTemplate.named("Alpaca").prompt("Sort {input}", "b a");
    System.out.println(alpaca);
    assertTrue(alpaca.contains("### Instruction:\nSort {input}\n\n### Input:\nb a\n\n### Resp"));
    assertTrue(alpaca.getBytes(StandardCharsets.UTF_8).length > 100);
    assertRejected("There is no template x; there are alpaca, chatml, plain", () -> named("x"));
  }

  private static void named(String name) {
    PromptTemplate.named(name);
  }
}
