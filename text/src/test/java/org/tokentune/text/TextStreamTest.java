package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.formats.ModelFiles;

class TextStreamTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf");

  @Test
  void piecesJoinToTheTextAndHoldWholeCharacters() {
    List<String> texts =
        List.of(
            "Once upon a time, there was a little girl named Lily.",
            " two  spaces   and three, at the end  ",
            "caf\u00e9 \u20ac \ud83d\ude00 na\u00efve\n\ttabs",
            "aaaaaaaa ......... \"\"\"\"",
            " ");
    for (String name : List.of("tiny-f32.gguf", "tiny-q8_0.gguf")) {
      try (ModelFiles files = ModelFiles.open(GOLDEN.resolve(name));
          TextTokenizer tokenizer = TextTokenizer.open(files, 256, false)) {
        for (String text : texts) {
          int[] ids = tokenizer.encodePiece(text);
          TextStream stream = new TextStream(tokenizer);
          StringBuilder joined = new StringBuilder();
          for (int id : ids) {
            String added = stream.next(id);
            assertTrue(added.indexOf('\uFFFD') < 0, added);
            joined.append(added);
          }
          assertEquals(text, joined.append(stream.end()).toString());
        }
      }
    }
  }
}
