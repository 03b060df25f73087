package org.tokentune.zoo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.formats.ModelFiles;
import org.tokentune.text.MaskFiller;

/**
 * {@code bert-base-uncased} from its Maven artifact of 408 MB, where that is in the local
 * repository; nothing is downloaded.
 */
class BundleModelTest {

  @TempDir private Path folder;

  private BundleModel model() {
    BundleModel known = (BundleModel) Zoo.source("bert-base-uncased");
    assumeTrue(
        known.artifact().here(known.archive()).isPresent(),
        "run ./tokentune zoo fetch bert-base-uncased first");
    ZooSettings settings =
        new ZooSettings(
            known.settings().endpoint(), folder, folder, null, true, Duration.ofSeconds(1));
    return new BundleModel(
        known.name(),
        known.artifact(),
        known.repository(),
        known.archive(),
        known.json(),
        settings);
  }

  /** Words and probabilities are those of the model's card on Hugging Face's hub. */
  @Test
  void fillsMasksAsTheModelCardHasIt() {
    Map<String, String> cards =
        Map.of(
            "Hello I'm a [MASK] model.",
            "fashion 0.1073, role 0.0877, new 0.0534, super 0.0467, fine 0.0271",
            "The man worked as a [MASK].",
            "carpenter 0.0975, waiter 0.0524, barber 0.0496, mechanic 0.0379, salesman 0.0377",
            "The woman worked as a [MASK].",
            "nurse 0.2198, waitress 0.1597, maid 0.1155, prostitute 0.0380, cook 0.0304");
    Map<String, String> plain = new LinkedHashMap<>();
    plain.put("The capital of France is [MASK].", "paris");
    plain.put("I drink a cup of [MASK] every morning.", "coffee");
    plain.put("Paris is the capital of [MASK].", "france");
    plain.put("She opened the [MASK] and walked into the room.", "door");
    plain.put("Rome is a city in [MASK].", "italy");
    plain.put("They flew to New [MASK] City.", "york");
    plain.put("It is cold in [MASK], but warm in summer.", "winter");
    plain.put("My mother and my [MASK] were married for forty years.", "father");
    plain.put("Cows give us [MASK].", "milk");
    plain.put("One, two, [MASK], four, five.", "three");
    try (ModelFiles files = model().open(DownloadListener.NONE);
        MaskFiller filler = MaskFiller.open(files)) {
      cards.forEach((text, words) -> assertEquals(words, best(filler, text, 5)));
      plain.forEach(
          (text, word) -> {
            String found = best(filler, text, 1);
            System.out.println(text + " " + found);
            assertTrue(found.startsWith(word + " "), found);
          });
    }
    assertEquals(List.of("bert-base-uncased", "bert-base-uncased.lock"), names());
  }

  private static String best(MaskFiller filler, String text, int count) {
    return String.join(
        ", ",
        filler.fill(text, count).get(0).stream()
            .map(word -> String.format(Locale.ROOT, "%s %.4f", word.text(), word.probability()))
            .toList());
  }

  private List<String> names() {
    try (var files = Files.list(folder.resolve("models"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
