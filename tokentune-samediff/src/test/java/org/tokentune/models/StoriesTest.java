package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.tokentune.formats.Llama2c;
import org.tokentune.formats.Vocabulary;

/** A real model in llama2.c's format. */
class StoriesTest {

  private static final Path FOLDER = Path.of("../../shared/data/stories260K");
  private static final String STORY =
      " Once upon a time, there was a little girl named Lily. She loved to play outside in the park."
          + " One day, she saw a big, red ball";

  @Test
  void tellsItsStoryGreedily() {
    assumeTrue(Files.isDirectory(FOLDER), "skipped: ../shared/data is not here");
    try (Llama2c file = Llama2c.open(FOLDER.resolve("stories260K.bin"))) {
      List<String> tokens = file.vocabulary(FOLDER.resolve("tok512.bin")).tokens();
      String text =
          new GreedyText(file.config(), file)
              .continued(List.of(1), 60).stream()
                  .map(tokens::get)
                  .collect(Collectors.joining())
                  .replace(Vocabulary.SentencePiece.SPACE, " ");
      System.out.println("stories260K tells:" + text);
      assertEquals(STORY, text.substring(0, STORY.length()));
    }
  }
}
