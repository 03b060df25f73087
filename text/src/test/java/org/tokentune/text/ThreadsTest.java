package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.datasets.Example;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.generate.GenerationSettings;

/** Several threads that use the same models; acceptance/load.sh does more. */
class ThreadsTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");
  private static final int THREADS = 8;

  @TempDir private Path folder;

  private Path model(String name) throws IOException {
    Path model = Files.createDirectory(folder.resolve(name));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(name).resolve(file), model.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), model.resolve("tokenizer.json"));
    return model;
  }

  private static List<String> answers(
      TextModel classifier, SentenceEncoder encoder, LanguageModel decoder) {
    List<String> answers = new ArrayList<>();
    for (int i = 1; i < 12; i++) {
      String text = "the good" + " cat".repeat(i);
      answers.add(classifier.predict(List.of(text, "the bad dog")).toString());
      answers.add(Arrays.toString(encoder.embed(List.of(text)).get(0)));
    }
    GenerationSettings greedy = GenerationSettings.greedy(8, Set.of());
    answers.add(Arrays.toString(decoder.generate("the cat", greedy, piece -> {}).ids()));
    return answers;
  }

  @Test
  void answerAsOneDoes() throws Exception {
    List<Example> rows = List.of(new Example("a good cat", "good"), new Example("a dog", "bad"));
    try (ModelFiles files = ModelFolder.open(model("bert"));
        ModelFiles decoderFiles = ModelFolder.open(model("llama"));
        TextModel classifier = TextModel.forClasses(files, rows);
        SentenceEncoder encoder = SentenceEncoder.open(files, 32);
        LanguageModel decoder = LanguageModel.open(decoderFiles, null)) {
      ExecutorService pool = Executors.newFixedThreadPool(THREADS);
      List<Future<List<String>>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        all.add(pool.submit(() -> answers(classifier, encoder, decoder)));
      }
      List<String> alone = answers(classifier, encoder, decoder);
      for (Future<List<String>> one : all) {
        assertEquals(alone, one.get());
      }
      pool.shutdown();
      System.out.printf("%d threads: %d answers each, all the same%n", THREADS, alone.size());
    }
  }
}
