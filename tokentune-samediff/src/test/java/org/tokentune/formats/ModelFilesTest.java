package org.tokentune.formats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;

/** One method opens every supported kind of model path. */
class ModelFilesTest {

  private static final Path GGUF = Path.of("src/test/resources/golden/gguf/tiny-q8_0.gguf");

  @TempDir private Path folder;

  private static byte[] stories(int words) {
    int floats = words * 2 + (2 + 4 + 4 + 4 + 4 + 2 + 6) + 2 + 2;
    ByteBuffer bytes = ByteBuffer.allocate(28 + 4 * floats).order(ByteOrder.LITTLE_ENDIAN);
    for (int size : new int[] {2, 1, 1, 1, 1, words, 1}) {
      bytes.putInt(size);
    }
    return bytes.array();
  }

  private static byte[] vocabulary(int words) {
    ByteBuffer bytes = ByteBuffer.allocate(1 << 14).order(ByteOrder.LITTLE_ENDIAN).putInt(7);
    for (int id = 0; id < words; id++) {
      byte[] text = ("\n<" + id + "> ").getBytes(StandardCharsets.UTF_8);
      bytes.putFloat(-id).putInt(text.length).put(text);
    }
    byte[] written = new byte[bytes.position()];
    bytes.get(0, written);
    return written;
  }

  private static void assertOpens(Path path, String type, Class<?> tokenizer) {
    try (ModelFiles files = ModelFiles.open(path)) {
      assertEquals(type, files.config().path("model_type").asText());
      assertEquals(path.toString(), files.name());
      assertInstanceOf(tokenizer, files.tokenizer());
      assertEquals(files.config(), ModelFiles.config(path));
    }
  }

  private void assertRefused(Path path, String expected) {
    String message =
        assertThrows(BadInputException.class, () -> ModelFiles.open(path).close()).getMessage();
    System.out.println(message.replace(folder.toString(), ""));
    assertTrue(message.contains(expected), message);
  }

  @Test
  void opensGgufByFileAndFolder() throws IOException {
    assertOpens(GGUF, "llama", Vocabulary.BytePair.class);
    Path copy = Files.copy(GGUF, folder.resolve("a.gguf"));
    assertOpens(folder, "llama", Vocabulary.BytePair.class);
    Files.copy(copy, folder.resolve("b.gguf"));
    assertRefused(folder, "several models");
  }

  @Test
  void opensLlama2cByFileAndFolder() throws IOException {
    Path model = Files.write(folder.resolve("stories.bin"), stories(300));
    assertRefused(folder, "vocabularies tok*.bin");
    Path tokens = folder.resolve("tok300.bin");
    Files.write(tokens, vocabulary(300));
    assertOpens(folder, "llama", Vocabulary.SentencePiece.class);
    assertOpens(model, "llama", Vocabulary.SentencePiece.class);
    try (ModelFiles files = ModelFiles.open(folder)) {
      Vocabulary.SentencePiece vocabulary = (Vocabulary.SentencePiece) files.tokenizer();
      assertEquals("<1>", vocabulary.tokens().get(1));
      assertEquals("<0x0A>", vocabulary.tokens().get(13));
      assertEquals("\n<299>\u2581", vocabulary.tokens().get(299));
    }
    Files.write(tokens, vocabulary(301));
    assertRefused(folder, "301 tokens, but the model has 300");
    Files.write(tokens, vocabulary(10));
    assertRefused(folder, "has 10 tokens");
    byte[] whole = vocabulary(300);
    for (int length : new int[] {0, 3, 10, 500, whole.length - 1}) {
      Files.write(tokens, java.util.Arrays.copyOf(whole, length));
      assertRefused(folder, "tok300.bin");
    }
    byte[] claims = whole.clone();
    claims[11] = 0x7f; // the first token's length
    Files.write(tokens, claims);
    assertRefused(folder, "claims a token of");
  }

  @Test
  void namesMissingFiles() throws IOException {
    assertRefused(folder, "no config.json");
    assertRefused(folder.resolve("x.gguf"), "no file");
    assertRefused(
        Files.writeString(folder.resolve("thesis.txt"), "x"), "give the path of a model folder");
  }
}
