import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.formats.ModelFiles;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.objectives.LossSettings;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.Trainer;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.RunSettings;
import org.tokentune.train.Schedule;
import org.tokentune.train.StepReport;
import org.tokentune.train.FineTuningListener;

/**
 * What stream.sh runs: {@code make FILE BYTES SEED_TEXT} writes a text of that size, {@code pass
 * FILE} reads, windows and shuffles it once through, its bytes being the tokens, and {@code train
 * FILE MODEL BATCHES} trains on its first batches.
 */
class Stream {

  private static final int BLOCK = 128;

  public static void main(String[] arguments) throws IOException {
    Path file = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "make" -> make(file, Long.parseLong(arguments[2]), Path.of(arguments[3]));
      case "pass" -> pass(file);
      default -> train(file, Path.of(arguments[2]), Integer.parseInt(arguments[3]));
    }
  }

  /** Lines of a text, drawn anew and numbered, so that hardly any two of the file are alike. */
  private static void make(Path file, long bytes, Path seedText) throws IOException {
    List<String> lines = Files.readAllLines(seedText).stream().filter(l -> !l.isBlank()).toList();
    Random random = new Random(42);
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      for (long written = 0, number = 1; written < bytes; number++) {
        String line = number + " " + lines.get(random.nextInt(lines.size())) + "\n";
        out.write(line);
        written += line.length(); // the text is ASCII
      }
    }
    System.out.printf("made %,d bytes%n", Files.size(file));
  }

  /** Counts and sums do not depend on the order: they are those of the file, less the last chunk. */
  private static void pass(Path file) {
    try (StreamedRows text = StreamedRows.ofText(file, Stream::bytes, BLOCK)) {
      long held = text.validation().stream().mapToLong(row -> row.ids().length).sum();
      long passed = 0;
      long blocks = 0;
      for (Iterator<TokenBatches.Row> all = text.rows(42, 0); all.hasNext(); blocks++) {
        passed += all.next().ids().length;
      }
      System.out.printf(
          "passed %,d bytes in %,d blocks, held %,d to validate, lost %,d; heap %,d MB of %,d%n",
          passed,
          blocks,
          held,
          text.size() - passed - held,
          (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) >> 20,
          Runtime.getRuntime().maxMemory() >> 20);
      if (passed + held != text.size()) {
        System.exit(1);
      }
    }
  }

  private static int[] bytes(String text) {
    return text.chars().toArray();
  }

  private static void train(Path file, Path folder, int batches) {
    Hyperparameters settings =
        new Hyperparameters(
            1, batches, 1, 1e-3, OptimizerSettings.adamW(0.01), Schedule.linear(0.1), 1.0, Hyperparameters.ClipBy.ALL, MemorySettings.defaults(), 42, LossSettings.plain());
    OffHeap offHeap = new OffHeap(batches);
    try (ModelFiles files = ModelFiles.open(folder);
        LanguageModel model = LanguageModel.open(files, null);
        StreamedRows text = model.stream(file, BLOCK)) {
      List<TokenBatches.Row> validation = text.validation().subList(0, 64);
      Trainer.Outcome outcome =
          model.fineTune(
              text,
              validation,
              new TuningSettings("30%", 8, "all", 8, settings, RunSettings.defaults()),
              offHeap);
      System.out.printf("%d steps, validation loss %.3f%n", outcome.steps(), outcome.best().loss());
    }
    offHeap.check();
  }

  /** Prints what is off-heap ten times, after a collection. */
  private static final class OffHeap implements FineTuningListener {

    private final int every;
    private long first;
    private long last;

    OffHeap(int batches) {
      every = Math.max(1, batches / 10);
    }

    @Override
    public void onStep(StepReport report) {
      if (report.step() % every == 0) {
        System.gc();
        try {
          Thread.sleep(200); // other threads do the freeing
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
        long arrays = Nd4j.getEnvironment().getDeviceCouner(0);
        long pointers = Pointer.totalBytes();
        System.out.printf(
            "step %d: loss %.3f, off-heap %,d bytes of arrays, %,d of pointers%n",
            report.step(), report.loss(), arrays, pointers);
        last = arrays + pointers;
        first = first == 0 ? last : first;
      }
    }

    private void check() {
      System.out.printf("off-heap at the end: %.1f%% of what it was at first%n", 100.0 * last / first);
      if (last > first * 1.05) {
        System.exit(1);
      }
    }
  }
}
