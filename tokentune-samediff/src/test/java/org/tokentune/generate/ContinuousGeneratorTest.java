package org.tokentune.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;

/** Texts that begin and end while others are under way are those of each alone. */
class ContinuousGeneratorTest {

  private static final GenerationSettings SETTINGS =
      new GenerationSettings(1.3, 20, 0.9, 5, 40, Set.of(4, 9));

  @Test
  void textsAreThoseOfEachAlone() {
    TransformerModel model = SmallDecoder.model("llama", "\"num_key_value_heads\": 2");
    Parameters parameters = SmallDecoder.weights(model, 3);
    SplittableRandom random = new SplittableRandom(7);
    List<int[]> prompts = new ArrayList<>();
    for (int length : new int[] {3, 80, 1, 127, 20, 9, 64}) {
      prompts.add(random.ints(length, 0, SmallDecoder.VOCABULARY).toArray());
    }
    List<ContinuousGenerator.Text> texts = new ArrayList<>();
    List<List<Integer>> heard = new ArrayList<>();
    int waited = 0;
    // Not room for all at once: rows are used by several texts.
    try (ContinuousGenerator generator = new ContinuousGenerator(model, parameters, 200);
        Generator alone = new Generator(model, parameters)) {
      while (texts.size() < prompts.size() || texts.stream().anyMatch(text -> !text.ended())) {
        if (texts.size() < prompts.size()) {
          int[] next = prompts.get(texts.size());
          if (generator.fits(next, SETTINGS)) {
            List<Integer> ids = new ArrayList<>();
            heard.add(ids);
            texts.add(generator.add(next, SETTINGS, StopCondition.NONE, ids::add));
          } else {
            waited++;
          }
        }
        generator.step();
      }
      for (int i = 0; i < prompts.size(); i++) {
        Generation expected = alone.generate(prompts.get(i), SETTINGS, id -> {});
        assertEquals(expected, texts.get(i).result());
        assertEquals(expected.ids().length, heard.get(i).size());
      }
    }
    assertTrue(waited > 0);
    System.out.printf("%d texts, which waited %d steps for room: as alone%n", texts.size(), waited);
  }

  @Test
  void aTextThatLeavesMakesRoom() {
    TransformerModel model = SmallDecoder.model("gpt2", "");
    int[] prompt = {3, 1, 4};
    GenerationSettings greedy = GenerationSettings.greedy(30, Set.of());
    try (ContinuousGenerator generator =
            new ContinuousGenerator(model, SmallDecoder.weights(model, 3), 40);
        Generator alone = new Generator(model, SmallDecoder.weights(model, 3))) {
      ContinuousGenerator.Text first = generator.add(prompt, greedy, StopCondition.NONE, id -> {});
      generator.step();
      assertFalse(generator.fits(prompt, greedy));
      assertThrows(
          BadSettingsException.class,
          () -> generator.add(prompt, greedy, StopCondition.NONE, id -> {}));
      first.leave();
      ContinuousGenerator.Text second = generator.add(prompt, greedy, StopCondition.NONE, id -> {});
      while (!second.ended()) {
        generator.step();
      }
      assertEquals(alone.generate(prompt, greedy, id -> {}), second.result());
      assertEquals(2, first.result().ids().length);
      for (int[] bad : List.of(new int[0], new int[] {99}, new int[128])) {
        assertThrows(
            BadInputException.class,
            () -> generator.add(bad, greedy, StopCondition.NONE, id -> {}));
      }
      assertTrue(generator.fits(prompt, greedy));
    }
    System.out.println("a text left, and another took its place");
  }

  @Test
  void aTextThatFailsEndsAlone() {
    TransformerModel model = SmallDecoder.model("gpt2", "");
    int[] prompt = {3, 1, 4};
    GenerationSettings greedy = GenerationSettings.greedy(8, Set.of());
    // The penalty makes logits below 0 of tokens that occurred infinite.
    GenerationSettings infinite = greedy.withRepetitionPenalty(1e300);
    List<ContinuousGenerator.Text> bad = new ArrayList<>();
    int atOnce = 0;
    try (ContinuousGenerator generator =
            new ContinuousGenerator(model, SmallDecoder.weights(model, 3), 400);
        Generator alone = new Generator(model, SmallDecoder.weights(model, 3))) {
      ContinuousGenerator.Text good = generator.add(prompt, greedy, StopCondition.NONE, id -> {});
      for (int id = 0; id < SmallDecoder.VOCABULARY; id++) {
        try {
          bad.add(generator.add(new int[] {id}, infinite, StopCondition.NONE, next -> {}));
        } catch (BadFileException e) {
          atOnce++;
        }
      }
      StopCondition failing =
          (before, ids) -> {
            if (ids.length == 3) {
              throw new IllegalStateException("at the third token");
            }
            return false;
          };
      ContinuousGenerator.Text stopped = generator.add(prompt, greedy, failing, id -> {});
      while (!good.ended()) {
        generator.step();
      }
      assertNull(good.failure());
      assertEquals(alone.generate(prompt, greedy, id -> {}), good.result());
      assertEquals("at the third token", stopped.failure().getMessage());
      assertNull(stopped.result().end());
      long failed = bad.stream().filter(text -> text.failure() instanceof BadFileException).count();
      assertTrue(failed > 0);
      assertTrue(generator.fits(new int[100], GenerationSettings.greedy(28, Set.of())));
      System.out.printf(
          "%d texts failed at once, %d later, and the one beside them was as alone%n",
          atOnce, failed);
    }
  }

  @Test
  void aTextThatIsTooLongIsRefused() {
    TransformerModel model = SmallDecoder.model("gpt2", "");
    GenerationSettings greedy = GenerationSettings.greedy(30, Set.of());
    try (ContinuousGenerator generator =
        new ContinuousGenerator(model, SmallDecoder.weights(model, 3), 32)) {
      assertFalse(generator.fits(new int[3], greedy));
      String said =
          assertThrows(
                  BadSettingsException.class,
                  () -> generator.add(new int[3], greedy, StopCondition.NONE, id -> {}))
              .getMessage();
      assertEquals(
          "prompt and its continuation take 33 tokens, more than the 32 that are held; ask for"
              + " fewer.",
          said);
      System.out.println(said);
    }
  }
}
