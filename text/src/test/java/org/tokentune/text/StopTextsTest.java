package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tokentune.formats.ModelFiles;
import org.tokentune.generate.BeamSearch;
import org.tokentune.generate.Generation;
import org.tokentune.generate.GenerationSettings;

class StopTextsTest {

  private static final Path TINY =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  private static String given(List<String> stops, String... pieces) {
    List<String> heard = new ArrayList<>();
    StopTexts texts = new StopTexts(stops, heard::add);
    for (String piece : pieces) {
      texts.add(piece);
    }
    texts.end();
    return String.join("|", heard.stream().filter(piece -> !piece.isEmpty()).toList());
  }

  @Test
  void holdsBackWhatMayBeginAStop() {
    assertEquals("a|b|c", given(List.of(), "a", "b", "c"));
    assertEquals("a|b", given(List.of("xyz"), "a", "bx", "yz", "c"));
    assertEquals("a|b|xya|z", given(List.of("xyz"), "a", "bxy", "a", "z"));
    assertEquals("a|b|xy", given(List.of("xyz"), "a", "bx", "y"));
    assertEquals("aax", given(List.of("aab"), "aaxa", "ab"));
    assertEquals("1", given(List.of("cd", "b"), "1bcd"), "the first in the text");
    assertEquals("1", given(List.of("bcd", "b"), "1bcd"));
  }

  /** Every part of a text ends it, wherever the borders of its tokens are. */
  @Test
  void textsEndBeforeAStop() {
    int stopped = 0;
    try (ModelFiles files = ModelFiles.open(TINY);
        LanguageModel model = LanguageModel.open(files, null)) {
      GenerationSettings greedy = GenerationSettings.greedy(24, Set.of());
      String prompt = "One day";
      StringBuilder free = new StringBuilder();
      model.generate(prompt, greedy, free::append);
      String best =
          model.generate(List.of(prompt), greedy.withSearch(BeamSearch.of(2))).get(0).text();
      System.out.println(free);
      for (int length : new int[] {1, 2, 3, 7}) {
        for (int from = 0; from + length <= free.length(); from += 3) {
          String stop = free.substring(from, from + length);
          if (stop.indexOf('\uFFFD') >= 0) {
            continue;
          }
          GenerationSettings settings = greedy.withStops(List.of("never", stop));
          StringBuilder text = new StringBuilder();
          Generation generation = model.generate(prompt, settings, text::append);
          assertEquals(free.substring(0, free.indexOf(stop)), text.toString(), stop);
          assertEquals(Generation.End.STOP, generation.end(), stop);
          List<GeneratedText> batch = model.generate(List.of(prompt, "The king"), settings);
          assertEquals(new GeneratedText(text.toString(), generation), batch.get(0));
          stopped++;
        }
      }
      String stop = best.substring(best.length() / 2, best.length() / 2 + 2);
      GeneratedText beams =
          model
              .generate(
                  List.of(prompt), greedy.withSearch(BeamSearch.of(2)).withStops(List.of(stop)))
              .get(0);
      assertTrue(!beams.text().contains(stop), beams.toString());
    }
    System.out.println(stopped + " stops ended the text before them");
    assertTrue(stopped > 20);
  }
}
