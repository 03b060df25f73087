import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.Pointer;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.Prediction;
import org.tokentune.text.SentenceEncoder;
import org.tokentune.text.TextModel;

/**
 * What load.sh runs, as a service would: {@code CLASSIFIER DECODER PREDICTIONS LOADS}. Prints what
 * is live on the heap, off it and resident, and fails where it grows from half way on by more than
 * 5%, or where an answer is not always the same.
 */
class Load {

  private static final double MOST_GROWTH = 1.05;
  private static final int THREADS = 8;

  private record Memory(double heap, double offHeap, double resident) {

    static Memory now() throws Exception {
      for (int i = 0; i < 3; i++) {
        System.gc();
        Thread.sleep(200); // arrays are freed by a thread of their own
      }
      Runtime runtime = Runtime.getRuntime();
      long used = runtime.totalMemory() - runtime.freeMemory();
      return new Memory(
          used / 1e6, Pointer.totalBytes() / 1e6, Pointer.physicalBytes() / 1e6);
    }

    void check(Memory half) {
      if (heap > half.heap * MOST_GROWTH + 1
          || offHeap > half.offHeap * MOST_GROWTH + 1
          || resident > half.resident * MOST_GROWTH + 10) {
        throw new AssertionError("it grew from " + half + " to " + this);
      }
    }

    @Override
    public String toString() {
      return String.format(
          "live heap %.1f MB, off-heap %.1f MB, resident %.0f MB", heap, offHeap, resident);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Path classifier = Path.of(arguments[0]);
    Path decoder = Path.of(arguments[1]);
    predictions(classifier, Integer.parseInt(arguments[2]));
    loads(classifier, Integer.parseInt(arguments[3]));
    threads(classifier, decoder);
  }

  private static String text(Random random) {
    return "the " + "good cat ".repeat(1 + random.nextInt(18)) + (random.nextBoolean() ? "sat" : "");
  }

  private static void predictions(Path model, int count) throws Exception {
    Random random = new Random(1);
    try (ModelFiles files = ModelFolder.open(model);
        TextModel classifier = TextModel.open(files)) {
      Memory half = null;
      for (int i = 0; i <= count; i++) {
        classifier.predict(List.of(text(random)));
        if (i == count / 20 || i == count / 2 || i == count) {
          Memory memory = Memory.now();
          System.out.printf("%,d predictions: %s%n", i, memory);
          half = i == count / 2 ? memory : half;
          if (i == count) {
            memory.check(half);
          }
        }
      }
    }
  }

  private static void loads(Path model, int count) throws Exception {
    Memory half = null;
    String first = null;
    for (int i = 0; i <= count; i++) {
      try (ModelFiles files = ModelFolder.open(model);
          TextModel classifier = TextModel.open(files)) {
        String answer = classifier.predict(List.of("the good cat")).toString();
        first = first == null ? answer : first;
        if (!answer.equals(first)) {
          throw new AssertionError("load " + i + " answers " + answer + ", the first " + first);
        }
      }
      if (i == count / 20 || i == count / 2 || i == count) {
        Memory memory = Memory.now();
        System.out.printf("%,d loads: %s%n", i, memory);
        half = i == count / 2 ? memory : half;
        if (i == count) {
          memory.check(half);
        }
      }
    }
  }

  /** 8 threads predict, embed and generate with the same models; each answer is one thread's. */
  private static void threads(Path model, Path decoderFolder) throws Exception {
    Random random = new Random(2);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      texts.add(text(random));
    }
    GenerationSettings greedy = GenerationSettings.greedy(12, Set.of());
    try (ModelFiles files = ModelFolder.open(model);
        ModelFiles decoderFiles = ModelFolder.open(decoderFolder);
        TextModel classifier = TextModel.open(files);
        SentenceEncoder encoder = SentenceEncoder.open(files, 32);
        LanguageModel decoder = LanguageModel.open(decoderFiles, null)) {
      List<String> alone = answers(texts, classifier, encoder, decoder, greedy);
      ExecutorService pool = Executors.newFixedThreadPool(THREADS);
      List<Future<List<String>>> others = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        others.add(pool.submit(() -> answers(texts, classifier, encoder, decoder, greedy)));
      }
      for (Future<List<String>> other : others) {
        if (!other.get().equals(alone)) {
          throw new AssertionError("threads differ from one");
        }
      }
      pool.shutdown();
      System.out.printf("%d threads: %d answers each, all those of one%n", THREADS, alone.size());
    }
  }

  private static List<String> answers(
      List<String> texts,
      TextModel classifier,
      SentenceEncoder encoder,
      LanguageModel decoder,
      GenerationSettings settings) {
    List<String> answers = new ArrayList<>();
    for (String text : texts) {
      Prediction prediction = classifier.predict(List.of(text)).get(0);
      answers.add(prediction.toString());
      answers.add(Arrays.toString(encoder.embed(List.of(text)).get(0)));
      if (answers.size() % 10 == 0) {
        answers.add(Arrays.toString(decoder.generate(text, settings, piece -> {}).ids()));
      }
    }
    return answers;
  }
}
